"""`va-cluster env`: the lines that make docker and kubectl speak to the cluster."""

import shlex
import sys
from pathlib import Path

from va_cluster import kind
from va_cluster.engine import Engine
from va_cluster.settings import Choice
from va_cluster.targets import target
from va_cluster.workplace import Workplace


def export_lines(values: dict[str, str]) -> str:
    """The values as a shell reads them."""
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in values.items())


def exports(place: Workplace) -> dict[str, str]:
    """The variables for the chosen cluster and the engine in use."""
    values: dict[str, str] = {}
    if place.settings.choice is not Choice.CURRENT:
        values["KUBECONFIG"] = target(place).kubeconfig
    found = place.engine()
    if found and found.private:
        for name in ("DOCKER_HOST", "DOCKER_BUILDKIT"):
            values[name] = found.shell.environment[name]
    path = place.settings.environment.get("PATH", "")
    folders = [folder for folder in _folders(place, found) if folder not in path.split(":")]
    if folders:
        # Behind the user's own programs, which go first.
        values["PATH"] = ":".join([path, *folders])
    return values


def _folders(place: Workplace, found: Engine | None) -> list[str]:
    folders = [str(Path(sys.executable).parent)]  # where `va` and `va-cluster` are
    for program in ("docker", "kubectl", "kind"):
        if place.shell.find(program):
            continue
        own = found.shell.find(program) if found and program == "docker" else None
        if program == "kubectl" and place.settings.choice is Choice.KIND:
            own = target(place).kubectl()[0]
        elif program == "kind":
            own = kind.program(place.shell, place.cache)
        if own:
            folders.append(str(Path(own).parent))
    return folders
