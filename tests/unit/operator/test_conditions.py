"""Conditions as the status holds them, and the events that tell of their changes."""

from datetime import UTC, datetime, timedelta

import pytest

from support.builders import an_assistant
from va_operator.api import Manifest
from va_operator.conditions import Condition, Transition, transitions, write_conditions
from va_operator.events import build_event

NOW = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)


def a_condition(
    status: bool | None = True, reason: str = "Answering", type_: str = "Ready", message: str = "m"
) -> Condition:
    return Condition(type=type_, status=status, reason=reason, message=message)


def written(condition: Condition, before: list[Manifest] | None = None) -> Manifest:
    [found] = write_conditions([condition], before=before or [], generation=7, now=LATER)
    return found


BEFORE = write_conditions([a_condition()], before=[], generation=6, now=NOW)


def test_a_first_condition_has_changed_now() -> None:
    assert BEFORE == [
        {
            "type": "Ready",
            "status": "True",
            "reason": "Answering",
            "message": "m",
            "observedGeneration": 6,
            "lastTransitionTime": "2026-05-04T03:02:01Z",
        }
    ]


def test_the_time_stays_while_the_status_does() -> None:
    found = written(a_condition(reason="Other", message="n"), BEFORE)

    assert found["lastTransitionTime"] == "2026-05-04T03:02:01Z"
    assert (found["reason"], found["message"], found["observedGeneration"]) == ("Other", "n", 7)


@pytest.mark.parametrize("status", [False, None])
def test_the_time_moves_with_the_status(status: bool | None) -> None:
    assert written(a_condition(status), BEFORE)["lastTransitionTime"] == "2026-05-04T04:02:01Z"


def test_an_unknown_status_is_written_as_such() -> None:
    assert written(a_condition(None))["status"] == "Unknown"


def test_a_foreign_message_is_cut_to_a_length_that_people_read() -> None:
    message = written(a_condition(message="x" * 5000))["message"]
    assert len(message) == 1024
    assert message.endswith("…")


def test_a_condition_of_before_that_is_no_longer_judged_goes() -> None:
    gone = [*BEFORE, {**BEFORE[0], "type": "Old"}]
    found = write_conditions([a_condition()], before=gone, generation=7, now=NOW)
    assert [item["type"] for item in found] == ["Ready"]


NOT_YET = write_conditions([a_condition(False, "Starting")], before=[], generation=6, now=NOW)


def earlier(status: bool, reason: str, type_: str) -> list[Manifest]:
    return write_conditions([a_condition(status, reason, type_)], before=[], generation=6, now=NOW)


AS_ASKED = earlier(False, "AsAsked", "Degraded")
LOST = earlier(True, "NodeLost", "Degraded")
FEWER = earlier(True, "FewerPodsReady", "Degraded")
GOING_ON = earlier(False, "NotStalled", "Stalled")
ENDED = earlier(True, "Unschedulable", "Stalled")
TOLD = {
    "the first answer": (a_condition(), NOT_YET, True),
    "a trouble from the start": (a_condition(False, "ContextNotFound"), [], True),
    "the first steps of a new object": (a_condition(False, "Starting"), [], False),
    "that the text could be read at once": (a_condition(True, "Resolved"), [], False),
    "the same again": (a_condition(), BEFORE, False),
    "another message only": (a_condition(message="n"), BEFORE, False),
    "another reason": (a_condition(reason="Other"), BEFORE, True),
    "another status": (a_condition(False, "Answering"), BEFORE, True),
    "not known yet": (a_condition(None, "NotAskedYet", "ModelReachable"), [], False),
    "what only repeats Ready": (a_condition(False, "NoPodReady", "Available"), [], False),
    "progress": (a_condition(True, "RollingOut", "Progressing"), [], False),
    "a lost node": (a_condition(True, "NodeLost", "Degraded"), AS_ASKED, True),
    "that a lost node was made up for": (a_condition(False, "AsAsked", "Degraded"), LOST, True),
    "more pods on their way": (a_condition(True, "FewerPodsReady", "Degraded"), AS_ASKED, False),
    "that they came": (a_condition(False, "AsAsked", "Degraded"), FEWER, False),
    "a suspension in other words": (a_condition(False, "Suspended", "Degraded"), AS_ASKED, False),
    "a shortfall from the start": (a_condition(True, "KeyMissing", "Degraded"), [], True),
    "nothing from the start": (a_condition(False, "NotStalled", "Stalled"), [], False),
    "that nothing goes on": (a_condition(True, "Unschedulable", "Stalled"), GOING_ON, True),
    "that it goes on": (a_condition(False, "NotStalled", "Stalled"), ENDED, False),
    "a change of what cannot be read": (a_condition(), [{"type": "Ready"}, {}], False),
}


@pytest.mark.parametrize(("condition", "before", "told"), TOLD.values(), ids=TOLD)
def test_what_changed_is_told_once(
    condition: Condition, before: list[Manifest], told: bool
) -> None:
    assert bool(transitions([condition], before=before)) == told


@pytest.mark.parametrize(
    ("condition", "warning"),
    [
        (a_condition(False, "ContextNotFound"), True),
        (a_condition(False, "KeyRefused"), True),
        (a_condition(False, "RollingOut"), False),
        (a_condition(False, "Starting"), False),
        (a_condition(False, "Suspended"), False),
        (a_condition(False, "ScaledToZero"), False),
        (a_condition(True), False),
        (a_condition(True, "NodeLost", "Degraded"), True),
        (a_condition(True, "FewerPodsReady", "Degraded"), False),
        (a_condition(False, "AsAsked", "Degraded"), False),
        (a_condition(True, "KeyMissing", "Stalled"), True),
        (a_condition(False, "NotStalled", "Stalled"), False),
    ],
)
def test_only_what_people_should_look_at_is_a_warning(condition: Condition, warning: bool) -> None:
    assert Transition(condition=condition).warning == warning


def judged(ready: str, degraded: str, stalled: str, model: str) -> list[Condition]:
    types = {"Ready": ready, "ModelReachable": model, "Degraded": degraded, "Stalled": stalled}
    found = []
    for type_, said in types.items():
        status, _, reason = said.partition("/")
        found.append(a_condition(status == "True", reason, type_))
    return found


FINE = judged("True/Answering", "False/AsAsked", "False/NotStalled", "True/ModelAnswered")
STARTS = judged("False/Starting", "True/FewerPodsReady", "False/NotStalled", "False/NotAskedYet")
KEY = judged("False/KeyRefused", "True/KeyRefused", "True/KeyRefused", "False/KeyRefused")
PULL = judged("False/ImagePullFailed", "False/AsAsked", "False/NotStalled", "True/ModelAnswered")
GAVE_UP = judged("False/ImagePullFailed", "True/ImagePullFailed", "True/ImagePullFailed", "True/x")
FEWER_TOO = judged("False/ImagePullFailed", "True/ImagePullFailed", "False/NotStalled", "True/x")
CHANGES: dict[str, tuple[list[Condition], list[Condition], list[str]]] = {
    "the first answer": (STARTS, FINE, ["Ready Answering"]),
    "a refused key": (FINE, KEY, ["Ready KeyRefused"]),
    "the key is right again": (KEY, FINE, ["Ready Answering"]),
    "an image that is missing": (FINE, PULL, ["Ready ImagePullFailed"]),
    "that fewer serve meanwhile": (PULL, FEWER_TOO, []),
    "the deadline for it": (PULL, GAVE_UP, ["Stalled ImagePullFailed"]),
}


@pytest.mark.parametrize(("before", "after", "told"), CHANGES.values(), ids=CHANGES)
def test_one_change_makes_one_event(
    before: list[Condition], after: list[Condition], told: list[str]
) -> None:
    status = write_conditions(before, before=[], generation=6, now=NOW)
    found = [f"{t.condition.type} {t.condition.reason}" for t in transitions(after, before=status)]
    assert [words for words in found if not words.endswith(" x")] == told


@pytest.mark.parametrize("garbage", [{}, {"type": "Ready"}, {"type": "Ready", "status": 7}])
def test_a_condition_that_was_cut_down_by_hand_is_written_anew(garbage: Manifest) -> None:
    assert written(a_condition(), [garbage])["lastTransitionTime"] == "2026-05-04T04:02:01Z"


def test_an_event_names_the_object_the_reason_and_the_process() -> None:
    transition = Transition(condition=a_condition(False, "KeyMissing", message="no key"))
    event = build_event(an_assistant(), transition, now=NOW, instance="operator-1")

    assert event["type"] == "Warning"
    assert event["reason"] == "KeyMissing"
    assert event["message"] == "Ready: no key"
    assert event["metadata"]["namespace"] == "shop"
    assert event["involvedObject"]["uid"] == "0000-ada"
    assert event["reportingInstance"] == "operator-1"


def test_an_events_message_has_the_length_that_the_api_server_takes() -> None:
    transition = Transition(condition=a_condition(message="é" * 5000))
    event = build_event(an_assistant(), transition, now=NOW, instance="x")
    assert len(event["message"]) == 1024
