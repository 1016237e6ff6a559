"""What the environment and the command line say; the only module that reads the environment."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from va_cluster.errors import WrongRequest

DEFAULT_NAME = "virtual-assistant"
# kind's node names (name + "-control-plane") must be host names of at most 63 characters.
NAME_PATTERN = re.compile(r"[a-z0-9]([a-z0-9-]{0,43}[a-z0-9])?")


class Choice(StrEnum):
    """Which cluster the commands speak of."""

    KIND = "kind"
    K3S = "k3s"
    CURRENT = "current"


@dataclass(frozen=True)
class Settings:
    """The settings of one run."""

    choice: Choice
    name: str
    cache: Path
    environment: Mapping[str, str]


def cache_folder(environment: Mapping[str, str]) -> Path:
    """Where everything that is built or recorded lives: never in the repository."""
    if chosen := environment.get("VA_CACHE_DIR"):
        return Path(chosen).absolute()
    base = environment.get("XDG_CACHE_HOME") or Path(environment.get("HOME", "/root"), ".cache")
    return Path(base, "virtual-assistant").absolute()


def read_settings(
    choice: Choice, name: str, environment: Mapping[str, str] | None = None
) -> Settings:
    """Join the command line's words with the environment's."""
    if not NAME_PATTERN.fullmatch(name):
        raise WrongRequest(
            f"{name!r} cannot be a cluster's name",
            "Use lower-case letters, digits and hyphens, at most 45 of them.",
        )
    values = dict(os.environ if environment is None else environment)
    return Settings(choice, name, cache_folder(values), values)
