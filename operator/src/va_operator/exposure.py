"""Exposure: whether strangers may ask at somebody's cost, and what a context gives away. Pure."""

from typing import Final

from va_operator import reasons
from va_operator.api import Manifest, VirtualAssistant
from va_operator.conditions import (
    AVAILABLE,
    CONTEXT_RESOLVED,
    EXPOSED,
    Condition,
    Transition,
)
from va_operator.errors import ContextError
from va_operator.notes import newly_noted, with_note
from va_operator.revision import Revision
from va_operator.troubles import shorten

NOTE_LENGTH: Final = 300
"""Of what is said of keys: a text may hold many, under long names."""

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


def keys_given_away(revision: Revision | ContextError) -> str | None:
    """Say where the text holds what looks like a key; None where it does not."""
    if isinstance(revision, ContextError) or not revision.keys:
        return None
    first, *others = revision.keys
    more = f" (and {len(others)} more)" if others else ""
    return f"{shorten(first, NOTE_LENGTH)}{more}: whoever may ask may read the text"


def with_exposure(condition: Condition, assistant: VirtualAssistant) -> Condition:
    """Return `Available` with a note of who may ask at somebody's cost."""
    return with_note(condition, exposure(assistant))


def with_keys(condition: Condition, revision: Revision | ContextError) -> Condition:
    """Return `ContextResolved` with a note of what the text gives away."""
    return with_note(condition, keys_given_away(revision))


def newly_exposed(
    assistant: VirtualAssistant, revision: Revision | ContextError, *, before: list[Manifest]
) -> list[Transition]:
    """Return the warnings of what the status before does not tell of."""
    found = [
        newly_noted(note, at=at, before=before, told=_warning(reason))
        for note, at, reason in (
            (exposure(assistant), AVAILABLE, reasons.EXPOSED_WITHOUT_AUTH),
            (keys_given_away(revision), CONTEXT_RESOLVED, reasons.KEY_IN_CONTEXT),
        )
    ]
    return [transition for transition in found if transition]


def _warning(reason: str) -> Condition:
    return Condition(type=EXPOSED, status=True, reason=reason, message="")
