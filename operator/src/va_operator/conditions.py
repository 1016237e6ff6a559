"""Conditions: what is true of an assistant now, and why.

Pure: the clock is handed in. A condition keeps its ``lastTransitionTime`` while its
``status`` stays the same (Kubernetes API conventions).
"""

from collections.abc import Iterable, Mapping
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
DEGRADED: Final = "Degraded"
STALLED: Final = "Stalled"
EXPOSED: Final = "Exposed"
"""Never in the status: an event tells of it, and a note at another condition."""

_ABNORMAL: Final = frozenset({DEGRADED, STALLED, EXPOSED})
"""Conditions that are bad news where they are True."""
_QUIET: Final = frozenset(
    {
        reasons.ROLLING_OUT,
        reasons.STARTING,
        reasons.SUSPENDED,
        reasons.SCALED_TO_ZERO,
        reasons.FEWER_PODS_READY,
    }
)
"""What happens whenever people ask for something."""


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
        bad = self.condition.type in _ABNORMAL
        return self.condition.status is bad and self.condition.reason not in _QUIET


def write_conditions(
    conditions: Iterable[Condition], *, before: list[Manifest], generation: int, now: datetime
) -> list[Manifest]:
    """Return the conditions as the status holds them."""
    earlier = {item["type"]: item for item in _readable(before)}
    return [
        _write(condition, earlier.get(condition.type), generation, now) for condition in conditions
    ]


def transitions(
    conditions: Iterable[Condition], *, before: list[Manifest]
) -> tuple[Transition, ...]:
    """Return what changed, in status or reason, and is worth an event: one for each real change.

    `Ready` speaks first. `Available` and `Progressing` only repeat what it tells, so they make no
    events, and the others none where they give the same reason or only the good news again. A
    first condition makes one only if it is a warning, and so does a shortfall; the end of one is
    told where its beginning was.
    """
    earlier = {item["type"]: (item["status"], item["reason"]) for item in _readable(before)}
    now = {condition.type: condition for condition in conditions}
    told: list[Transition] = []
    for type_ in _TOLD:
        condition = now.get(type_)
        if condition is None or condition.status is None:
            continue
        was = earlier.get(type_)
        found = Transition(condition=condition)
        if was == (_STATUS[condition.status], condition.reason) or _repeats(condition, now):
            continue
        if not found.warning and (was is None or not _good_news(condition, was, told)):
            continue
        if all(other.condition.reason != condition.reason for other in told):
            told.append(found)
    return tuple(told)


_TOLD: Final = (READY, CONTEXT_RESOLVED, MODEL_REACHABLE, STALLED, DEGRADED)


def _repeats(condition: Condition, now: Mapping[str, Condition]) -> bool:
    """Tell whether `Ready` gives the same reason; that it is final, only `Stalled` says."""
    ready = now.get(READY)
    return (
        condition.type not in {READY, STALLED}
        and ready is not None
        and ready.reason == condition.reason
    )


def _good_news(condition: Condition, was: tuple[str, str], told: list[Transition]) -> bool:
    """Tell whether good news are worth an event of their own."""
    if condition.type == READY:
        return True
    if told or condition.type == STALLED:
        return False
    return condition.type != DEGRADED or (was[0] == "True" and was[1] not in _QUIET)


def _readable(before: Iterable[Manifest]) -> list[Manifest]:
    """Return the conditions that are whole: a status may be edited by hand."""
    wanted = ("type", "status", "reason", "lastTransitionTime")
    return [item for item in before if all(isinstance(item.get(field), str) for field in wanted)]


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
