"""Brings one assistant's children and status to what its spec asks for.

Level-triggered: `reconcile` gets a key and nothing about what happened. It looks at what was last
seen, decides with pure functions and writes only what differs, so it may be
cut off anywhere and called again.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Protocol

from va_operator import reasons
from va_operator.api import Key, Manifest, VirtualAssistant, key_of
from va_operator.cluster import CHILDREN, CONFIG_MAPS, Resource
from va_operator.conditions import Condition, transitions
from va_operator.context import ResolvedFile, resolve
from va_operator.desired import (
    desired_deployment,
    holds,
    must_write,
    outdated_revisions,
)
from va_operator.errors import ChildRefused, ClusterFailure, ContextError
from va_operator.events import build_event
from va_operator.judgement import judge
from va_operator.observed import Child, ConfigMapFacts, read_child, read_config_map
from va_operator.ownership import check_owner
from va_operator.reports import Report
from va_operator.resources.config_map import build_config_map
from va_operator.resources.deployment import Images
from va_operator.resources.service import build_service
from va_operator.revision import Revision, build_revision
from va_operator.situation import Situation
from va_operator.status import write_status
from va_operator.store import Shelf, Store
from va_operator.troubles import refusal, shorten

logger = logging.getLogger(__name__)


class Cluster(Protocol):
    """What reconciling needs of the API server, and no more."""

    async def get(self, resource: Resource, key: Key) -> Manifest | None:
        """Return an object, None where there is none."""

    async def apply(self, manifest: Manifest, *, force: bool) -> Manifest:
        """Apply an object server-side; return it as it is now."""
        ...

    async def apply_status(self, key: Key, uid: str, status: Manifest) -> Manifest:
        """Apply the status of the assistant with this UID."""
        ...

    async def delete_config_map(self, key: Key) -> None:
        """Delete a ConfigMap."""

    async def create_event(self, namespace: str, event: Manifest) -> None:
        """Post an event."""


class _Resolved(NamedTuple):
    """A revision, and by what it was found: it holds as long as those stay."""

    fingerprint: tuple[object, ...]
    revision: Revision | ContextError


@dataclass(slots=True, kw_only=True)
class Reconciler:
    """Reconciles any assistant in the store."""

    store: Store
    cluster: Cluster
    images: Images
    reports: Mapping[str, Report | None]
    """By pod UID: what the pods last said, None where one said nothing when it was asked."""
    clock: Callable[[], datetime]
    instance: str
    """Which process this is, for events."""
    _resolved: dict[Key, _Resolved] = field(default_factory=dict)
    _failing: set[Key] = field(default_factory=set)
    """Assistants whose last try met a fault."""
    _equal: dict[tuple[str, Key], tuple[str, Manifest]] = field(default_factory=dict)
    """Children for which an apply changed nothing although they look different: the version and
    what was applied. They are equal until one of the two changes."""

    async def reconcile(self, key: Key) -> None:
        """Reconcile one assistant.

        Raises what kept a child from being written, ChildRefused or
        ClusterFailure, after the status was; it wants another try.
        """
        assistant = self.store.assistants.get(key)
        if assistant is None or assistant.being_deleted:
            self._resolved.pop(key, None)
            self._failing.discard(key)
            for kind in CHILDREN:
                self._equal.pop((kind, key), None)
            return
        faults: list[ChildRefused | ClusterFailure] = []
        revision: Revision | ContextError
        try:
            revision, files = await self._revision(assistant)
        except ClusterFailure as failure:
            if failure.status != 403:
                raise
            revision, files = ContextError(reasons.NOT_ALLOWED, failure.message), ()
            faults.append(failure)
        faults += await self._write_children(assistant, revision, files)
        await self._write_status(assistant, revision, self._refusals(key, faults))
        if faults:
            raise faults[0]
        if isinstance(revision, Revision):
            await self._delete_outdated(assistant, revision)

    def _refusals(
        self, key: Key, faults: list[ChildRefused | ClusterFailure]
    ) -> tuple[ChildRefused, ...]:
        """Return what the status tells of the faults: refusals at once, failures when they last.

        A single failure is cured by the next try in half a second, and not worth an event.
        """
        lasting = key in self._failing
        if faults:
            self._failing.add(key)
        else:
            self._failing.discard(key)
        told = [
            ChildRefused(reasons.WRITE_FAILED, shorten(str(fault)))
            if isinstance(fault, ClusterFailure)
            else fault
            for fault in faults
            if lasting or isinstance(fault, ChildRefused)
        ]
        return tuple(sorted(told, key=lambda refused: refused.reason == reasons.WRITE_FAILED))

    async def _revision(
        self, assistant: VirtualAssistant
    ) -> tuple[Revision | ContextError, tuple[ResolvedFile, ...]]:
        """Return the desired revision, with its texts only where they must be written."""
        known = self._resolved.get(assistant.key)
        seen = self.store.sources_of(assistant)
        if known is not None and known.fingerprint == _fingerprint(assistant, seen):
            revision = known.revision
            if isinstance(revision, ContextError) or holds(
                assistant, revision, self.store.revisions.of(assistant.key)
            ):
                return revision, ()
        sources = {
            name: await self._read_source(assistant, name) for name in sorted(assistant.config_maps)
        }
        try:
            files = resolve(assistant, sources)
            result: Revision | ContextError = build_revision(assistant, files)
        except ContextError as error:
            result, files = error, ()
        # Of what was read, not of what is in the store: it may have gone on meanwhile.
        read = {name: read_config_map(body) if body else None for name, body in sources.items()}
        self._resolved[assistant.key] = _Resolved(_fingerprint(assistant, read), result)
        return result, files

    async def _read_source(self, assistant: VirtualAssistant, name: str) -> Manifest | None:
        key = Key(assistant.key.namespace, name)
        known = self.store.sources.get(key)
        body = await self.cluster.get(CONFIG_MAPS, key)
        if body is not None:
            self.store.sources.remember(read_config_map(body))
        elif known is not None and self.store.sources.get(key) is known:
            self.store.sources.forget(known)
        return body

    async def _write_children(
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

    async def _write_status(
        self,
        assistant: VirtualAssistant,
        revision: Revision | ContextError,
        refusals: tuple[ChildRefused, ...],
    ) -> None:
        now = self.clock()
        situation = Situation(
            assistant=assistant,
            revision=revision,
            refusals=refusals,
            deployment=self.store.deployments.get(assistant.key),
            service=self.store.services.get(assistant.key),
            pods=self.store.pods.of(assistant.key),
            reports=self.reports,
        )
        told = assistant.status.get("observedGeneration") == assistant.generation
        if situation.unasked_pods and told and not refusals:
            return  # Their answers, or their silence, come at once: nothing is said before.
        conditions = judge(situation)
        status = write_status(situation, conditions, now=now)
        if status == assistant.status:
            return
        try:
            written = await self.cluster.apply_status(assistant.key, assistant.uid, status)
        except ClusterFailure as failure:
            if failure.status in {404, 409}:
                return  # It is gone, or a namesake came: the watch brings the news.
            raise
        self.store.remember_written(written)
        await self._tell(assistant, conditions, now)

    async def _tell(
        self, assistant: VirtualAssistant, conditions: tuple[Condition, ...], now: datetime
    ) -> None:
        before = assistant.status.get("conditions") or []
        for transition in transitions(conditions, before=before):
            event = build_event(assistant, transition, now=now, instance=self.instance)
            try:
                await self.cluster.create_event(assistant.key.namespace, event)
            except ClusterFailure as failure:
                # The status says the same; an event is not worth another reconcile.
                logger.warning("event for %s is lost: %s", assistant.key, failure)

    async def _delete_outdated(self, assistant: VirtualAssistant, revision: Revision) -> None:
        existing = self.store.revisions.of(assistant.key)
        pods = self.store.pods.of(assistant.key)
        for name in outdated_revisions(assistant, revision, existing, pods):
            await self.cluster.delete_config_map(Key(assistant.key.namespace, name))
            logger.info("deleted outdated revision %s/%s", assistant.key.namespace, name)


def _fingerprint(
    assistant: VirtualAssistant, sources: Mapping[str, ConfigMapFacts | None]
) -> tuple[object, ...]:
    """Return what a revision depends on: the spec and the versions of the ConfigMaps."""
    versions = tuple((name, s and (s.uid, s.resource_version)) for name, s in sources.items())
    return (assistant.uid, assistant.generation, versions)
