"""Notes: what people should know besides, at the end of a condition, and once as an event. Pure."""

from dataclasses import replace

from va_operator.api import Manifest
from va_operator.conditions import Condition, Transition
from va_operator.troubles import MESSAGE_LENGTH, shorten


def with_note(condition: Condition, note: str | None) -> Condition:
    """Return a condition with a note at its end, which no long message cuts off."""
    if note is None:
        return condition
    room = MESSAGE_LENGTH - len(note) - len("; ")
    return replace(condition, message=f"{shorten(condition.message, room)}; {note}")


def newly_noted(
    note: str | None, *, at: str, before: list[Manifest], told: Condition
) -> Transition | None:
    """Return the event of a note that the condition `at` of the status before does not have."""
    noted = [item.get("message") or "" for item in before if item.get("type") == at]
    if note is None or any(message.endswith(note) for message in noted):
        return None
    return Transition(condition=replace(told, message=note))
