"""What one run of the program holds: its settings, its streams, its way to a cluster."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from va_cli.terminal import Notes, use_colour
from va_cli.tokens import read_token

if TYPE_CHECKING:
    import typer

    from va_cli.cluster import Cluster, OpenCluster
    from va_cli.settings import Settings


@dataclass(slots=True, kw_only=True)
class Session:
    """Handed to every verb."""

    settings: Settings
    program: str
    """What the user typed to get here: `va` or `kubectl assistant`."""

    open_cluster: OpenCluster
    debug: bool = False

    def cluster(self, kubeconfig: str | None, context: str | None) -> Cluster:
        """Open the cluster that the options and the environment name."""
        from va_cli.kubeconfig import kubeconfig_path

        path = kubeconfig_path(
            kubeconfig, variable=self.settings.kubeconfig, home=self.settings.home
        )
        return self.open_cluster(path, context)

    def notes(self, *, verbose: bool = False) -> Notes:
        """Return what speaks beside the answer."""
        lively = sys.stderr.isatty() and not self.settings.plain_terminal
        return Notes(sys.stderr, verbose=verbose, lively=lively)

    def token(self, file: str | None) -> str | None:
        """Return the token that the option or the environment gives."""
        return read_token(file, variable=self.settings.token)

    @property
    def colour(self) -> bool:
        """Say whether stdout gets colour."""
        return use_colour(sys.stdout, self.settings)

    @property
    def stderr_colour(self) -> bool:
        """Say whether stderr gets colour."""
        return use_colour(sys.stderr, self.settings)

    def show_trace(self) -> None:
        """Show where the failure at hand was raised, to those who asked for it."""
        if self.debug:
            import traceback

            traceback.print_exc()


def session_of(invocation: typer.Context, *, debug: bool) -> Session:
    """Return the session that the entry point made."""
    session = invocation.find_object(Session)
    assert session is not None  # noqa: S101 - the entry point always makes one
    session.debug = debug
    return session
