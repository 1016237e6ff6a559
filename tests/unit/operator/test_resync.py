"""The proof that the watch is alive, and the health that looks at the others."""

import asyncio
from typing import Any

import pytest

from support.builders import an_assistant_body
from va_operator.api import Key, Manifest
from va_operator.errors import ClusterFailure, WatchDead
from va_operator.health import STALE_SECONDS, stale
from va_operator.kinds import DEPLOYMENTS, PODS, Resource
from va_operator.reflector import Reflector
from va_operator.resync import Deliveries, prove_watch, read_listed


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


def prove(lists: Lists, *delivered: Manifest, namespace: str | None = None) -> Any:
    deliveries = Deliveries()
    for body in delivered:
        deliveries.note(body)
    return asyncio.run(prove_watch(lists, namespace, deliveries, delay=0))


ADA = an_assistant_body(version=10)


def test_a_watch_that_delivered_everything_is_alive() -> None:
    assert prove(Lists([ADA]), ADA) == ([read_listed(ADA)], "99")


def test_a_watch_that_is_ahead_of_the_list_is_alive() -> None:
    assert prove(Lists([ADA]), an_assistant_body(version=12)) == ([read_listed(ADA)], "99")


@pytest.mark.parametrize(
    "delivered",
    [(), (an_assistant_body(version=9),), (an_assistant_body(version=12, uid="a namesake"),)],
    ids=["nothing", "an older version", "a namesake"],
)
def test_a_watch_that_never_delivers_is_dead(delivered: tuple[Manifest, ...]) -> None:
    with pytest.raises(WatchDead, match="shop/ada"):
        prove(Lists([ADA]), *delivered)


def test_an_object_that_changed_meanwhile_proves_nothing() -> None:
    newer = an_assistant_body(version=11)
    assert prove(Lists([ADA], [newer])) == ([read_listed(newer)], "99")


def test_an_object_that_went_meanwhile_proves_nothing() -> None:
    assert prove(Lists([ADA], [])) == ([], "99")


@pytest.mark.parametrize("lists", [(ClusterFailure(0, "x"),), ([ADA], ClusterFailure(0, "x"))])
def test_without_a_list_nothing_is_proved(lists: tuple[Any, ...]) -> None:
    assert prove(Lists(*lists)) is None


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
