"""Whose an object is."""

import pytest

from support.builders import an_assistant, child_metadata, managed
from va_operator.errors import ChildRefused, ClusterFailure
from va_operator.observed import Child, read_child
from va_operator.ownership import check_owner


def seen(**metadata: object) -> Child:
    return read_child({"metadata": child_metadata(**metadata), "spec": {}})  # type: ignore[arg-type]


def test_what_has_our_owner_reference_is_ours() -> None:
    check_owner(an_assistant(), "Service", seen())


def test_what_we_applied_is_ours_even_without_the_reference() -> None:
    check_owner(
        an_assistant(),
        "Service",
        seen(owner=None, managedFields=[managed({"f:metadata": {"f:name": {}}})]),
    )


@pytest.mark.parametrize(
    "found",
    [
        seen(owner=None),
        seen(owner=None, managedFields=[managed({"f:metadata": {}}, manager="kubectl")]),
        seen(owner="somebody", owner_name="bob"),
    ],
    ids=["no owner", "applied by somebody else", "another owner"],
)
def test_what_belongs_to_somebody_else_is_not_taken_over(found: Child) -> None:
    with pytest.raises(ChildRefused) as refused:
        check_owner(an_assistant(), "Service", found)
    assert refused.value.reason == "NameConflict"
    assert str(refused.value) == (
        "Service 'ada' exists and belongs to somebody else: "
        "delete it, or give the assistant another name"
    )


@pytest.mark.parametrize(
    "found",
    [seen(owner="an earlier namesake"), seen(deletionTimestamp="2026-01-01T00:00:00Z")],
    ids=["of a namesake that is gone", "on its way out"],
)
def test_what_is_being_deleted_is_waited_for(found: Child) -> None:
    with pytest.raises(ClusterFailure) as failure:
        check_owner(an_assistant(), "Service", found)
    assert failure.value.retry_after is None
