"""Tells how an assistant is: its status, written only where it changed, and events."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from va_operator import reasons
from va_operator.api import Key, Manifest, VirtualAssistant
from va_operator.conditions import Condition, transitions
from va_operator.errors import ChildRefused, ClusterFailure, ContextError
from va_operator.exposure import newly_exposed
from va_operator.judgement import judge
from va_operator.recorder import Recorder, Recording
from va_operator.reports import Report
from va_operator.revision import Revision
from va_operator.situation import Situation
from va_operator.status import write_status
from va_operator.store import Store


class Telling(Recording, Protocol):
    """What telling needs of the API server."""

    async def apply_status(self, key: Key, uid: str, status: Manifest) -> Manifest:
        """Apply the status of the assistant with this UID."""
        ...


@dataclass(slots=True, kw_only=True)
class Reporter:
    """Tells of any assistant in the store."""

    store: Store
    cluster: Telling
    reports: Mapping[str, Report | None]
    """By pod UID: what the pods last said, None where one said nothing when it was asked."""
    clock: Callable[[], datetime]
    recorder: Recorder
    missed: Callable[[VirtualAssistant], None]
    """Told of an assistant that the API server does not know, although the store does."""

    async def report(
        self,
        assistant: VirtualAssistant,
        revision: Revision | ContextError,
        refusals: tuple[ChildRefused, ...],
        *,
        anyway: bool,
    ) -> None:
        """Write the status where it changed, and tell what changed as events.

        ``anyway``: also where it did not, which changes nothing but shows whether the assistant is
        still there.
        """
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
        rolls_out = conditions[0].reason == reasons.ROLLING_OUT and situation.desired_pods
        if rolls_out and situation.unobserved and not told:
            return  # Whether pods change or only their number, the Deployment says at once.
        status = write_status(situation, conditions, now=now)
        if status == _ours(assistant.status, conditions) and not anyway:
            return
        try:
            written = await self.cluster.apply_status(assistant.key, assistant.uid, status)
        except ClusterFailure as failure:
            if failure.status == 404:
                self.missed(assistant)
                return  # It is gone: mostly the watch brings the news.
            raise  # A 409 may mean a namesake, or that others wrote at the same moment.
        # An answer with a newer spec is news that only the watch may bring: it queues.
        if written["metadata"]["generation"] == assistant.generation:
            self.store.remember_written(written)
        before = assistant.status.get("conditions") or []
        exposed = newly_exposed(assistant, revision, before=before)
        for transition in (*transitions(conditions, before=before), *exposed):
            await self.recorder.record(assistant, transition, now=now)

    def forget(self, key: Key) -> None:
        """Forget an assistant that is gone."""
        self.recorder.forget(key)


def _ours(status: Manifest, conditions: Iterable[Condition]) -> Manifest:
    """Return a status without the conditions of others, which an apply leaves as they are."""
    if "conditions" not in status:
        return status
    types = {condition.type for condition in conditions}
    ours = [item for item in status["conditions"] or () if item.get("type") in types]
    return {**status, "conditions": ours}
