"""Exposure: whether strangers may ask at somebody's cost, and how that is told. Pure."""

from dataclasses import replace
from typing import Final

from va_operator import reasons
from va_operator.api import Manifest, VirtualAssistant
from va_operator.conditions import AVAILABLE, EXPOSED, Condition, Transition
from va_operator.troubles import MESSAGE_LENGTH, shorten

_OUTSIDE: Final = {
    "NodePort": "whoever reaches a node",
    "LoadBalancer": "whoever reaches the load balancer",
}


def exposure(assistant: VirtualAssistant) -> str | None:
    """Say who may ask at the cost of a key without a token of any kind; None for nobody.

    A key says that somebody pays, or at least that the model's server asks who comes.
    """
    strangers = _OUTSIDE.get(assistant.service.type)
    key = next((model.api_key for model in assistant.models if model.api_key), None)
    if strangers is None or key is None or assistant.pods.token or not assistant.pods_wanted:
        return None
    return f"{strangers} may ask with the key of Secret '{key.name}': set `spec.auth`"


def with_exposure(condition: Condition, assistant: VirtualAssistant) -> Condition:
    """Return `Available` with a note at its end, which no long message cuts off."""
    note = exposure(assistant)
    if note is None:
        return condition
    room = MESSAGE_LENGTH - len(note) - len("; ")
    return replace(condition, message=f"{shorten(condition.message, room)}; {note}")


def newly_exposed(assistant: VirtualAssistant, *, before: list[Manifest]) -> Transition | None:
    """Return the warning of an exposure that the status before does not tell of."""
    note = exposure(assistant)
    noted = [item.get("message") or "" for item in before if item.get("type") == AVAILABLE]
    if note is None or any(message.endswith(note) for message in noted):
        return None
    return Transition(
        condition=Condition(
            type=EXPOSED, status=True, reason=reasons.EXPOSED_WITHOUT_AUTH, message=note
        )
    )
