"""Conditions: what is true of an assistant now, and why.

Pure: the clock is handed in. A condition keeps its ``lastTransitionTime`` while its
``status`` stays the same (Kubernetes API conventions).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from va_operator import reasons
from va_operator.api import Manifest
from va_operator.troubles import shorten

READY: Final = "Ready"
AVAILABLE: Final = "Available"
PROGRESSING: Final = "Progressing"
CONTEXT_RESOLVED: Final = "ContextResolved"
MODEL_REACHABLE: Final = "ModelReachable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One fact. ``status`` is None where it is not known."""

    type: str
    status: bool | None
    reason: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """A condition that changed, to be told as an event."""

    condition: Condition

    @property
    def warning(self) -> bool:
        """Whether people should look at it."""
        quiet = {
            reasons.ROLLING_OUT,
            reasons.STARTING,
            reasons.SUSPENDED,
            reasons.SCALED_TO_ZERO,
        }
        return self.condition.status is False and self.condition.reason not in quiet


def write_conditions(
    conditions: Iterable[Condition], *, before: list[Manifest], generation: int, now: datetime
) -> list[Manifest]:
    """Return the conditions as the status holds them."""
    earlier = {item["type"]: item for item in before}
    return [
        _write(condition, earlier.get(condition.type), generation, now) for condition in conditions
    ]


def transitions(
    conditions: Iterable[Condition], *, before: list[Manifest]
) -> tuple[Transition, ...]:
    """Return what changed, in status or reason, among the conditions that people follow.

    `Available` and `Progressing` only repeat what `Ready` tells, so they make no events;
    a first condition makes one only if it is a warning.
    """
    earlier = {item["type"]: (item["status"], item["reason"]) for item in before}
    changed = (
        Transition(condition=condition)
        for condition in conditions
        if condition.type in {READY, CONTEXT_RESOLVED, MODEL_REACHABLE}
        and condition.status is not None
        and earlier.get(condition.type) != (_STATUS[condition.status], condition.reason)
    )
    return tuple(found for found in changed if found.condition.type in earlier or found.warning)


_STATUS: Final = {True: "True", False: "False", None: "Unknown"}


def _write(
    condition: Condition, before: Manifest | None, generation: int, now: datetime
) -> Manifest:
    status = _STATUS[condition.status]
    unchanged = before is not None and before["status"] == status
    return {
        "type": condition.type,
        "status": status,
        "reason": condition.reason,
        "message": shorten(condition.message),
        "observedGeneration": generation,
        "lastTransitionTime": before["lastTransitionTime"]
        if before is not None and unchanged
        else now.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
