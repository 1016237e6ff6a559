"""The names of assistants, for a shell that completes a command line."""

from queue import Empty, SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING

import typer

from va_cli.session import Session

if TYPE_CHECKING:
    from va_cli.cluster import Cluster

SECONDS = 2.0
"""Who presses Tab looks on; a cluster that is slower completes nothing."""


def assistant_names(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the assistants of the namespace whose names begin so; none where any step fails.

    A message would end up in the middle of the line that is being typed.
    """
    session, given = ctx.find_object(Session), ctx.params
    if session is None or given.get("url") or session.settings.url:
        return []
    found: SimpleQueue[list[str]] = SimpleQueue()

    def look() -> None:
        try:
            cluster = session.cluster(given.get("kubeconfig"), given.get("context"))
            found.put(_names(cluster, given.get("namespace")))
        except Exception:  # noqa: BLE001 - whatever it is, the shell goes on
            found.put([])

    # A daemon, because the shell must not wait for the end of a request.
    Thread(target=look, daemon=True).start()
    try:
        names = found.get(timeout=SECONDS)
    except Empty:
        return []
    return [name for name in names if name.startswith(incomplete)]


def _names(cluster: "Cluster", namespace: str | None) -> list[str]:
    from va_cli.assistants import parse_assistant

    items = cluster.assistants(namespace or cluster.default_namespace)
    return sorted(parse_assistant(item).name for item in items)
