"""What the watches tell of what belongs to assistants, and whom it concerns.

Children, pods and ConfigMaps go into the store; whoever they belong to is queued.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from va_operator.api import Key, Manifest
from va_operator.cluster import ApiServer
from va_operator.inquiry import Inquiry
from va_operator.kinds import CHILDREN, CONFIG_MAPS, PODS, Resource
from va_operator.observed import Child, ConfigMapFacts, Pod, read_child, read_config_map, read_pod
from va_operator.reflector import Reflector
from va_operator.resources.metadata import CHILDREN_SELECTOR, MANAGED_BY
from va_operator.store import Shelf, Store


class Queueing(Protocol):
    """Lets assistants be reconciled, at once or behind those that are."""

    def __call__(self, keys: Iterable[Key], *, behind: bool = False) -> None:
        """Queue them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Following:
    """What is followed beside the assistants themselves."""

    api: ApiServer
    store: Store
    inquiry: Inquiry
    queue: Queueing
    leads: Callable[[], bool]
    """Tells whether we act: a standby asks no pods."""

    def reflectors(self, namespace: str | None) -> Iterator[Reflector]:
        """Return what follows one namespace, or all of them."""
        for kind, shelf in self.store.children.items():
            yield self._follow_children(CHILDREN[kind], shelf, namespace)
        yield self._reflector(
            PODS, namespace, read=read_pod, replace=self._pods_listed, changed=self._pod_seen
        )
        yield Reflector(
            source=self.api,
            resource=CONFIG_MAPS,
            namespace=namespace,
            metadata_only=True,
            read=lambda body: (_is_ours(body), read_config_map(body)),
            replace=self._config_maps_listed,
            changed=self._config_map_seen,
        )

    def _follow_children(
        self, resource: Resource, shelf: Shelf[Child], namespace: str | None
    ) -> Reflector:
        return self._reflector(
            resource,
            namespace,
            read=read_child,
            replace=lambda ns, children, version: self.queue(
                shelf.replace(children, version=version, within=within(ns))
            ),
            changed=lambda event, body: self._child_seen(shelf, event, body),
        )

    def _child_seen(self, shelf: Shelf[Child], event: str, body: Manifest) -> None:
        deleted = event == "DELETED"
        # Most of what a watch brings is the echo of our own writes, and reading costs.
        if deleted or not shelf.knows(body):
            self.queue(shelf.see(read_child(body), deleted=deleted))

    def _reflector(
        self,
        resource: Resource,
        namespace: str | None,
        *,
        read: Callable[[Manifest], Any],
        replace: Callable[[str | None, list[Any], str], None],
        changed: Callable[[str, Manifest], None],
    ) -> Reflector:
        return Reflector(
            source=self.api,
            resource=resource,
            namespace=namespace,
            selector=CHILDREN_SELECTOR,
            read=read,
            replace=replace,
            changed=changed,
        )

    def _pods_listed(self, namespace: str | None, pods: list[Pod], version: str) -> None:
        there = {pod.uid for pod in pods}
        for known in self.store.pods:
            if within(namespace)(known.key) and known.uid not in there:
                self.inquiry.leave(known)
        self.queue(self.store.pods.replace(pods, version=version, within=within(namespace)))
        if self.leads():
            for pod in pods:
                self.inquiry.follow(pod)

    def _pod_seen(self, event: str, body: Manifest) -> None:
        pod = read_pod(body)
        touched = self.store.pods.see(pod, deleted=event == "DELETED")
        if event == "DELETED":
            self.inquiry.leave(pod)
        elif touched and self.leads():
            self.inquiry.follow(pod)
        self.queue(touched)

    def _config_maps_listed(
        self, namespace: str | None, facts: list[tuple[bool, ConfigMapFacts]], version: str
    ) -> None:
        here = within(namespace)
        revisions = (f for ours, f in facts if ours)
        self.queue(self.store.revisions.replace(revisions, version=version, within=here))
        referred = (f for _, f in facts if self.store.referrers(f.key))
        for source in self.store.sources.replace(referred, version=version, within=here):
            self.queue(self.store.referrers(source), behind=True)

    def _config_map_seen(self, event: str, body: Manifest) -> None:
        facts, deleted = read_config_map(body), event == "DELETED"
        ours = _is_ours(body)
        if ours or self.store.revisions.get(facts.key):  # Without its label it is lost to us.
            self.queue(self.store.revisions.see(facts, deleted=deleted or not ours))
        if referrers := self.store.referrers(facts.key):
            self.store.sources.see(facts, deleted=deleted)
            self.queue(referrers, behind=True)


def _is_ours(body: Manifest) -> bool:
    labels = body["metadata"].get("labels") or {}
    return labels.get("app.kubernetes.io/managed-by") == MANAGED_BY


def within(namespace: str | None) -> Callable[[Key], bool]:
    """Return what tells whether something is in a namespace; None stands for all of them."""
    return lambda key: namespace is None or key.namespace == namespace
