"""Reading the texts: all of an assistant's at the same time, within a limit."""

import asyncio
from typing import Any

import pytest

from support.builders import a_config_map, an_assistant, referring
from va_operator.api import Key, Manifest
from va_operator.errors import ClusterFailure
from va_operator.kinds import Resource
from va_operator.resolver import READS_AT_ONCE, Resolver
from va_operator.store import Store

NAMES = [f"map-{number:02}" for number in range(READS_AT_ONCE)]


class Slow:
    """Answers when it is told to, and notes how many wait at most."""

    def __init__(self, failing: str = "") -> None:
        self.failing = failing
        self.waiting = self.most = 0
        self.full, self.go_on = asyncio.Event(), asyncio.Event()

    async def get(self, resource: Resource, key: Key) -> Manifest | None:
        self.waiting += 1
        self.most = max(self.most, self.waiting)
        if self.most == READS_AT_ONCE:
            self.full.set()
        await self.go_on.wait()
        self.waiting -= 1
        if key.name == self.failing:
            raise ClusterFailure(500, "etcd is away")
        return a_config_map(key.name, data={"cv.md": f"The text of {key.name}."})


def resolve(cluster: Slow, names: list[str]) -> Any:
    assistant = an_assistant(context=referring(*names))

    async def run() -> Any:
        found = asyncio.ensure_future(Resolver(store=Store(), cluster=cluster).resolve(assistant))
        async with asyncio.timeout(5):
            await cluster.full.wait()
            cluster.go_on.set()
            return await found

    return asyncio.run(run())


def test_the_texts_are_read_at_the_same_time_and_keep_their_order() -> None:
    names = NAMES[::-1]
    _, files = resolve(Slow(), names)
    assert [file.text for file in files] == [f"The text of {name}." for name in names]


def test_no_more_than_so_many_are_read_at_once() -> None:
    cluster = Slow()
    resolve(cluster, [*NAMES, "one-more"])
    assert cluster.most == READS_AT_ONCE


def test_a_text_that_cannot_be_read_fails_all() -> None:
    with pytest.raises(ClusterFailure, match="etcd is away"):
        resolve(Slow(failing=NAMES[3]), NAMES)
