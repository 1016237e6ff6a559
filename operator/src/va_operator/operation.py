"""What runs, and how it is connected: watches to store, store to queue, queue to workers.

Nothing decides here.
"""

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from va_operator.api import Key, Manifest, VirtualAssistant, key_of
from va_operator.cluster import ApiServer
from va_operator.discovery import wait_until_served
from va_operator.errors import ClusterFailure
from va_operator.following import Following, within
from va_operator.health import Vitals
from va_operator.inquiry import Inquiry
from va_operator.kinds import ASSISTANTS
from va_operator.leadership import Leadership
from va_operator.metrics import Metrics
from va_operator.permission_review import PermissionReview
from va_operator.pulse import Pulse
from va_operator.reconciler import Reconciler
from va_operator.reflector import FIRST_PAUSE, LONGEST_PAUSE, Reflector
from va_operator.resync import (
    SOON_SECONDS,
    WATCH_DELAY,
    Deliveries,
    Listed,
    list_assistants,
    prove_watch,
    read_assistant,
)
from va_operator.settings import OperatorSettings
from va_operator.store import Store
from va_operator.work_queue import WorkQueue
from va_operator.workers import work

logger = logging.getLogger(__name__)


NEWS_SECONDS: Final = 1.0
"""How long the watch may take to tell of a deletion before that counts as missed."""


@dataclass(slots=True, kw_only=True)
class Operation:
    """The running operator, but for kopf's own part."""

    settings: OperatorSettings
    api: ApiServer
    store: Store
    queue: WorkQueue[Key]
    inquiry: Inquiry
    reconciler: Reconciler
    leadership: Leadership | None = None
    """None where there is no Lease, and nobody to wait for."""
    metrics: Metrics = field(default_factory=Metrics)
    pulse: Pulse = field(default_factory=Pulse)
    deliveries: Deliveries = field(default_factory=Deliveries)
    reflectors: list[Reflector] = field(default_factory=list)
    served: asyncio.Event = field(default_factory=asyncio.Event)
    """The API server tells of the assistants' API: until then there is nothing to follow."""
    relisted: asyncio.Event = field(default_factory=asyncio.Event)
    """kopf has listed the assistants anew, and tells nobody what was deleted meanwhile. Set too
    where a write shows that it has missed a deletion: of a list that is empty it tells nothing."""
    vitals: Vitals = field(init=False)
    permissions: PermissionReview = field(init=False)
    following: Following = field(init=False)
    _unseen: set[str | None] = field(default_factory=set)
    """Namespaces of which not everything has been listed once, or since the Lease is ours; nothing
    is queued in them."""
    _seeing: set[asyncio.Task[None]] = field(default_factory=set)
    """What is to see them."""

    def __post_init__(self) -> None:
        """Name what tells whether it lives."""
        self.permissions = PermissionReview(api=self.api)
        self.following = Following(
            api=self.api,
            store=self.store,
            inquiry=self.inquiry,
            queue=self._queue,
            leads=lambda: self.leading,
        )
        self.vitals = Vitals(
            reflectors=self.reflectors,
            queue=self.queue,
            pulse=self.pulse,
            permissions=self.permissions,
        )

    @property
    def leading(self) -> bool:
        """Whether we act. A standby only looks: nothing is queued, and no pod is asked."""
        return self.leadership is None or self.leadership.active.is_set()

    def assistant_seen(self, event: str | None, body: Manifest) -> None:
        """Take in what kopf's watch tells of an assistant; what happened to it does not matter."""
        key = key_of(body)
        if event == "DELETED":
            self.deliveries.drop(body)
            metadata = body["metadata"]
            self.store.forget_assistant(key, metadata["uid"], version=metadata["resourceVersion"])
        else:
            watched = key.namespace if self.settings.namespaces else None
            if self.deliveries.note(body, listed=event is None, watched=watched):
                self.metrics.watch_ended(ASSISTANTS.plural, "expired")
                self.relisted.set()
            if not self._remember(body):
                return  # The echo of a status that we wrote ourselves.
        self._queue([key])

    def assistant_missed(self, assistant: VirtualAssistant) -> None:
        """Take in that the API server does not know an assistant that the store knows."""
        asyncio.get_running_loop().call_later(NEWS_SECONDS, self._doubt, assistant)

    def _doubt(self, assistant: VirtualAssistant) -> None:
        known = self.store.assistants.get(assistant.key)
        if known is not None and known.uid == assistant.uid:
            self.relisted.set()

    async def run(self) -> None:
        """Follow everything; reconcile when all of it has been listed once and we lead."""
        await wait_until_served(self.api)
        self.served.set()
        self._unseen.update(self._namespaces)
        for namespace in self._namespaces:
            self.reflectors += self.following.reflectors(namespace)
        async with asyncio.TaskGroup() as group:
            for reflector in self.reflectors:
                group.create_task(reflector.run(), name=f"reflector {reflector.resource.plural}")
            group.create_task(self.pulse.run(), name="pulse")
            review = self.permissions.run(self.settings.namespaces)
            group.create_task(review, name="permissions")
            await self._see_all(group)
            logger.info("synced: %d assistants", len(self.store.assistants))
            group.create_task(self._resync(), name="resync")
            group.create_task(self._correct_after_lists(), name="correction after lists")
            if self.leadership is not None:
                group.create_task(self.leadership.run(), name="lease")
                await self._see_as_leader(self.leadership, group)
            group.create_task(self.inquiry.run(), name="inquiry")
            for number in range(self.settings.workers):
                worker = work(self.queue, self.reconciler, self.metrics)
                group.create_task(worker, name=f"worker {number}")
            while self.leadership is not None:
                await self.leadership.lapsed.wait()
                self.leadership.lapsed.clear()
                await self._see_as_leader(self.leadership, group)

    async def _see_as_leader(self, leadership: Leadership, group: asyncio.TaskGroup) -> None:
        """Wait for the Lease, and until a list has shown all since then.

        The holder before us may have written for a spec that our watch withholds, and after a lapse
        the watch may have died with whatever kept us from renewing the Lease.
        """
        await leadership.active.wait()
        self._unseen.update(self._namespaces)
        await self._see_all(group)
        self.vitals.schedule.doubt()  # A standby's long rest is none of ours.
        for pod in self.store.pods:
            self.inquiry.follow(pod)

    @property
    def _namespaces(self) -> tuple[str | None, ...]:
        return self.settings.namespaces or (None,)

    async def _see_all(self, group: asyncio.TaskGroup) -> None:
        """Wait until all is seen, but not for namespaces in which something is not allowed.

        Those follow as soon as it is: one that was deleted must not keep the others waiting.
        """
        for task in self._seeing:
            task.cancel()  # What it lists may be of before.
        seeing = {name: group.create_task(self._see(name)) for name in self._namespaces}
        self._seeing = waiting = set(seeing.values())
        while waiting or len(self._unseen) == len(seeing):
            await asyncio.wait(seeing.values(), timeout=1)
            waiting = {
                task
                for name, task in seeing.items()
                if not task.done() and not self.permissions.denies(name)
            }

    async def _see(self, namespace: str | None) -> None:
        listed, version = await self._list(namespace, wait_for_permission=True)
        before = self._known(namespace)
        self._correct(namespace, listed, version)
        for reflector in self.reflectors:
            if reflector.namespace == namespace:
                await reflector.synced.wait()
        self._unseen.discard(namespace)
        keys = dict.fromkeys(found.key for found in (*before, *self._known(namespace)))
        self._queue(keys, behind=True)

    async def _list(
        self, namespace: str | None, *, wait_for_permission: bool
    ) -> tuple[list[Listed], str]:
        """List the assistants of a namespace, in the end; raises only where it is not allowed."""
        pause = FIRST_PAUSE
        while True:
            try:
                return await list_assistants(self.api, namespace)
            except ClusterFailure as failure:
                if failure.status == 403 and not wait_for_permission:
                    raise
                wait = max(pause, failure.retry_after or 0)
                logger.warning("listing the assistants again in %.1f s: %s", wait, failure)
                await asyncio.sleep(wait)
                pause = min(pause * 2, LONGEST_PAUSE)

    async def _resync(self) -> None:
        proved = False
        while True:
            usual = self.settings.resync_seconds
            await self.vitals.schedule.rest(usual if proved else min(SOON_SECONDS, usual))
            async with asyncio.TaskGroup() as group:
                proofs = [
                    group.create_task(self._prove(namespace), name=f"proof in {namespace}")
                    for namespace in self._namespaces
                ]
            proved = all(proof.result() for proof in proofs)

    async def _prove(self, namespace: str | None) -> bool:
        return await prove_watch(
            self.api,
            namespace,
            self.deliveries,
            delay=WATCH_DELAY,
            correct=lambda listed, version: self._correct(namespace, listed, version),
            moves=self.vitals.schedule.move,
        )

    async def _correct_after_lists(self) -> None:
        """Find what was deleted while kopf's watch had lost its place.

        The children of such an assistant would be made again and again: the garbage collector
        takes away what has no owner. Where none is left at all, kopf's list tells nothing, and
        only a status that nobody takes shows it.
        """
        while True:
            await self.relisted.wait()
            self.relisted.clear()
            for namespace in self._namespaces:
                try:
                    found = await self._list(namespace, wait_for_permission=False)
                except ClusterFailure as failure:  # When it is allowed again, kopf lists again.
                    logger.warning("the list after a lost watch fails: %s", failure)
                else:
                    self._correct(namespace, *found)
            self.vitals.schedule.doubt()

    def _known(self, namespace: str | None) -> tuple[VirtualAssistant, ...]:
        return tuple(found for found in self.store.assistants if within(namespace)(found.key))

    def _correct(self, namespace: str | None, listed: list[Listed], version: str) -> None:
        """Make the store equal to a list, and reconcile all that it holds.

        What the watch brought while the list was under way is newer than its version and stays.
        """
        before = self._known(namespace)
        self.deliveries.keep(listed, version, within(namespace))
        # One that cannot be read any more stays as it was when it could.
        readable = (found.assistant or self.store.assistants.get(found.key) for found in listed)
        self.store.replace_assistants(
            (assistant for assistant in readable if assistant is not None),
            version=version,
            within=within(namespace),
        )
        self._queue(
            [*(known.key for known in before), *(found.key for found in listed)], behind=True
        )

    def _remember(self, body: Manifest) -> bool:
        """Remember an assistant; tell whether that is news."""
        assistant = read_assistant(body)
        return assistant is not None and bool(self.store.take_in(assistant))

    def _queue(self, keys: Iterable[Key], *, behind: bool = False) -> None:
        if self.leading:
            for key in keys:
                if self._unseen.isdisjoint((None, key.namespace)):
                    self.queue.add(key, behind=behind)
