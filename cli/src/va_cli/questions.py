"""What is asked: the command line's words, a file, a pipe."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO

from va_cli.failures import WrongUsage

LARGEST_QUESTION = 64 * 1024
"""Bytes that an assistant takes."""

LARGEST_FILE = 4 * 1024 * 1024
"""Bytes of a file of questions; what is larger is hardly one."""


def join_question(words: str | None, text: str | None) -> str:
    """Return the words, a blank line and the text; refuse what no assistant would take."""
    parts = [part.strip() for part in (words, text) if part and part.strip()]
    question = "\n\n".join(parts)
    if not question:
        raise WrongUsage(
            "There is no question.",
            why="the arguments, the file and the pipe are empty; nothing was sent",
            next_step='add one, such as "Where does Ada work?"',
        )
    try:
        size = len(question.encode())
    except UnicodeEncodeError:
        raise _not_utf8("the arguments") from None
    if size > LARGEST_QUESTION:
        raise _too_large()
    return question


def read_text(stdin: BinaryIO) -> str | None:
    """Return what the pipe holds; None where there is none."""
    if not _is_piped(stdin):
        return None
    # No more than can be sent: a pipe may never end.
    data = stdin.read(LARGEST_QUESTION + 1)
    if len(data) > LARGEST_QUESTION:
        raise _too_large()
    return _decode(data, "the pipe", "The question")


def read_questions(file: str, *, stdin: BinaryIO) -> list[str]:
    """Return the questions of a file, one a line; empty lines and those of `#` are none."""
    source = "the standard input" if file == "-" else f"'{file}'"
    try:
        if file == "-":
            data = stdin.read(LARGEST_FILE + 1)
        else:
            with Path(file).open("rb") as opened:
                data = opened.read(LARGEST_FILE + 1)
    except OSError as error:
        raise WrongUsage(
            f"{source} cannot be read.",
            why=f"{error.strerror}; nothing was sent",
            next_step="{va} ask --help",
        ) from error
    if len(data) > LARGEST_FILE:
        raise WrongUsage(
            "The file of questions is too large.",
            why=f"{source} must be at most {LARGEST_FILE // 1024**2} MiB; nothing was sent",
            next_step="split it",
        )
    return _questions(_decode(data, source, "The file of questions"), source)


def _questions(text: str, source: str) -> list[str]:
    found = []
    # Line ends alone: other characters that Python splits at may be part of a question.
    for number, line in enumerate(text.split("\n"), start=1):
        question = line.strip()
        if not question or question.startswith("#"):
            continue
        if len(question.encode()) > LARGEST_QUESTION:
            raise _too_large(f"line {number} of {source}")
        found.append(question)
    if not found:
        raise WrongUsage(
            "There is no question.",
            why=f"{source} has no line that is one; nothing was sent",
            next_step="write one question a line",
        )
    return found


def _is_piped(stdin: BinaryIO) -> bool:
    """Say whether text may come in: a pipe, a socket or a file, not a terminal or /dev/null."""
    try:
        mode = os.fstat(stdin.fileno()).st_mode
    except (OSError, ValueError):
        return not stdin.closed
    return stat.S_ISFIFO(mode) or stat.S_ISREG(mode) or stat.S_ISSOCK(mode)


def _decode(data: bytes, source: str, what: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _not_utf8(source, what) from None


def _too_large(which: str = "it") -> WrongUsage:
    return WrongUsage(
        "The question is too large.",
        why=f"{which} must be at most {LARGEST_QUESTION // 1024} KiB; nothing was sent",
        next_step="ask with a shorter text",
        reason="QuestionTooLarge",
    )


def _not_utf8(source: str, what: str = "The question") -> WrongUsage:
    return WrongUsage(
        f"{what} cannot be read.",
        why=f"{source} must be UTF-8 text; nothing was sent",
        next_step="convert it, such as with iconv -t UTF-8",
        reason="NotUTF8",
    )
