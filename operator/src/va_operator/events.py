"""Events: what changed, told once, for `kubectl describe` and `kubectl get events`. Pure."""

from datetime import datetime

from va_operator.api import API_VERSION, KIND, Manifest, VirtualAssistant
from va_operator.conditions import Transition
from va_operator.owned import FIELD_MANAGER
from va_operator.troubles import shorten


def build_event(
    assistant: VirtualAssistant, transition: Transition, *, now: datetime, instance: str
) -> Manifest:
    """Return the event that tells of a changed condition."""
    moment = _moment(now)
    condition = transition.condition
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {
            "generateName": f"{assistant.key.name}.",
            "namespace": assistant.key.namespace,
        },
        "involvedObject": {
            "apiVersion": API_VERSION,
            "kind": KIND,
            "name": assistant.key.name,
            "namespace": assistant.key.namespace,
            "uid": assistant.uid,
            "resourceVersion": assistant.resource_version,
        },
        "type": "Warning" if transition.warning else "Normal",
        "reason": condition.reason,
        "message": _message(transition),
        "source": {"component": FIELD_MANAGER},
        "reportingComponent": FIELD_MANAGER,
        "reportingInstance": instance,
        "firstTimestamp": moment,
        "lastTimestamp": moment,
        "count": 1,
    }


def repeat_event(transition: Transition, count: int, *, now: datetime) -> Manifest:
    """Return the merge patch that counts an event up to ``count``."""
    return {"count": count, "lastTimestamp": _moment(now), "message": _message(transition)}


def _message(transition: Transition) -> str:
    return shorten(f"{transition.condition.type}: {transition.condition.message}")


def _moment(now: datetime) -> str:
    return now.strftime("%Y-%m-%dT%H:%M:%SZ")
