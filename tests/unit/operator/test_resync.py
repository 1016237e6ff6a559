"""The proof that the watch is alive, and the health that looks at the others."""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any

import pytest

from support.builders import an_assistant_body
from va_operator import resync
from va_operator.api import Key, Manifest
from va_operator.errors import ClusterFailure, WatchDead
from va_operator.health import STALE_SECONDS, stale
from va_operator.kinds import DEPLOYMENTS, PODS, Resource
from va_operator.reflector import Reflector
from va_operator.resync import Deliveries, Listed, Schedule, prove_watch, read_listed


class Lists:
    """Lists that were prepared, one for each call and the last one for ever."""

    def __init__(self, *lists: Any) -> None:
        self.lists = list(lists)
        self.asked: list[str | None] = []

    async def list(self, resource: Resource, namespace: str | None, *, read: Any) -> Any:
        self.asked.append(namespace)
        found = self.lists.pop(0) if len(self.lists) > 1 else self.lists[0]
        if isinstance(found, Exception):
            raise found
        return [read(body) for body in found], "99"


@dataclass
class Proof:
    """How a proof went."""

    is_enough: bool = False
    corrections: list[tuple[list[Listed], str]] = field(default_factory=list)


def prove(lists: Lists, *delivered: Manifest, namespace: str | None = None) -> Proof:
    deliveries, proof = Deliveries(), Proof()
    for body in delivered:
        deliveries.note(body)

    async def run() -> None:
        proof.is_enough = await prove_watch(
            lists,
            namespace,
            deliveries,
            delay=0,
            correct=lambda *found: proof.corrections.append(found),
        )

    asyncio.run(run())
    return proof


ADA = an_assistant_body(version=10)
NEWER = an_assistant_body(version=12)


@pytest.mark.parametrize("delivered", [ADA, NEWER], ids=["as it is listed", "ahead of the list"])
def test_a_watch_that_delivered_everything_is_alive(delivered: Manifest) -> None:
    assert prove(Lists([ADA]), delivered) == Proof(True, [([read_listed(ADA)], "99")])


@pytest.mark.parametrize(
    "delivered",
    [(), (an_assistant_body(version=9),), (an_assistant_body(version=12, uid="a namesake"),)],
    ids=["nothing", "an older version", "a namesake"],
)
@pytest.mark.parametrize("then", [ADA, NEWER], ids=["still", "changed meanwhile, by us perhaps"])
def test_a_watch_that_never_delivers_is_dead(
    delivered: tuple[Manifest, ...], then: Manifest
) -> None:
    with pytest.raises(WatchDead, match="shop/ada"):
        prove(Lists([ADA], [then]), *delivered)


def test_what_a_watch_withholds_is_corrected_before_that_is_proved() -> None:
    deliveries, corrected = Deliveries(), asyncio.Event()

    async def run() -> None:
        proof = prove_watch(
            Lists([ADA]), None, deliveries, delay=60, correct=lambda *_: corrected.set()
        )
        task = asyncio.create_task(proof)
        await asyncio.wait_for(corrected.wait(), timeout=5)
        assert not task.done()
        task.cancel()

    asyncio.run(run())


def test_an_object_that_went_meanwhile_proves_nothing() -> None:
    assert prove(Lists([ADA], [])) == Proof(True, [([read_listed(ADA)], "99"), ([], "99")])


@pytest.mark.parametrize("lists", [(ClusterFailure(0, "x"),), ([ADA], ClusterFailure(404, "x"))])
def test_without_a_list_nothing_is_proved(lists: tuple[Any, ...]) -> None:
    assert not prove(Lists(*lists)).is_enough


def test_a_list_that_is_not_allowed_is_not_asked_for_more_often() -> None:
    assert prove(Lists(ClusterFailure(403, "x"))).is_enough


def rested(schedule: Schedule, pause: float) -> float:
    """Return for how many seconds a schedule rests."""

    async def run() -> float:
        begun = time.monotonic()
        await asyncio.wait_for(schedule.rest(pause), timeout=5)
        return time.monotonic() - begun

    return asyncio.run(run())


def test_a_rest_is_as_long_as_its_pause() -> None:
    schedule = Schedule()
    assert rested(schedule, 0.05) >= 0.05
    assert schedule.due <= time.monotonic()


def test_a_doubt_brings_the_next_resync_forward_and_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(resync, "SOON_SECONDS", 0.05)
    schedule = Schedule()
    schedule.doubt()
    assert 0.05 <= rested(schedule, 300) < 5
    with pytest.raises(TimeoutError):
        rested(schedule, 300)


def test_a_doubt_puts_no_resync_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resync, "SOON_SECONDS", 300)
    schedule = Schedule()
    schedule.doubt()
    assert rested(schedule, 0.05) < 5


def test_only_the_namespace_in_question_is_listed() -> None:
    lists = Lists([])
    prove(lists, namespace="a")
    assert lists.asked == ["a"]


def test_a_deletion_is_a_delivery_but_not_that_of_a_namesake() -> None:
    deliveries = Deliveries()
    deliveries.note(ADA)
    deliveries.drop(an_assistant_body(uid="an earlier namesake"))
    assert deliveries.missing([read_listed(ADA)]) == frozenset()

    deliveries.drop(ADA)
    assert deliveries.missing([read_listed(ADA)]) == {Key("shop", "ada")}


def test_each_assistant_that_a_list_brings_is_a_sign_of_life() -> None:
    schedule = Schedule(due=0.0)

    async def run() -> None:
        deliveries = Deliveries()
        deliveries.note(ADA)
        await prove_watch(
            Lists([ADA]),
            None,
            deliveries,
            delay=0,
            correct=lambda *_: None,
            moves=schedule.move,
        )

    began = time.monotonic()
    asyncio.run(run())
    assert schedule.due >= began


def a_reflector(resource: Resource, alive_at: float) -> Reflector:
    async def make() -> Reflector:
        return Reflector(
            source=None,  # type: ignore[arg-type]
            resource=resource,
            namespace=None,
            read=dict,
            replace=lambda *_: None,
            changed=lambda *_: None,
            alive_at=alive_at,
        )

    return asyncio.run(make())


def test_a_silent_reflector_is_stale() -> None:
    reflectors = [a_reflector(PODS, 100), a_reflector(PODS, 90), a_reflector(DEPLOYMENTS, 200)]

    assert stale(reflectors, now=100 + STALE_SECONDS + 1) == ["pods"]
    assert stale(reflectors, now=90 + STALE_SECONDS) == []
