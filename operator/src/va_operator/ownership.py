"""Whose an object is. A name that belongs to somebody else is never taken over."""

from va_operator import reasons
from va_operator.api import KIND, VirtualAssistant
from va_operator.errors import ChildRefused, ClusterFailure
from va_operator.observed import Child


def may_delete(assistant: VirtualAssistant, seen: Child) -> bool:
    """Tell whether a child may be deleted: only our owner reference is proof enough for that."""
    return seen.owner_uid == assistant.uid and not seen.being_deleted


def check_owner(assistant: VirtualAssistant, kind: str, seen: Child) -> None:
    """Return where a child is ours to write.

    It is ours with our owner reference, and where that was taken away from what
    we once applied. Raises ClusterFailure where it is on its way out, an earlier
    namesake's child too, so that there is room in a moment, and ChildRefused
    where it is somebody else's.
    """
    namesakes = seen.owner == (KIND, assistant.key.name) and seen.owner_uid != assistant.uid
    if seen.being_deleted or namesakes:
        raise ClusterFailure(0, f"{kind} '{seen.key.name}' is being deleted")
    if seen.owner_uid == assistant.uid or (seen.owner_uid is None and seen.owned):
        return
    raise ChildRefused(
        reasons.NAME_CONFLICT,
        f"{kind} '{seen.key.name}' exists and belongs to somebody else: "
        f"delete it, or give the assistant another name",
    )
