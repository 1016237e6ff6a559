"""What one run of the program holds: its settings, its streams, its way to a cluster."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

from va_cli.terminal import Notes, use_colour
from va_cli.tokens import read_token

if TYPE_CHECKING:
    import typer

    from va_cli.cluster import Cluster, OpenCluster
    from va_cli.failures import Failure
    from va_cli.footnotes import Look
    from va_cli.memory import Memory
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

    def memory(self) -> Memory:
        """Return what remembers the last conversation with each assistant."""
        from va_cli.memory import Memory

        settings = self.settings
        return Memory(settings.state / "virtual-assistant" if settings.keeps_history else None)

    def look(self, *, sources: bool | None = None) -> Look:
        """Return how an answer is shown on stdout; sources by themselves on terminals alone."""
        from va_cli.footnotes import Look

        return Look(
            sources=sys.stdout.isatty() if sources is None else sources,
            colour=self.colour,
            width=_width(sys.stdout),
        )

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

    def tell(self, failure: Failure) -> None:
        """Tell a failure that does not end the program."""
        from va_cli.telling import told

        self.show_trace()
        sys.stderr.write(told(failure, program=self.program, colour=self.stderr_colour))

    def show_trace(self) -> None:
        """Show where the failure at hand was raised, to those who asked for it."""
        if self.debug:
            import traceback

            traceback.print_exc()


def _width(stream: TextIO) -> int | None:
    """Return the terminal's columns; None where there is none, or where it does not know."""
    if not stream.isatty():
        return None
    try:
        return os.get_terminal_size(stream.fileno()).columns or None
    except OSError:
        return None


def session_of(invocation: typer.Context, *, debug: bool) -> Session:
    """Return the session that the entry point made."""
    session = invocation.find_object(Session)
    assert session is not None  # noqa: S101 - the entry point always makes one
    session.debug = debug
    return session
