"""Events: one object for each kind of change, and ever fewer of an assistant that flaps."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from support.builders import an_assistant
from support.memory_cluster import MemoryCluster
from va_operator.api import Key, Manifest
from va_operator.conditions import Condition, Transition
from va_operator.errors import ClusterFailure
from va_operator.recorder import BURST, REFILL_SECONDS, REMEMBERED, Recorder

NOW = datetime(2026, 5, 4, tzinfo=UTC)
ADA = an_assistant()


def a_change(reason: str = "Timeout", message: str = "m", *, status: bool = False) -> Transition:
    return Transition(
        condition=Condition(type="Ready", status=status, reason=reason, message=message)
    )


class Recording:
    """A recorder, and the events that it wrote."""

    def __init__(self, cluster: MemoryCluster | None = None) -> None:
        self.cluster = cluster or MemoryCluster()
        self.recorder = Recorder(cluster=self.cluster, instance="test")

    def record(self, *changes: Transition, now: datetime = NOW, assistant: Any = ADA) -> None:
        for change in changes:
            asyncio.run(self.recorder.record(assistant, change, now=now))

    @property
    def told(self) -> list[tuple[str, int]]:
        return [(event["reason"], event["count"]) for event in self.cluster.events]


def test_the_same_change_again_is_counted_in_the_same_event() -> None:
    recording = Recording()
    recording.record(a_change(message="first"))
    recording.record(a_change(message="second"), now=NOW + timedelta(minutes=1))

    [event] = recording.cluster.events
    assert (event["count"], event["message"]) == (2, "Ready: second")
    assert event["firstTimestamp"] == "2026-05-04T00:00:00Z"
    assert event["lastTimestamp"] == "2026-05-04T00:01:00Z"


def test_a_flapping_provider_makes_two_objects() -> None:
    recording = Recording()
    for _ in range(5):
        recording.record(a_change("Timeout"), a_change("Answering", status=True))
    assert recording.told == [("Timeout", 5), ("Answering", 5)]


@pytest.mark.parametrize(
    "other",
    [
        Condition(type="Stalled", status=False, reason="Timeout", message="m"),
        Condition(type="Ready", status=True, reason="Timeout", message="m"),
        Condition(type="Ready", status=False, reason="KeyMissing", message="m"),
    ],
)
def test_another_change_is_another_event(other: Condition) -> None:
    recording = Recording()
    recording.record(a_change(), Transition(condition=other))
    assert len(recording.cluster.events) == 2


def test_an_event_that_has_expired_is_written_anew() -> None:
    recording = Recording()
    recording.record(a_change(), a_change())
    recording.cluster.events.clear()
    recording.record(a_change(), a_change())
    assert recording.told == [("Timeout", 2)]


def test_an_assistant_that_keeps_changing_is_told_of_ever_more_rarely() -> None:
    recording = Recording()
    recording.record(*[a_change()] * (BURST + 10))
    assert recording.told == [("Timeout", BURST)]

    recording.record(a_change(), now=NOW + timedelta(seconds=REFILL_SECONDS - 1))
    assert recording.told == [("Timeout", BURST)]
    recording.record(*[a_change()] * 2, now=NOW + timedelta(seconds=REFILL_SECONDS))
    assert recording.told == [("Timeout", BURST + 1)]

    later = NOW + timedelta(days=30)
    recording.record(*[a_change()] * (BURST + 10), now=later)
    assert recording.told == [("Timeout", 2 * BURST + 1)]


def test_a_clock_that_is_set_back_allows_neither_more_nor_less() -> None:
    recording = Recording()
    recording.record(*[a_change()] * (BURST - 1))
    recording.record(*[a_change()] * 2, now=NOW - timedelta(days=1))
    assert recording.told == [("Timeout", BURST)]


def test_one_assistant_does_not_use_up_what_another_may() -> None:
    recording = Recording()
    recording.record(*[a_change()] * (BURST + 1))
    recording.record(a_change(), assistant=an_assistant("bob", uid="0000-bob"))
    assert recording.told == [("Timeout", BURST), ("Timeout", 1)]


def test_a_namesake_begins_anew() -> None:
    recording = Recording()
    recording.record(a_change())
    recording.record(a_change(), assistant=an_assistant(uid="1111-ada"))
    assert recording.told == [("Timeout", 1), ("Timeout", 1)]


def test_what_is_gone_is_forgotten() -> None:
    recording = Recording()
    recording.record(a_change())
    recording.recorder.forget(ADA.key)
    recording.recorder.forget(ADA.key)
    assert recording.recorder._told == {}


def test_words_that_pods_invent_fill_no_memory() -> None:
    recording = Recording()
    for number in range(2 * REMEMBERED):
        now = NOW + timedelta(seconds=REFILL_SECONDS * number)
        recording.record(a_change(f"Invented{number}"), now=now)
    assert len(recording.recorder._told[ADA.key].events) == REMEMBERED


class Deaf(MemoryCluster):
    """An API server that takes no events."""

    async def create_event(self, namespace: str, event: Manifest) -> Manifest:
        raise ClusterFailure(403, "no events here")


@pytest.mark.parametrize(
    ("words", "logged"), [("because it is being terminated", 0), ("no events here", 1)]
)
def test_only_what_people_can_help_is_logged(
    words: str, logged: int, caplog: pytest.LogCaptureFixture
) -> None:
    class Closed(MemoryCluster):
        async def create_event(self, namespace: str, event: Manifest) -> Manifest:
            raise ClusterFailure(403, words)

    Recording(Closed()).record(a_change())
    assert [found.levelname for found in caplog.records] == ["WARNING"] * logged


class Stubborn(MemoryCluster):
    """An API server that changes no events."""

    async def patch_event(self, key: Key, patch: Manifest) -> None:
        raise ClusterFailure(500, "not now")


def test_an_event_that_cannot_be_written_is_no_reason_to_fail() -> None:
    recording = Recording(Deaf())
    recording.record(a_change(), a_change())
    assert recording.told == []


def test_an_event_that_cannot_be_counted_up_is_lost_once() -> None:
    recording = Recording(Stubborn())
    recording.record(a_change(), a_change())
    assert recording.told == [("Timeout", 1)]


def test_an_event_that_could_not_be_counted_up_is_still_the_one_that_is() -> None:
    class Busy(MemoryCluster):
        busy = False

        async def patch_event(self, key: Key, patch: Manifest) -> None:
            if self.busy:
                raise ClusterFailure(500, "later")
            await super().patch_event(key, patch)

    cluster = Busy()
    recording = Recording(cluster)
    recording.record(a_change())
    cluster.busy = True
    recording.record(a_change())
    cluster.busy = False
    recording.record(a_change())
    assert recording.told == [("Timeout", 2)]
