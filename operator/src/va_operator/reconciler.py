"""Brings one assistant's children and status to what its spec asks for.

Level-triggered: `reconcile` gets a key and nothing about what happened. It looks at what was last
seen, decides with pure functions and writes only what differs, so it may be
cut off anywhere and called again.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, Self

from va_operator import reasons
from va_operator.api import Key, VirtualAssistant
from va_operator.children import Children, ChildWriting, Faults
from va_operator.errors import ChildRefused, ClusterFailure, ContextError
from va_operator.recorder import Recorder
from va_operator.reporter import Reporter, Telling
from va_operator.reports import Report
from va_operator.resolver import Reading, Resolver
from va_operator.resources.pod_template import Images
from va_operator.store import Store
from va_operator.troubles import shorten
from va_operator.upgrades import Upgrades


class Cluster(Reading, ChildWriting, Telling, Protocol):
    """What reconciling needs of the API server, and no more."""


@dataclass(slots=True, kw_only=True)
class Reconciler:
    """Reconciles any assistant in the store."""

    store: Store
    resolver: Resolver
    children: Children
    reporter: Reporter
    _failing: set[Key] = field(default_factory=set)
    """Assistants whose last try met a fault."""

    @classmethod
    def of(
        cls,
        *,
        store: Store,
        cluster: Cluster,
        images: Images,
        upgrades: Upgrades,
        reports: Mapping[str, Report | None],
        clock: Callable[[], datetime],
        instance: str,
        missed: Callable[[VirtualAssistant], None],
        model_hosts: tuple[str, ...] = (),
    ) -> Self:
        """Connect the parts; they share what was seen and the way to the API server."""
        return cls(
            store=store,
            resolver=Resolver(store=store, cluster=cluster),
            children=Children(
                store=store,
                cluster=cluster,
                images=images,
                upgrades=upgrades,
                model_hosts=model_hosts,
            ),
            reporter=Reporter(
                store=store,
                cluster=cluster,
                reports=reports,
                clock=clock,
                recorder=Recorder(cluster=cluster, instance=instance),
                missed=missed,
            ),
        )

    async def reconcile(self, key: Key) -> None:
        """Reconcile one assistant.

        Raises what kept a child from being written or deleted, ChildRefused or ClusterFailure,
        after the status was where it tells of that; it wants another try.
        """
        assistant = self.store.assistants.get(key)
        if assistant is None or assistant.being_deleted:
            self._failing.discard(key)
            self.resolver.forget(key)
            self.children.forget(key)
            self.reporter.forget(key)
            return
        lasting = key in self._failing
        had_service = self.store.services.get(key) is not None
        unread: list[ClusterFailure] = []
        try:
            revision, files = await self.resolver.resolve(assistant)
        except ClusterFailure as failure:
            self._failing.add(key)
            if failure.status != 403 and not lasting:
                raise
            reason = reasons.NOT_ALLOWED if failure.status == 403 else reasons.READ_FAILED
            revision, files = ContextError(reason, shorten(failure.message)), ()
            unread.append(failure)
        unwritten = await self.children.write(assistant, revision, files)
        faults = [*unread, *unwritten.values()]
        if faults:
            self._failing.add(key)
        else:
            self._failing.discard(key)
        told = _told(unwritten, lasting=lasting)
        if faults and not (unread or told):
            raise _slowest(faults)  # To say that all is well would be a lie; the next try is near.
        # A Service goes by hand, or together with its owner: a status shows which it was.
        made_anew = not had_service and self.store.services.get(key) is not None
        await self.reporter.report(assistant, revision, told, anyway=made_anew)
        if faults:
            raise _slowest(faults)


def _slowest(faults: Sequence[ChildRefused | ClusterFailure]) -> ChildRefused | ClusterFailure:
    """Return the fault with the longest pause that was asked for, the first where none was."""
    pauses = [getattr(fault, "retry_after", None) or 0 for fault in faults]
    return faults[pauses.index(max(pauses))]


def _told(faults: Faults, *, lasting: bool) -> tuple[ChildRefused, ...]:
    """Return what the status tells of the faults: refusals at once, failures when they last.

    A single failure is cured by the next try in half a second, and not worth an event. But what
    is told must be the whole of it: beside a refusal a failure is told at once.
    """
    if not (lasting or any(isinstance(fault, ChildRefused) for fault in faults.values())):
        return ()
    told = [
        ChildRefused(reasons.WRITE_FAILED, shorten(str(fault)), kind=kind)
        if isinstance(fault, ClusterFailure)
        else ChildRefused(fault.reason, str(fault), kind=kind)
        for kind, fault in faults.items()
    ]
    return tuple(sorted(told, key=lambda refused: refused.reason == reasons.WRITE_FAILED))
