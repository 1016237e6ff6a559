"""Following a kind of object through everything that can happen to a watch."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from typing import Any

import pytest

from va_operator.api import Manifest
from va_operator.errors import ClusterFailure, ResourceExpired
from va_operator.kinds import PODS, Resource
from va_operator.reflector import Reflector


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("va_operator.reflector.FIRST_PAUSE", 0.0)


def an_object(name: str, version: int) -> Manifest:
    return {"metadata": {"name": name, "resourceVersion": str(version)}}


class Script:
    """A source that plays lists and watches one after the other, then ends the test."""

    def __init__(self, *acts: Any) -> None:
        self.acts = list(acts)
        self.asked: list[str] = []
        self.over = asyncio.Event()

    async def list(
        self, resource: Resource, namespace: str | None, **_: Any
    ) -> tuple[list[Manifest], str]:
        self.asked.append("list")
        act = await self._next()
        if isinstance(act, Exception):
            raise act
        items, version = act
        return items, str(version)

    async def watch(
        self, resource: Resource, namespace: str | None, *, version: str, **_: Any
    ) -> AsyncIterator[tuple[str, Manifest]]:
        self.asked.append(f"watch {version}")
        for step in await self._next():
            if isinstance(step, Exception):
                raise step
            yield step

    async def _next(self) -> Any:
        if not self.acts:
            self.over.set()
            await asyncio.Event().wait()
        return self.acts.pop(0)


class Told:
    """What the reflector tells, as text."""

    def __init__(self) -> None:
        self.news: list[str] = []

    def replace(self, _: str | None, items: Iterable[Manifest], version: str) -> None:
        self.news.append(" ".join([f"={version}", *(item["metadata"]["name"] for item in items)]))

    def changed(self, event: str, body: Manifest) -> None:
        self.news.append(f"{event} {body['metadata']['name']}")


def follow(*acts: Any) -> tuple[Script, Told, Reflector]:
    async def run() -> tuple[Script, Told, Reflector]:
        script, told = Script(*acts), Told()
        reflector = Reflector(
            source=script,
            resource=PODS,
            namespace=None,
            read=lambda body: body,
            replace=told.replace,
            changed=told.changed,
        )
        running = asyncio.ensure_future(reflector.run())
        async with asyncio.timeout(5):
            await script.over.wait()
        running.cancel()
        return script, told, reflector

    return asyncio.run(run())


A, B = an_object("a", 5), an_object("b", 6)


def test_a_list_is_followed_by_a_watch_from_its_version() -> None:
    script, told, reflector = follow(([A], 5), [("ADDED", B)])

    assert script.asked == ["list", "watch 5", "watch 6"]
    assert told.news == ["=5 a", "ADDED b"]
    assert reflector.synced.is_set()


def test_a_bookmark_moves_the_place_and_tells_nobody() -> None:
    script, told, _ = follow(([], 5), [("BOOKMARK", an_object("", 99))])

    assert script.asked == ["list", "watch 5", "watch 99"]
    assert told.news == ["=5"]


def test_a_watch_that_ends_goes_on_where_it_was() -> None:
    script, _, _ = follow(([], 5), [("ADDED", B)], [], [("DELETED", an_object("b", 8))])
    assert script.asked == ["list", "watch 5", "watch 6", "watch 6", "watch 8"]


def test_a_watch_that_lost_its_place_lists_anew() -> None:
    script, told, _ = follow(([A, B], 6), [ResourceExpired("too old")], ([B], 9), [])

    assert script.asked == ["list", "watch 6", "list", "watch 9", "watch 9"]
    assert told.news == ["=6 a b", "=9 b"]


def test_a_watch_that_expires_in_the_middle_lists_anew() -> None:
    script, _, _ = follow(([], 5), [("ADDED", B), ResourceExpired("compacted")], ([B], 9))
    assert script.asked == ["list", "watch 5", "list", "watch 9"]


def test_a_watch_that_breaks_goes_on_without_a_list() -> None:
    script, told, _ = follow(([], 5), [("ADDED", B), ClusterFailure(0, "cut")], [("DELETED", B)])

    assert script.asked == ["list", "watch 5", "watch 6", "watch 6"]
    assert told.news == ["=5", "ADDED b", "DELETED b"]


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_watch_that_is_put_off_goes_on_where_it_was(status: int) -> None:
    script, _, _ = follow(([], 5), [ClusterFailure(status, "not now")])
    assert script.asked == ["list", "watch 5", "watch 5"]


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_watch_that_is_refused_lists_anew(status: int) -> None:
    script, _, _ = follow(([], 5), [ClusterFailure(status, "no")], ([], 7))
    assert script.asked == ["list", "watch 5", "list", "watch 7"]


def test_a_list_that_fails_is_tried_again_and_nothing_is_synced_meanwhile() -> None:
    script, told, reflector = follow(ClusterFailure(0, "down"), ResourceExpired("page"))

    assert script.asked == ["list", "list", "list"]
    assert told.news == []
    assert not reflector.synced.is_set()


def test_failures_are_followed_by_growing_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    monkeypatch.setattr("va_operator.reflector.FIRST_PAUSE", 0.5)
    monkeypatch.setattr("va_operator.reflector.asyncio.sleep", sleep)
    follow(*[ClusterFailure(0, "down")] * 7)

    assert pauses == [0.5, 1, 2, 4, 5, 5, 5]


def test_a_pause_that_the_server_asks_for_is_kept_and_is_no_silence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("va_operator.reflector.FIRST_PAUSE", 0.5)

    async def run() -> None:
        busy = [ClusterFailure(429, "busy", retry_after=after) for after in (200, 0.1)]
        reflector = Reflector(
            source=Script(*busy),
            resource=PODS,
            namespace=None,
            read=lambda body: body,
            replace=lambda *_: None,
            changed=lambda *_: None,
        )
        pauses: list[float] = []
        over = asyncio.Event()

        async def sleep(seconds: float) -> None:
            pauses.append(seconds)
            assert reflector.alive_at >= time.monotonic() + seconds - 1
            if len(pauses) == len(busy):
                over.set()
                await asyncio.Event().wait()

        monkeypatch.setattr("va_operator.reflector.asyncio.sleep", sleep)
        running = asyncio.ensure_future(reflector.run())
        async with asyncio.timeout(5):
            await over.wait()
        running.cancel()
        assert pauses == [200, 1]

    asyncio.run(run())


@pytest.mark.parametrize("watch", [[], [ResourceExpired("at once")]], ids=["ends", "expires"])
def test_a_server_that_hangs_up_at_once_is_not_run_over(
    watch: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    monkeypatch.setattr("va_operator.reflector.FIRST_PAUSE", 0.5)
    monkeypatch.setattr("va_operator.reflector.asyncio.sleep", sleep)
    follow(([], 5), watch)

    assert pauses == [0.5]


def test_every_step_is_a_sign_of_life() -> None:
    async def run() -> None:
        script, told = Script(([A], 5), [("BOOKMARK", B)]), Told()
        reflector = Reflector(
            source=script,
            resource=PODS,
            namespace=None,
            read=lambda body: body,
            replace=told.replace,
            changed=told.changed,
        )
        reflector.alive_at = 0
        running = asyncio.ensure_future(reflector.run())
        async with asyncio.timeout(5):
            await script.over.wait()
        assert reflector.alive_at > 0
        running.cancel()

    asyncio.run(run())


def test_each_page_of_a_list_is_a_sign_of_life() -> None:
    async def run() -> None:
        alive: list[float] = []

        class Slow(Script):
            async def list(
                self, resource: Resource, namespace: str | None, *, read: Any = None, **_: Any
            ) -> tuple[list[Manifest], str]:
                reflector.alive_at = 0
                items = [read(A)]
                alive.append(reflector.alive_at)
                self.over.set()
                await asyncio.Event().wait()
                return items, "5"

        script = Slow()
        reflector = Reflector(
            source=script,
            resource=PODS,
            namespace=None,
            read=lambda body: body,
            replace=lambda *_: None,
            changed=lambda *_: None,
        )
        running = asyncio.ensure_future(reflector.run())
        async with asyncio.timeout(5):
            await script.over.wait()
        running.cancel()
        assert alive[0] > 0

    asyncio.run(run())
