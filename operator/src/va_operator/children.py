"""Writes an assistant's children: what differs from what should be, and nothing else.

A name that belongs to somebody else is never taken over.
"""

import asyncio
import logging
from dataclasses import dataclass, field
from typing import Protocol

from va_operator import reasons
from va_operator.api import Key, Manifest, VirtualAssistant, key_of
from va_operator.cluster import CHILDREN, CONFIG_MAPS, Resource
from va_operator.context import ResolvedFile
from va_operator.desired import desired_deployment, holds, must_write, outdated_revisions
from va_operator.errors import ChildRefused, ClusterFailure, ContextError
from va_operator.observed import Child, read_child, read_config_map
from va_operator.ownership import check_owner
from va_operator.resources.config_map import build_config_map
from va_operator.resources.deployment import Images
from va_operator.resources.service import build_service
from va_operator.revision import Revision
from va_operator.store import Shelf, Store
from va_operator.troubles import refusal

logger = logging.getLogger(__name__)


class ChildWriting(Protocol):
    """What writing children needs of the API server."""

    async def get(self, resource: Resource, key: Key) -> Manifest | None:
        """Return an object, None where there is none."""

    async def apply(self, manifest: Manifest, *, force: bool) -> Manifest:
        """Apply an object server-side; return it as it is now."""
        ...

    async def delete_config_map(self, key: Key) -> None:
        """Delete a ConfigMap."""


@dataclass(slots=True, kw_only=True)
class Children:
    """Writes the children of any assistant in the store."""

    store: Store
    cluster: ChildWriting
    images: Images
    _equal: dict[tuple[str, Key], tuple[str, Manifest]] = field(default_factory=dict)
    """Children for which an apply changed nothing although they look different: the version and
    what was applied. They are equal until one of the two changes."""

    async def write(
        self,
        assistant: VirtualAssistant,
        revision: Revision | ContextError,
        files: tuple[ResolvedFile, ...],
    ) -> list[ChildRefused | ClusterFailure]:
        """Write what differs; return what went wrong, in the order in which people care."""
        results = await asyncio.gather(
            self._write_pods(assistant, revision, files),
            self._write(assistant, build_service(assistant), self.store.services),
            return_exceptions=True,
        )
        faults: list[ChildRefused | ClusterFailure] = []
        for result in results:
            if isinstance(result, ChildRefused | ClusterFailure):
                faults.append(result)
            elif result is not None:
                raise result
        return faults

    async def delete_outdated(self, assistant: VirtualAssistant, revision: Revision) -> None:
        """Delete the revisions that nobody needs any more."""
        existing = self.store.revisions.of(assistant.key)
        pods = self.store.pods.of(assistant.key)
        for name in outdated_revisions(assistant, revision, existing, pods):
            await self.cluster.delete_config_map(Key(assistant.key.namespace, name))
            logger.info("deleted outdated revision %s/%s", assistant.key.namespace, name)

    def forget(self, key: Key) -> None:
        """Forget an assistant that is gone."""
        for kind in CHILDREN:
            self._equal.pop((kind, key), None)

    async def _write_pods(
        self,
        assistant: VirtualAssistant,
        revision: Revision | ContextError,
        files: tuple[ResolvedFile, ...],
    ) -> None:
        """Write the revision, and only then the Deployment whose pods mount it."""
        found = revision if isinstance(revision, Revision) else None
        existing = self.store.revisions.of(assistant.key)
        # Without its texts there is nothing to write: it was deleted a moment ago, and the
        # news of that has queued the assistant again.
        if found and files and not holds(assistant, found, existing):
            await self._write_revision(assistant, build_config_map(assistant, found, files))
        seen = self.store.deployments.get(assistant.key)
        wanted = desired_deployment(assistant, found, self.images, seen)
        if wanted is not None:
            await self._write(assistant, wanted, self.store.deployments)

    async def _write_revision(self, assistant: VirtualAssistant, wanted: Manifest) -> None:
        """Write a revision's ConfigMap, also over the labels that somebody gave to ours."""
        try:
            await self._apply(wanted, force=False)
        except ChildRefused as refused:
            if refused.reason != reasons.NAME_CONFLICT:
                raise
            body = await self.cluster.get(CONFIG_MAPS, key_of(wanted))
            if body is None or read_config_map(body).owner_uid != assistant.uid:
                raise
            await self._apply(wanted, force=True)

    async def _write(
        self, assistant: VirtualAssistant, wanted: Manifest, shelf: Shelf[Child]
    ) -> None:
        kind = wanted["kind"]
        seen = shelf.get(assistant.key)
        if seen is None:
            # It may exist without the labels that we watch, and then it is somebody else's.
            body = await self.cluster.get(CHILDREN[kind], assistant.key)
            seen = read_child(body) if body else None
        if seen is not None:
            check_owner(assistant, kind, seen)
        if not must_write(wanted, seen):
            return
        version = seen.resource_version if seen else ""
        if self._equal.get((kind, assistant.key)) == (version, wanted):
            return
        written = await self._apply(wanted, force=seen is not None)
        if written["metadata"]["resourceVersion"] == version:
            self._equal[kind, assistant.key] = (version, wanted)

    async def _apply(self, manifest: Manifest, *, force: bool) -> Manifest:
        kind, name = manifest["kind"], manifest["metadata"]["name"]
        try:
            written = await self.cluster.apply(manifest, force=force)
        except ClusterFailure as failure:
            refused = refusal(kind, name, failure)
            if refused is None:
                raise
            raise refused from failure
        logger.info("applied %s %s/%s", kind, manifest["metadata"]["namespace"], name)
        self.store.remember_written(written)
        return written
