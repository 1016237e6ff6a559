"""Where the programs `va` and `kubectl-assistant` start."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from va_cli.cluster import OpenCluster


def main(arguments: Sequence[str] | None = None, *, open_cluster: OpenCluster | None = None) -> int:
    """Run one command line and return its exit code.

    Nothing heavy is imported at the top of this module, so that Ctrl-C is
    quiet from the first moment on and `--help` answers at once.
    """
    try:
        from va_cli.app import run

        return run(arguments, open_cluster=open_cluster)
    except KeyboardInterrupt:
        return 130
