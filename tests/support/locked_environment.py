"""Python environments for programs of others, each with what its lock file names and no more.

They are made on first use, with uv, and kept in the project's cache under the lock file's digest,
so that only a new lock costs time.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

_MAKE_SECONDS = 600


def commands_of(lock: Path) -> Path:
    """Return the folder of the commands that a lock file's packages bring."""
    version = ".".join(map(str, sys.version_info[:3]))
    digest = hashlib.sha256(version.encode() + lock.read_bytes()).hexdigest()[:8]
    place = _cache() / "clients" / f"{lock.stem}-{digest}"
    if not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(prefix=f"{place.name}.", dir=place.parent))
        try:
            _make(unfinished, lock)
            # Whoever comes first makes it for all.
            if not place.exists():
                unfinished.rename(place)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
    return place / "bin"


def _make(place: Path, lock: Path) -> None:
    python = place / "bin" / "python"
    _uv("venv", "--allow-existing", "--relocatable", "--python", sys.executable, str(place))
    _uv("pip", "sync", "--require-hashes", "--python", str(python), str(lock))


def _uv(*words: str) -> None:
    made = subprocess.run(
        [_uv_command(), *words, "--quiet"],
        timeout=_MAKE_SECONDS,
        env={**os.environ, "UV_COMPILE_BYTECODE": "1"},
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert made.returncode == 0, f"uv {' '.join(words)}: {made.stderr}"


def _uv_command() -> str:
    """Return the uv that runs this, one on the PATH, or the one that the Makefile brings."""
    found = os.environ.get("UV") or shutil.which("uv")
    brought = sorted(_cache().glob("tools/uv-*/bin/uv"))
    assert found or brought, "uv is missing: `make tools` brings it"
    return found or str(brought[-1])


def _cache() -> Path:
    own = os.environ.get("VA_CACHE_DIR")
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(own) if own else Path(base) / "virtual-assistant"
