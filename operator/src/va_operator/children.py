"""Writes an assistant's children: what differs from what should be, and nothing else.

A name that belongs to somebody else is never taken over.
"""

import asyncio
import logging
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from va_operator import reasons
from va_operator.api import Key, Manifest, VirtualAssistant, key_of
from va_operator.context import ResolvedFile
from va_operator.desired import (
    BESIDE_PODS,
    desired_deployment,
    holds,
    only_upgrades,
    outdated_revisions,
    with_pods_kept,
)
from va_operator.destinations import refused_destination
from va_operator.errors import ChildRefused, ClusterFailure, ContextError
from va_operator.kinds import CHILDREN, CONFIG_MAPS, SERVICES, Resource
from va_operator.observed import Child, ConfigMapFacts, read_child
from va_operator.owned import same
from va_operator.ownership import check_owner, may_delete
from va_operator.resources.config_map import build_config_map
from va_operator.resources.pod_template import Images
from va_operator.resources.service import ports_as_sent
from va_operator.revision import Revision
from va_operator.store import Shelf, Store
from va_operator.troubles import refusal
from va_operator.upgrades import Upgrades

logger = logging.getLogger(__name__)

Found = TypeVar("Found", Child, ConfigMapFacts)
Faults = dict[str, ChildRefused | ClusterFailure]
"""By kind of child, what went wrong, in the order in which people care. A revision's goes with
the Deployment, whose pods mount it."""


class ChildWriting(Protocol):
    """What writing children needs of the API server."""

    async def get(self, resource: Resource, key: Key) -> Manifest | None:
        """Return an object, None where there is none."""

    async def create(self, manifest: Manifest) -> Manifest:
        """Apply an object server-side where there is none of its name; return it."""
        ...

    async def apply(self, manifest: Manifest, *, over: str | None = None) -> Manifest:
        """Apply an object server-side, by force over the one with this UID; return it."""
        ...

    async def merge(self, resource: Resource, key: Key, uid: str, patch: Manifest) -> None:
        """Change the object with this UID, and no namesake, by a merge patch."""

    async def delete(self, resource: Resource, key: Key, uid: str) -> None:
        """Delete the object with this UID, and no namesake."""


@dataclass(slots=True, kw_only=True)
class Children:
    """Writes the children of any assistant in the store."""

    store: Store
    cluster: ChildWriting
    images: Images
    upgrades: Upgrades
    model_hosts: tuple[str, ...] = ()
    """Hosts that models may have; none for all."""
    _equal: dict[tuple[str, Key], tuple[str, Manifest]] = field(default_factory=dict)
    """Children for which an apply changed nothing although they look different: the version and
    what was applied. They are equal until one of the two changes."""

    async def write(
        self,
        assistant: VirtualAssistant,
        revision: Revision | ContextError,
        files: tuple[ResolvedFile, ...],
    ) -> Faults:
        """Write what differs, and delete what nobody needs any more; return what went wrong."""
        results = await asyncio.gather(
            self._write_pods(assistant, revision, files),
            *(
                self._write_or_delete(assistant, kind, build(assistant))
                for kind, build in BESIDE_PODS.items()
            ),
            return_exceptions=True,
        )
        faults: Faults = {}
        for kind, result in zip(("Deployment", *BESIDE_PODS), results, strict=True):
            if isinstance(result, ChildRefused | ClusterFailure):
                faults[kind] = result
            elif result is not None:
                raise result
        if isinstance(revision, Revision) and not faults:
            try:
                await self._delete_outdated(assistant, revision)
            except (ChildRefused, ClusterFailure) as fault:
                faults["ConfigMap"] = fault
        return faults

    async def _delete_outdated(self, assistant: VirtualAssistant, revision: Revision) -> None:
        existing = self.store.revisions.of(assistant.key)
        pods = self.store.pods.of(assistant.key)
        for found in outdated_revisions(assistant, revision, existing, pods):
            await self._delete(CONFIG_MAPS, found, self.store.revisions)

    def forget(self, key: Key) -> None:
        """Forget an assistant that is gone."""
        for kind in CHILDREN:
            self._equal.pop((kind, key), None)
        self.upgrades.settle(key)

    async def _write_pods(
        self,
        assistant: VirtualAssistant,
        revision: Revision | ContextError,
        files: tuple[ResolvedFile, ...],
    ) -> None:
        """Write the revision, and only then the Deployment whose pods mount it."""
        refused = refused_destination(assistant, self.model_hosts)
        if refused and assistant.pods_wanted:  # to want none is always right
            raise ChildRefused(reasons.MODEL_HOST_NOT_ALLOWED, refused, kind="Deployment")
        found = revision if isinstance(revision, Revision) else None
        existing = self.store.revisions.of(assistant.key)
        # Without its texts there is nothing to write: it was deleted a moment ago, and the
        # news of that has queued the assistant again.
        if found and files and not holds(assistant, found, existing):
            await self._write_revision(assistant, build_config_map(assistant, found, files))
        seen = self.store.deployments.get(assistant.key)
        wanted = desired_deployment(assistant, found, self.images, seen)
        if wanted is None:
            return
        if seen is None or not only_upgrades(wanted, seen):
            self.upgrades.settle(assistant.key)
        elif not self.upgrades.admit(assistant.key):
            wanted = with_pods_kept(wanted, seen)
        try:
            await self._write(assistant, wanted)
        except (ChildRefused, ClusterFailure):
            self.upgrades.release(assistant.key)
            raise

    async def _write_revision(self, assistant: VirtualAssistant, wanted: Manifest) -> None:
        """Write a revision's ConfigMap, also over the labels that somebody gave to ours."""
        there = await self._write_first(wanted)
        if there is not None:
            check_owner(assistant, "ConfigMap", there)
            await self._sent(wanted, self.cluster.apply(wanted, over=there.uid))

    async def _write_or_delete(
        self, assistant: VirtualAssistant, kind: str, wanted: Manifest | None
    ) -> None:
        if wanted is not None:
            await self._write(assistant, wanted)
            return
        shelf = self.store.children[kind]
        seen = shelf.get(assistant.key)
        if seen is not None and may_delete(assistant, seen):
            await self._delete(CHILDREN[kind], seen, shelf)

    async def _write(self, assistant: VirtualAssistant, wanted: Manifest) -> None:
        kind = wanted["kind"]
        seen = self.store.children[kind].get(assistant.key) or await self._write_first(wanted)
        if seen is None:
            return
        check_owner(assistant, kind, seen)
        version = seen.resource_version
        if same(wanted, seen.owned) or self._equal.get((kind, assistant.key)) == (version, wanted):
            return
        try:
            written = await self._sent(wanted, self.cluster.apply(wanted, over=seen.uid))
        except ChildRefused as refused:
            if kind != "Service" or "Duplicate value" not in str(refused):
                raise
            await self._reset_ports(wanted, seen)
            written = await self._sent(wanted, self.cluster.apply(wanted, over=seen.uid))
        if written["metadata"]["resourceVersion"] == version:
            self._equal[kind, assistant.key] = (version, wanted)

    async def _reset_ports(self, wanted: Manifest, seen: Child) -> None:
        patch = ports_as_sent(wanted, seen.node_port)
        with _read_refusals("Service", seen.key.name):
            await self.cluster.merge(SERVICES, seen.key, seen.uid, patch)
        logger.info("reset the ports of Service %s", seen.key)

    async def _write_first(self, wanted: Manifest) -> Child | None:
        """Write what we have not seen, unless its name is taken; return what has it then.

        That may be somebody else's, or ours without the labels that we watch, or ours of a
        moment ago, before the news of it.
        """
        try:
            await self._sent(wanted, self.cluster.create(wanted))
        except ChildRefused as refused:
            if refused.reason != reasons.NAME_CONFLICT:
                raise
        except ClusterFailure as failure:
            if failure.status != 409:
                raise
        else:
            return None
        key = key_of(wanted)
        with _read_refusals(wanted["kind"], key.name):
            body = await self.cluster.get(CHILDREN[wanted["kind"]], key)
        if body is not None:
            return read_child(body)
        await self._sent(wanted, self.cluster.apply(wanted))
        return None

    async def _delete(self, resource: Resource, found: Found, shelf: Shelf[Found]) -> None:
        with _read_refusals(resource.kind, found.key.name):
            await self.cluster.delete(resource, found.key, found.uid)
        shelf.forget(found.key, found.uid)
        logger.info("deleted %s %s", resource.kind, found.key)

    async def _sent(self, manifest: Manifest, sending: Awaitable[Manifest]) -> Manifest:
        """Wait for the answer to a write and remember it; raise ChildRefused for a refusal."""
        kind, name = manifest["kind"], manifest["metadata"]["name"]
        with _read_refusals(kind, name):
            written = await sending
        logger.debug("applied %s %s/%s", kind, manifest["metadata"]["namespace"], name)
        self.store.remember_written(written)
        return written


@contextmanager
def _read_refusals(kind: str, name: str) -> Iterator[None]:
    """Raise ChildRefused where the API server refuses what is asked of it for a child."""
    try:
        yield
    except ClusterFailure as failure:
        refused = refusal(kind, name, failure)
        if refused is None:
            raise
        raise refused from failure
