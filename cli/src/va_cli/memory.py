"""The last conversation with each assistant, in files that only their owner reads."""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkstemp
from typing import TYPE_CHECKING

from va_cli.turns import ASKER, ASSISTANT, Turn, fitting

if TYPE_CHECKING:
    from collections.abc import Sequence

    from va_cli.endpoints import Target

MOST_CONVERSATIONS = 100
"""Files that are kept; the oldest go first."""

LARGEST_FILE = 1024 * 1024
"""Bytes that are read: twelve turns of 64 KiB in all need less, even with every letter escaped."""


@dataclass(frozen=True, slots=True)
class Memory:
    """A folder with one file for each assistant; None remembers nothing."""

    folder: Path | None

    def recall(self, target: Target) -> tuple[Turn, ...]:
        """Return the last conversation with that assistant; empty where none can be read."""
        path = self._path(target)
        if path is None:
            return ()
        try:
            with path.open("rb") as file:
                data = file.read(LARGEST_FILE + 1)
        except OSError:
            return ()
        return _parsed(data) if len(data) <= LARGEST_FILE else ()

    def keep(self, target: Target, turns: Sequence[Turn]) -> None:
        """Keep the conversation in place of the one before; raises OSError.

        The file is replaced as a whole: another `va` never reads half of it, and
        of two that write the later one stays.
        """
        path = self._path(target)
        if path is None:
            return
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        said = [{"role": turn.role, "text": turn.text} for turn in turns]
        # mkstemp's mode is 0600 from the first moment on, whatever the umask is.
        handle, written = mkstemp(dir=path.parent, prefix=".", suffix=".tmp")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump({"assistant": target.label, "turns": said}, file, ensure_ascii=False)
            Path(written).replace(path)
        except BaseException:
            Path(written).unlink(missing_ok=True)
            raise
        _forget_the_oldest(path.parent)

    def forget(self, target: Target) -> None:
        """Keep nothing of the conversation with that assistant; raises OSError."""
        path = self._path(target)
        if path is not None:
            with suppress(FileNotFoundError, NotADirectoryError):
                path.unlink()

    def _path(self, target: Target) -> Path | None:
        if self.folder is None:
            return None
        # A digest, so that no name or URL can lead out of the folder.
        name = hashlib.sha256(_identity(target).encode(errors="replace")).hexdigest()[:32]
        return self.folder / "conversations" / f"{name}.json"


def _identity(target: Target) -> str:
    """Return what no other assistant shares: a conversation must not reach a namesake."""
    return target.url or f"{target.namespace}/{target.name}/{target.uid}"


def _parsed(data: bytes) -> tuple[Turn, ...]:
    """Read a kept conversation; what somebody else has written counts as none."""
    try:
        said = json.loads(data)["turns"]
        turns = [Turn(role=turn["role"], text=turn["text"]) for turn in said]
        roles = [turn.role for turn in turns]
        if roles != [ASKER, ASSISTANT] * (len(turns) // 2):
            return ()
        return fitting(turns, "")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return ()


def _forget_the_oldest(folder: Path) -> None:
    with suppress(OSError):
        kept = sorted(folder.glob("*.json"), key=lambda path: path.stat().st_mtime)
        for path in kept[:-MOST_CONVERSATIONS]:
            path.unlink()
