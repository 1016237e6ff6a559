"""The Python environments of those who are compared, in the cache: no more in each than it needs.

What else is installed is imported where a package looks for it, and would be measured.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

LITELLM = Path(__file__).parent / "litellm"
REQUIREMENTS = LITELLM / "requirements.txt"
"""Locked with hashes: `uv pip compile --generate-hashes` of `requirements.in`."""

LITELLM_SETTINGS = {
    "LITELLM_MODE": "PRODUCTION",
    "LITELLM_LOG": "ERROR",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # the list of prices is not fetched at start
    "NO_DOCS": "True",
}


def assistant() -> Path:
    """Return the commands' folder of an environment as the images have it, made of this tree."""
    place = _cache() / "bench" / "assistant"
    _uv(
        "sync", "--locked", "--no-dev", "--no-editable", "--package", "va-assistant",
        "--extra", "embedded", "--reinstall-package", "va-assistant", place=place,
    )  # fmt: skip
    return place / "bin"


def litellm() -> Path:
    """Return the commands' folder of LiteLLM's environment, made on first use."""
    digest = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()[:8]
    place = _cache() / "bench" / f"litellm-{digest}"
    if not place.exists():
        unfinished = place.with_suffix(".new")
        shutil.rmtree(unfinished, ignore_errors=True)
        _uv("venv", "--relocatable", "--python", sys.executable, str(unfinished))
        python = str(unfinished / "bin" / "python")
        _uv("pip", "sync", "--require-hashes", "--python", python, str(REQUIREMENTS))
        unfinished.rename(place)
    return place / "bin"


def _uv(*words: str, place: Path | None = None) -> None:
    environment = {**os.environ, "UV_COMPILE_BYTECODE": "1"}
    if place:
        environment["UV_PROJECT_ENVIRONMENT"] = str(place)
    command = [os.environ.get("UV") or "uv", *words, "--quiet"]
    subprocess.run(command, check=True, timeout=1200, env=environment)


def _cache() -> Path:
    """Return the project's cache folder, as the Makefile has it."""
    own = os.environ.get("VA_CACHE_DIR")
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(own) if own else Path(base) / "virtual-assistant"
