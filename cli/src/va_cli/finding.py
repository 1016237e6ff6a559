"""Finding a way to an assistant that works now."""

from __future__ import annotations

from dataclasses import dataclass
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Protocol

from va_cli.assistants import parse_assistant, why_not_ready
from va_cli.endpoints import Endpoint, Target, node_endpoints, published_endpoint
from va_cli.failures import Failure, NotAllowed, NotReady
from va_cli.wire import Wire

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from va_cli.assistants import Assistant
    from va_cli.cluster import Cluster
    from va_cli.durations import Deadline
    from va_cli.terminal import Notes


class Finder(Protocol):
    """Finds one target, as often as it is asked to."""

    @property
    def target(self) -> Target:
        """Who is looked for."""

    def find(self, deadline: Deadline) -> Wire:
        """Return a connection, or raise the failure that says why there is none."""


@dataclass(frozen=True, slots=True)
class UrlFinder:
    """Takes the URL that the user gave, and no other."""

    url: str
    notes: Notes

    @property
    def target(self) -> Target:
        """Who is looked for."""
        return Target(url=self.url)

    def find(self, deadline: Deadline) -> Wire:  # noqa: ARG002 - nothing is sent yet
        """Return a connection that is not proven: nothing else would be tried."""
        self.notes.detail(f"asking {self.url}, as given")
        return Wire(Endpoint(via="the given URL", url=self.url), self.target)


@dataclass(slots=True)
class ClusterFinder:
    """Tries the ways to an assistant of a cluster in their order."""

    cluster: Cluster
    assistant: Assistant
    notes: Notes
    is_fresh: bool = True
    """True while `assistant` was just read; later it is read anew."""

    @property
    def target(self) -> Target:
        """Who is looked for."""
        found = self.assistant
        return Target(name=found.name, namespace=found.namespace, uid=found.uid)

    def find(self, deadline: Deadline) -> Wire:
        """Return a connection to the first endpoint that answers."""
        self.notes.stage(f"finding {self.target.label}")
        if not self.is_fresh:
            manifest = self.cluster.assistant(self.assistant.namespace, self.assistant.name)
            self.assistant = parse_assistant(manifest)
        self.is_fresh = False
        failures: list[str] = []
        forbidden: NotAllowed | None = None
        for group in self._groups():
            try:
                wire = self._first_that_answers(group, failures, deadline)
            except NotAllowed as failure:
                forbidden = failure
            else:
                if wire:
                    self.notes.detail(f"asking through {wire.endpoint.via}, {wire.endpoint.url}")
                    return wire
        if forbidden:
            raise forbidden
        raise NotReady(
            f"{self.target.label} is not ready.",
            why=why_not_ready(self.assistant) or "; ".join(failures),
            next_step=self.target.check,
            retry_after=None if self.assistant.waits_for_the_user else 0.0,
        )

    def _groups(self) -> Iterator[Sequence[Endpoint]]:
        """Yield the ways in their order; those of one group are as good as each other."""
        published = published_endpoint(self.assistant)
        if published:
            yield (published,)
        else:
            self.notes.detail("status.url: there is none")
        if self.assistant.node_port is not None:
            try:
                nodes = self.cluster.nodes()
            except Failure as failure:
                self.notes.detail(f"node address: {failure.why}")
            else:
                yield node_endpoints(self.assistant, nodes)
        yield (self.cluster.service_proxy(self.assistant.namespace, self.assistant.name),)

    def _first_that_answers(
        self, group: Sequence[Endpoint], failures: list[str], deadline: Deadline
    ) -> Wire | None:
        """Probe a whole group at once and return the first connection that works."""
        wires = [Wire(endpoint, self.target) for endpoint in group]
        verdicts: SimpleQueue[tuple[Wire, Failure | None]] = SimpleQueue()
        for wire in wires:
            # Daemons, because a pool's threads would hold up the end of the program.
            Thread(target=_probe, args=(wire, deadline, verdicts), daemon=True).start()
        for _ in wires:
            wire, failure = verdicts.get()
            if failure is None:
                return wire
            failures.append(f"{wire.endpoint.via}: {failure.why}")
            self.notes.detail(failures[-1])
            if isinstance(failure, NotAllowed):
                raise failure
        return None


def _probe(
    wire: Wire, deadline: Deadline, verdicts: SimpleQueue[tuple[Wire, Failure | None]]
) -> None:
    try:
        wire.probe(deadline)
    except Failure as failure:
        wire.close()
        verdicts.put((wire, failure))
    else:
        verdicts.put((wire, None))
