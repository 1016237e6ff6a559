"""What is asked: the command line's words, a file, a pipe."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO

from va_cli.failures import WrongUsage

LARGEST_QUESTION = 64 * 1024
"""Bytes that an assistant takes."""


def join_question(words: str | None, text: str | None) -> str:
    """Return the words, a blank line and the text; refuse what no assistant would take."""
    parts = [part.strip() for part in (words, text) if part and part.strip()]
    question = "\n\n".join(parts)
    if not question:
        raise WrongUsage(
            "There is no question.",
            why="the arguments, the file and the pipe are empty; nothing was sent",
            next_step='{va} ask NAME "Where does Ada work?"',
        )
    try:
        size = len(question.encode())
    except UnicodeEncodeError:
        raise _not_utf8("the arguments") from None
    if size > LARGEST_QUESTION:
        raise _too_large()
    return question


def read_text(file: str | None, *, stdin: BinaryIO) -> str | None:
    """Return what the file or the pipe holds; None where there is neither."""
    if file is None:
        return _decode(_limited(stdin), "the pipe") if _is_piped(stdin) else None
    if file == "-":
        return _decode(_limited(stdin), "the standard input")
    try:
        with Path(file).open("rb") as opened:
            return _decode(_limited(opened), f"'{file}'")
    except OSError as error:
        raise WrongUsage(
            f"'{file}' cannot be read.",
            why=f"{error.strerror}; nothing was sent",
            next_step="{va} ask --help",
        ) from error


def _is_piped(stdin: BinaryIO) -> bool:
    """Say whether text may come in: a pipe, a socket or a file, not a terminal or /dev/null."""
    try:
        mode = os.fstat(stdin.fileno()).st_mode
    except (OSError, ValueError):
        return not stdin.closed
    return stat.S_ISFIFO(mode) or stat.S_ISREG(mode) or stat.S_ISSOCK(mode)


def _limited(source: BinaryIO) -> bytes:
    """Read no more than can be sent: a pipe may never end."""
    data = source.read(LARGEST_QUESTION + 1)
    if len(data) > LARGEST_QUESTION:
        raise _too_large()
    return data


def _decode(data: bytes, source: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _not_utf8(source) from None


def _too_large() -> WrongUsage:
    return WrongUsage(
        "The question is too large.",
        why=f"it must be at most {LARGEST_QUESTION // 1024} KiB; nothing was sent",
        next_step="ask with a shorter text",
        reason="QuestionTooLarge",
    )


def _not_utf8(source: str) -> WrongUsage:
    return WrongUsage(
        "The question cannot be read.",
        why=f"{source} must be UTF-8 text; nothing was sent",
        next_step="convert it, such as with iconv -t UTF-8",
        reason="NotUTF8",
    )
