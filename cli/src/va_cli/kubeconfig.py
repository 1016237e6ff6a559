"""Which kubeconfig file says where the cluster is."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from va_cli.failures import Failure, WrongUsage

if TYPE_CHECKING:
    from collections.abc import Callable

K3S = Path("/etc/rancher/k3s/k3s.yaml")
"""Where k3s writes its own."""

_WITHOUT_CLUSTER = "{va} ask --url http://NODE:PORT …"


def kubeconfig_path(
    option: str | None,
    *,
    variable: str | None,
    home: Path,
    exists: Callable[[Path], bool] = Path.exists,
) -> str:
    """Return the first that applies: the option, KUBECONFIG, kubectl's own file, k3s's.

    One that the user names must exist: another cluster in its place would
    surprise.
    """
    if option:
        if not exists(Path(option).expanduser()):
            raise WrongUsage(
                "There is no such kubeconfig.",
                why=f"--kubeconfig must name a file; got '{option}'",
                next_step="{va} --help",
            )
        return option
    if variable:
        files = [Path(part).expanduser() for part in variable.split(os.pathsep) if part]
        if not any(exists(file) for file in files):
            raise Failure(
                "There is no kubeconfig.",
                why=f"KUBECONFIG names no file that exists: '{variable}'",
                next_step="unset KUBECONFIG, or name the file with --kubeconfig",
            )
        return variable
    for file in (home / ".kube" / "config", K3S):
        if exists(file):
            return str(file)
    raise Failure(
        "There is no kubeconfig.",
        why=f"none of --kubeconfig, KUBECONFIG, ~/.kube/config and {K3S} is there",
        next_step=_WITHOUT_CLUSTER,
    )
