"""Tells how an assistant is: its status, written only where it changed, and events."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from va_operator.api import Key, Manifest, VirtualAssistant
from va_operator.conditions import Condition, transitions
from va_operator.errors import ChildRefused, ClusterFailure, ContextError
from va_operator.events import build_event
from va_operator.judgement import judge
from va_operator.reports import Report
from va_operator.revision import Revision
from va_operator.situation import Situation
from va_operator.status import write_status
from va_operator.store import Store

logger = logging.getLogger(__name__)


class Telling(Protocol):
    """What telling needs of the API server."""

    async def apply_status(self, key: Key, uid: str, status: Manifest) -> Manifest:
        """Apply the status of the assistant with this UID."""
        ...

    async def create_event(self, namespace: str, event: Manifest) -> None:
        """Post an event."""


@dataclass(slots=True, kw_only=True)
class Reporter:
    """Tells of any assistant in the store."""

    store: Store
    cluster: Telling
    reports: Mapping[str, Report | None]
    """By pod UID: what the pods last said, None where one said nothing when it was asked."""
    clock: Callable[[], datetime]
    instance: str
    """Which process this is, for events."""

    async def report(
        self,
        assistant: VirtualAssistant,
        revision: Revision | ContextError,
        refusals: tuple[ChildRefused, ...],
    ) -> None:
        """Write the status where it changed, and tell what changed as events."""
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
