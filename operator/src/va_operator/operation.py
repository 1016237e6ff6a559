"""What runs, and how it is connected: watches to store, store to queue, queue to workers.

Nothing decides here.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from va_operator.api import Key, Manifest, VirtualAssistant, key_of
from va_operator.cluster import CONFIG_MAPS, DEPLOYMENTS, PODS, SERVICES, ApiServer, Resource
from va_operator.errors import ClusterFailure, OperatorError
from va_operator.inquiry import Inquiry
from va_operator.observed import read_child, read_config_map, read_pod
from va_operator.reconciler import Reconciler
from va_operator.reflector import FIRST_PAUSE, LONGEST_PAUSE, Reflector
from va_operator.resources.metadata import CHILDREN_SELECTOR, MANAGED_BY
from va_operator.resync import WATCH_DELAY, Deliveries, list_assistants, prove_watch
from va_operator.settings import OperatorSettings
from va_operator.store import Store
from va_operator.work_queue import WorkQueue
from va_operator.workers import work

logger = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class Operation:
    """The running operator, but for kopf's own part."""

    settings: OperatorSettings
    api: ApiServer
    store: Store
    queue: WorkQueue[Key]
    inquiry: Inquiry
    reconciler: Reconciler
    deliveries: Deliveries = field(default_factory=Deliveries)
    reflectors: list[Reflector] = field(default_factory=list)

    def assistant_seen(self, event: str | None, body: Manifest) -> None:
        """Take in what kopf's watch tells of an assistant; what happened to it does not matter."""
        key = key_of(body)
        if event == "DELETED":
            self.deliveries.drop(body)
            metadata = body["metadata"]
            self.store.forget_assistant(key, metadata["uid"], version=metadata["resourceVersion"])
        else:
            self.deliveries.note(body)
            self._remember(body)
        self.queue.add(key)

    async def run(self) -> None:
        """Follow everything, and reconcile as soon as all of it has been listed once."""
        self.reflectors += [
            reflector
            for namespace in self.settings.namespaces or (None,)
            for reflector in self._reflectors(namespace)
        ]
        async with asyncio.TaskGroup() as group:
            for reflector in self.reflectors:
                group.create_task(reflector.run(), name=f"reflector {reflector.resource.plural}")
            group.create_task(self.inquiry.run(), name="inquiry")
            await self._first_list()
            for reflector in self.reflectors:
                await reflector.synced.wait()
            logger.info("synced: %d assistants", len(self.store.assistants))
            for assistant in self.store.assistants:
                self.queue.add(assistant.key)
            for number in range(self.settings.workers):
                group.create_task(work(self.queue, self.reconciler), name=f"worker {number}")
            group.create_task(self._resync(), name="resync")

    async def _first_list(self) -> None:
        pause = FIRST_PAUSE
        while True:
            try:
                listed = await list_assistants(self.api, self.settings.namespaces)
            except ClusterFailure as failure:
                if failure.status == 404:
                    raise OperatorError("the API is not installed: apply crds/ first") from failure
                logger.warning("the first list fails, again in %.1f s: %s", pause, failure)
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)
            else:
                break
        for body in listed:
            self._remember(body)

    async def _resync(self) -> None:
        while True:
            await asyncio.sleep(self.settings.resync_seconds)
            before = tuple(self.store.assistants)
            listed = await prove_watch(
                self.api, self.settings.namespaces, self.deliveries, delay=WATCH_DELAY
            )
            if listed is not None:
                self._correct(before, listed)

    def _correct(self, before: Iterable[VirtualAssistant], listed: list[Manifest]) -> None:
        """Make the store equal to a list, and reconcile all that it holds.

        What the watch brought while the list was under way is not in ``before`` and stays.
        """
        there = {key_of(body): body for body in listed}
        for known in before:
            if known.key not in there:
                self.store.forget_assistant(known.key, known.uid)
            self.queue.add(known.key)
        for key, body in there.items():
            self._remember(body)
            self.queue.add(key)

    def _remember(self, body: Manifest) -> None:
        try:
            self.store.remember_assistant(body)
        except (KeyError, TypeError, ValueError) as error:
            logger.error("%s cannot be read: %r", key_of(body), error)  # noqa: TRY400 - no trace

    def _reflectors(self, namespace: str | None) -> Iterable[Reflector]:
        yield self._reflector(
            DEPLOYMENTS,
            namespace,
            replace=lambda ns, items: self._queue(
                self.store.deployments.replace(map(read_child, items), within=_within(ns))
            ),
            changed=lambda event, body: self._queue(
                self.store.deployments.see(read_child(body), deleted=event == "DELETED")
            ),
        )
        yield self._reflector(
            SERVICES,
            namespace,
            replace=lambda ns, items: self._queue(
                self.store.services.replace(map(read_child, items), within=_within(ns))
            ),
            changed=lambda event, body: self._queue(
                self.store.services.see(read_child(body), deleted=event == "DELETED")
            ),
        )
        yield self._reflector(PODS, namespace, replace=self._pods_listed, changed=self._pod_seen)
        yield Reflector(
            source=self.api,
            resource=CONFIG_MAPS,
            namespace=namespace,
            metadata_only=True,
            replace=self._config_maps_listed,
            changed=self._config_map_seen,
        )

    def _reflector(
        self,
        resource: Resource,
        namespace: str | None,
        *,
        replace: Callable[[str | None, Iterable[Manifest]], None],
        changed: Callable[[str, Manifest], None],
    ) -> Reflector:
        return Reflector(
            source=self.api,
            resource=resource,
            namespace=namespace,
            selector=CHILDREN_SELECTOR,
            replace=replace,
            changed=changed,
        )

    def _pods_listed(self, namespace: str | None, items: Iterable[Manifest]) -> None:
        pods = [read_pod(body) for body in items]
        there = {pod.uid for pod in pods}
        for known in self.store.pods:
            if _within(namespace)(known.key) and known.uid not in there:
                self.inquiry.leave(known)
        self._queue(self.store.pods.replace(pods, within=_within(namespace)))
        for pod in pods:
            self.inquiry.follow(pod)

    def _pod_seen(self, event: str, body: Manifest) -> None:
        pod = read_pod(body)
        touched = self.store.pods.see(pod, deleted=event == "DELETED")
        if event == "DELETED":
            self.inquiry.leave(pod)
        elif touched:
            self.inquiry.follow(pod)
        self._queue(touched)

    def _config_maps_listed(self, namespace: str | None, items: Iterable[Manifest]) -> None:
        facts = [(_is_ours(body), read_config_map(body)) for body in items]
        within = _within(namespace)
        self._queue(self.store.revisions.replace((f for ours, f in facts if ours), within=within))
        referred = (f for ours, f in facts if not ours and self.store.referrers(f.key))
        for source in self.store.sources.replace(referred, within=within):
            self._queue(self.store.referrers(source))

    def _config_map_seen(self, event: str, body: Manifest) -> None:
        facts, deleted = read_config_map(body), event == "DELETED"
        if _is_ours(body):
            self._queue(self.store.revisions.see(facts, deleted=deleted))
        elif referrers := self.store.referrers(facts.key):
            self.store.sources.see(facts, deleted=deleted)
            self._queue(referrers)

    def _queue(self, keys: Iterable[Key]) -> None:
        for key in keys:
            self.queue.add(key)


def _is_ours(body: Manifest) -> bool:
    labels = body["metadata"].get("labels") or {}
    return labels.get("app.kubernetes.io/managed-by") == MANAGED_BY


def _within(namespace: str | None) -> Callable[[Key], bool]:
    return lambda key: namespace is None or key.namespace == namespace
