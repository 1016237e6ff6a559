"""How kopf is set up."""

import asyncio
from collections.abc import Callable, Iterable, Sized
from itertools import islice
from types import SimpleNamespace
from typing import Any

import kopf
import pytest

from va_operator.errors import WatchDead
from va_operator.main import kopf_settings, registry_for, watch


def test_kopf_never_gives_up_and_is_back_soon_after_the_api_server() -> None:
    pauses = kopf_settings().networking.error_backoffs
    assert isinstance(pauses, Iterable)
    assert not isinstance(pauses, Sized)
    for _ in range(2):  # each request begins anew
        found = list(islice(iter(pauses), 1000))
        assert len(found) == 1000, "without an end"
        assert found[0] <= 0.5
        assert max(found) <= 5


def an_operation() -> Any:
    settings = SimpleNamespace(namespaces=(), in_cluster=False)
    return SimpleNamespace(settings=settings, served=asyncio.Event())


def startup_of(operation: Any) -> Callable[[], Any]:
    registry = registry_for(operation, stop=lambda: None)
    functions = (handler.fn for handler in registry._activities.get_all_handlers())
    return next(found for found in functions if found.__name__ == "served")


def test_kopf_starts_only_when_the_api_is_served() -> None:
    async def run() -> None:
        operation = an_operation()
        starting = asyncio.ensure_future(startup_of(operation)())
        await asyncio.sleep(0)
        assert not starting.done()
        operation.served.set()
        await asyncio.wait_for(starting, timeout=5)

    asyncio.run(run())


def test_a_watch_that_kopf_gives_up_ends_the_process_in_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def gone(**_: Any) -> None:
        raise kopf.PermanentError("404 page not found")

    monkeypatch.setattr(kopf, "operator", gone)
    with pytest.raises(WatchDead, match="404 page not found"):
        asyncio.run(watch(an_operation(), stop=lambda: None))
