"""Records events: one object for each kind of change, however often it comes back.

As client-go's event correlator does it: the same change again raises the count of the event that
told of it first, and an assistant that keeps changing is told of ever more rarely.
"""

import logging
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Protocol

from va_operator.api import Key, Manifest, VirtualAssistant
from va_operator.conditions import Transition
from va_operator.errors import ClusterFailure
from va_operator.events import build_event, repeat_event
from va_operator.troubles import namespace_goes

logger = logging.getLogger(__name__)

BURST: Final = 25
"""Events of one assistant that are written without a pause (client-go's default)."""
REFILL_SECONDS: Final = 300
"""After how long one more is allowed."""
REMEMBERED: Final = 64
"""Events of one assistant that can be counted up; pods choose some of the reasons."""


class Recording(Protocol):
    """What recording needs of the API server."""

    async def create_event(self, namespace: str, event: Manifest) -> Manifest:
        """Post an event; return it with the name that it got."""
        ...

    async def patch_event(self, key: Key, patch: Manifest) -> None:
        """Change an event by a merge patch."""


_Kind = tuple[str, bool | None, str]
"""Type, status and reason of a condition."""


@dataclass(slots=True)
class _Told:
    """What was told of one assistant."""

    uid: str
    allowed: float
    at: datetime
    """When ``allowed`` was counted."""
    events: dict[_Kind, tuple[str, int]] = field(default_factory=dict)
    """Name and count of what was written."""

    def admit(self, now: datetime) -> bool:
        refill = max((now - self.at).total_seconds(), 0) / REFILL_SECONDS
        self.allowed, self.at = min(self.allowed + refill, BURST), now
        if self.allowed < 1:
            return False
        self.allowed -= 1
        return True


@dataclass(slots=True, kw_only=True)
class Recorder:
    """Records the events of any assistant."""

    cluster: Recording
    instance: str
    """Which process this is."""
    _told: dict[Key, _Told] = field(default_factory=dict)

    async def record(
        self, assistant: VirtualAssistant, transition: Transition, *, now: datetime
    ) -> None:
        """Write that a condition changed; raises nothing, for the status says the same."""
        told = self._told.get(assistant.key)
        if told is None or told.uid != assistant.uid:
            told = self._told[assistant.key] = _Told(assistant.uid, BURST, now)
        if not told.admit(now):
            reason = transition.condition.reason
            logger.debug("%s: one event too many is not written: %s", assistant.key, reason)
            return
        try:
            await self._write(assistant, transition, told, now)
        except ClusterFailure as failure:
            level = logging.DEBUG if namespace_goes(failure) else logging.WARNING
            logger.log(level, "event for %s is lost: %s", assistant.key, failure)

    def forget(self, key: Key) -> None:
        """Forget an assistant that is gone."""
        self._told.pop(key, None)

    async def _write(
        self, assistant: VirtualAssistant, transition: Transition, told: _Told, now: datetime
    ) -> None:
        condition = transition.condition
        kind = (condition.type, condition.status, condition.reason)
        name, count = told.events.get(kind, ("", 0))
        if name:
            repeated = await self._repeat(
                Key(assistant.key.namespace, name), transition, count, now
            )
            del told.events[kind]
            if repeated:
                told.events[kind] = (name, count + 1)
                return
        event = build_event(assistant, transition, now=now, instance=self.instance)
        written = await self.cluster.create_event(assistant.key.namespace, event)
        told.events[kind] = (written["metadata"]["name"], 1)
        if len(told.events) > REMEMBERED:
            del told.events[next(iter(told.events))]

    async def _repeat(self, key: Key, transition: Transition, count: int, now: datetime) -> bool:
        """Count an event up; False where it has expired."""
        try:
            await self.cluster.patch_event(key, repeat_event(transition, count + 1, now=now))
        except ClusterFailure as failure:
            if failure.status == 404:
                return False
            raise
        return True
