"""The cache: what was built once stays, is whole, and is built by one run at a time."""

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

UNFINISHED = ".unfinished-"


@dataclass(frozen=True)
class Entry:
    """Something in the cache: a folder named by the recipe that made it."""

    kind: str
    name: str
    key: str

    @property
    def path(self) -> Path:
        """Where it stands, relative to the cache."""
        return Path(self.kind, self.name, self.key)


def recipe_key(version: str, *parts: str | bytes) -> str:
    """A key that changes with anything that the result depends on."""
    digest = sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "big") + data)
    return f"{version}-{digest.hexdigest()[:12]}"


def remove_tree(path: Path) -> None:
    """Remove a file or a folder with everything in it, if it is there."""
    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.exists():
        shutil.rmtree(path)


@dataclass(frozen=True)
class Cache:
    """The cache below `root`."""

    root: Path
    on_wait: Callable[[str], None]

    def has(self, entry: Entry) -> bool:
        """Whether the entry is there, which means whole."""
        return (self.root / entry.path).is_dir()

    def path(self, entry: Entry) -> Path:
        """Where the entry is or would be."""
        return self.root / entry.path

    def ensure(self, entry: Entry, build: Callable[[Path], None]) -> Path:
        """The entry's folder, built now if it is missing.

        `build` fills an empty folder, which gets its name only when it is
        whole. What a killed run left, and what other recipes of the same name
        made, is removed.
        """
        final = self.path(entry)
        if self.has(entry):
            return final
        with self.lock(f"{entry.kind}-{entry.name}"):
            if self.has(entry):
                return final
            remove_unfinished(final.parent)
            unfinished = final.parent / f"{UNFINISHED}{entry.key}"
            unfinished.mkdir(parents=True)
            try:
                build(unfinished)
            except BaseException:
                remove_tree(unfinished)
                raise
            unfinished.rename(final)
            for other in final.parent.iterdir():
                if other != final:
                    remove_tree(other)
        return final

    @contextmanager
    def scratch(self, name: str) -> Iterator[Path]:
        """An empty folder for one run, gone afterwards; what a killed run left goes first."""
        path = self.root / "scratch" / name
        with self.lock(f"scratch-{name}"):
            remove_tree(path)
            path.mkdir(parents=True)
            try:
                yield path
            finally:
                remove_tree(path)

    @contextmanager
    def lock(self, name: str) -> Iterator[None]:
        """Hold a lock that dies with its holder, so that a killed run never leaves it behind."""
        folder = self.root / "locks"
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder / name, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o644)
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self.on_wait(name)
                fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)


def remove_unfinished(folder: Path) -> None:
    """Remove what runs that were killed in the middle left in `folder`."""
    if folder.is_dir():
        for left in folder.glob(f"{UNFINISHED}*"):
            remove_tree(left)
