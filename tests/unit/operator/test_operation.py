"""How the operator begins, on a cluster that is not ready for it."""

import asyncio
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from va_operator.api import Key, Manifest
from va_operator.cluster import ApiServer, Resource
from va_operator.errors import ClusterFailure, OperatorError
from va_operator.inquiry import Inquiry, Pace
from va_operator.operation import Operation
from va_operator.settings import OperatorSettings
from va_operator.store import Store
from va_operator.work_queue import WorkQueue


@dataclass
class Answers:
    """An API server that answers lists of assistants as told, and nothing else."""

    failures: list[ClusterFailure] = field(default_factory=list)
    lists: int = 0

    async def list(
        self, resource: Resource, namespace: str | None, **_: Any
    ) -> tuple[list[Manifest], str]:
        if resource.kind != "VirtualAssistant":
            return [], "1"
        self.lists += 1
        if self.failures:
            raise self.failures.pop(0)
        return [], "1"

    async def watch(self, *_: Any, **__: Any) -> Any:
        await asyncio.Event().wait()
        yield


def an_operation(answers: Answers) -> Operation:
    queue = WorkQueue[Key]()

    async def ask(*_: object) -> Manifest:
        raise AssertionError("there is no pod")

    return Operation(
        settings=OperatorSettings(assistant_image="a:1", model_image="m:1"),
        api=cast("ApiServer", answers),
        store=Store(),
        queue=queue,
        inquiry=Inquiry(ask=ask, pace=Pace(unsettled=2, settled=30, budget=20), heard=queue.add),
        reconciler=cast("Any", None),
    )


async def until_synced(answers: Answers) -> None:
    operation = an_operation(answers)
    running = asyncio.create_task(operation.run())
    async with asyncio.timeout(10):
        while not operation.reflectors or not all(
            found.synced.is_set() for found in operation.reflectors
        ):
            done, _ = await asyncio.wait({running}, timeout=0.01)
            if done:
                break
        if not running.done():
            await asyncio.wait({running}, timeout=0.7)
    if running.done():
        running.result()
    running.cancel()


def test_without_the_api_it_ends_and_says_what_to_install() -> None:
    with pytest.raises(ExceptionGroup) as raised:
        asyncio.run(until_synced(Answers([ClusterFailure(404, "page not found")])))

    [fault] = raised.value.exceptions
    assert isinstance(fault, OperatorError)
    assert "apply crds/ first" in str(fault)


def test_an_api_server_that_is_away_at_the_start_is_waited_for() -> None:
    answers = Answers([ClusterFailure(0, "connection refused")])

    asyncio.run(until_synced(answers))

    assert answers.lists == 2
