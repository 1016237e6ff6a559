"""The API key, read anew for every question.

A Secret's folder changes under a running pod, by a switch of symbolic links.
Reading a file of a hundred bytes costs less than being wrong about whether it
has changed.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from va_assistant.errors import Failure, Reason


class KeySource(Protocol):
    """Where the key comes from."""

    def read(self) -> str | None:
        """Return the key of this moment; None where the model needs none."""


@dataclass(frozen=True, slots=True)
class NoKey:
    """For models that ask for none."""

    def read(self) -> str | None:
        """Return None."""
        return None


@dataclass(frozen=True, slots=True)
class GivenKey:
    """A key that was handed over at start."""

    value: str

    def read(self) -> str | None:
        """Return the key."""
        return checked(self.value)


@dataclass(frozen=True, slots=True)
class KeyFile:
    """A file that may be missing, come later and change."""

    path: Path

    def read(self) -> str | None:
        """Return what the file says now; raises `KeyMissing` where it says nothing."""
        try:
            raw = self.path.read_bytes()
        except OSError as error:
            raise Failure(
                Reason.KEY_MISSING, f"the key's file {self.path.name}: {error.strerror}"
            ) from error
        return checked(raw.decode("utf-8", errors="replace"))


def checked(text: str) -> str:
    """Return the key without the white space around it, if it can be a key at all."""
    key = text.strip()
    if not key:
        raise Failure(Reason.KEY_MISSING, "the key is empty")
    if not key.isascii() or not key.isprintable() or " " in key:
        raise Failure(Reason.KEY_REFUSED, "the key holds characters that no key has")
    return key
