"""Pods and warnings, as far as they may be seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from va_cli.assistants import parse_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from va_cli.assistants import Manifest

REVISION_LABEL = "virtualassistant.dev/revision"
WARNINGS_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Pod:
    """One pod of an assistant."""

    name: str
    ready: str
    """Such as '1/2'."""

    status: str
    """As kubectl says it: the phase, or why a container waits."""

    restarts: int
    revision: str | None
    node: str | None
    created: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WarningEvent:
    """An event that warns."""

    about: str
    reason: str
    message: str
    last_seen: datetime | None
    count: int


def parse_pod(pod: Manifest) -> Pod:
    """Read one pod."""
    metadata, status = pod["metadata"], pod.get("status") or {}
    containers = _containers(pod)
    return Pod(
        name=metadata["name"],
        ready=f"{sum(bool(c.get('ready')) for c in containers)}/{len(containers)}",
        status=_status_of(pod),
        restarts=sum(c.get("restartCount", 0) for c in containers),
        revision=(metadata.get("labels") or {}).get(REVISION_LABEL),
        node=(pod.get("spec") or {}).get("nodeName") or status.get("nominatedNodeName"),
        created=parse_time(metadata.get("creationTimestamp")),
    )


def parse_warnings(events: Iterable[Manifest], *, about: Iterable[str]) -> Sequence[WarningEvent]:
    """Return the last warnings about the objects of those names, the newest last."""
    names = set(about)
    found = [
        WarningEvent(
            about=f"{event['involvedObject']['kind']}/{event['involvedObject']['name']}",
            reason=event.get("reason") or "",
            message=event.get("message") or "",
            last_seen=_last_seen(event),
            count=(event.get("series") or {}).get("count") or event.get("count") or 1,
        )
        for event in events
        if event["involvedObject"].get("name") in names
    ]
    found.sort(key=lambda w: (w.last_seen is not None, w.last_seen and w.last_seen.timestamp()))
    return tuple(found[-WARNINGS_SHOWN:])


def _containers(pod: Manifest) -> list[Manifest]:
    """Return the states of what runs beside each other, a model's sidecar too."""
    status, spec = pod.get("status") or {}, pod.get("spec") or {}
    sidecars = {
        c["name"] for c in spec.get("initContainers") or () if c.get("restartPolicy") == "Always"
    }
    return [
        *(c for c in status.get("initContainerStatuses") or () if c["name"] in sidecars),
        *(status.get("containerStatuses") or ()),
    ]


def _status_of(pod: Manifest) -> str:
    if pod["metadata"].get("deletionTimestamp"):
        return "Terminating"
    status = pod.get("status") or {}
    for container in _containers(pod):
        state = container.get("state") or {}
        for kind in ("waiting", "terminated"):
            reason = (state.get(kind) or {}).get("reason")
            if reason and reason not in {"PodInitializing", "ContainerCreating"}:
                return str(reason)
    for condition in status.get("conditions") or ():
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
            return str(condition.get("reason") or "Unscheduled")
    return str(status.get("reason") or status.get("phase") or "Unknown")


def _last_seen(event: Manifest) -> datetime | None:
    series = event.get("series") or {}
    return parse_time(
        series.get("lastObservedTime")
        or event.get("lastTimestamp")
        or event.get("eventTime")
        or event["metadata"].get("creationTimestamp")
    )
