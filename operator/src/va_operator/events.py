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
    moment = now.strftime("%Y-%m-%dT%H:%M:%SZ")
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
        "message": shorten(f"{condition.type}: {condition.message}"),
        "source": {"component": FIELD_MANAGER},
        "reportingComponent": FIELD_MANAGER,
        "reportingInstance": instance,
        "firstTimestamp": moment,
        "lastTimestamp": moment,
        "count": 1,
    }
