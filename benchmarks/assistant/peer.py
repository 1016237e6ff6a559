"""LiteLLM's proxy in an environment of its own, in the cache, made on first use."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent / "litellm"
REQUIREMENTS = FOLDER / "requirements.txt"
"""Locked with hashes: `uv pip compile --generate-hashes` of `requirements.in`."""

ENVIRONMENT = {
    "LITELLM_MODE": "PRODUCTION",
    "LITELLM_LOG": "ERROR",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # the list of prices is not fetched at start
    "NO_DOCS": "True",
}


def cache() -> Path:
    """Return the project's cache folder, as the Makefile has it."""
    own = os.environ.get("VA_CACHE_DIR")
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(own) if own else Path(base) / "virtual-assistant"


def litellm() -> Path:
    """Return the folder of the environment; a half-made one is made anew."""
    digest = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()[:8]
    place = cache() / "litellm" / digest
    if place.exists():
        return place
    unfinished = place.with_suffix(".new")
    shutil.rmtree(unfinished, ignore_errors=True)
    uv = os.environ.get("UV") or "uv"
    python = unfinished / "bin" / "python"
    for command in (
        [uv, "venv", "--quiet", "--relocatable", "--python", sys.executable, str(unfinished)],
        [uv, "pip", "sync", "--quiet", "--require-hashes", "--python", str(python),
         str(REQUIREMENTS)],
    ):  # fmt: skip
        subprocess.run(command, check=True, timeout=1200)
    return unfinished.rename(place)
