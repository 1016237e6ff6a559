"""The wiring: what is seen goes to the store, and the keys that it touches to the queue."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from support.builders import (
    NAMESPACE,
    a_config_map,
    a_pod_body,
    an_assistant_body,
    child_metadata,
    referring,
)
from va_operator.api import Key, Manifest
from va_operator.inquiry import Inquiry, Pace
from va_operator.operation import Operation
from va_operator.resources.metadata import INSTANCE_LABEL, MANAGED_BY
from va_operator.store import Store
from va_operator.work_queue import WorkQueue

ADA, BOB = Key(NAMESPACE, "ada"), Key(NAMESPACE, "bob")
LABELS = {"app.kubernetes.io/managed-by": MANAGED_BY, INSTANCE_LABEL: "ada"}


def operate(test: Callable[[Operation], None]) -> list[Key]:
    """Run a test on an operation without a cluster; return the keys that are queued then."""

    async def run() -> list[Key]:
        nothing: Any = None
        queue = WorkQueue[Key]()
        operation = Operation(
            settings=nothing,
            api=nothing,
            store=Store(),
            queue=queue,
            inquiry=Inquiry(
                ask=nothing, pace=Pace(unsettled=1, settled=1, budget=1), heard=queue.add
            ),
            reconciler=nothing,
        )
        test(operation)
        return [await queue.take() for _ in range(len(queue))]

    return asyncio.run(run())


def followed(operation: Operation, plural: str) -> Any:
    reflectors = operation._reflectors(None)
    return next(found for found in reflectors if found.resource.plural == plural)


@pytest.mark.parametrize("event", [None, "ADDED", "MODIFIED"])
def test_an_assistant_is_remembered_and_queued(event: str | None) -> None:
    def test(operation: Operation) -> None:
        operation.assistant_seen(event, an_assistant_body())
        assert operation.store.assistants.get(ADA)
        assert operation.deliveries.missing([an_assistant_body()]) == frozenset()

    assert operate(test) == [ADA]


def test_a_deleted_assistant_is_forgotten_and_queued_once_more() -> None:
    def test(operation: Operation) -> None:
        operation.assistant_seen("ADDED", an_assistant_body(version=10))
        operation.assistant_seen("DELETED", an_assistant_body(version=11))
        assert operation.store.assistants.get(ADA) is None

    assert operate(test) == [ADA]


def test_an_assistant_that_cannot_be_read_harms_nobody() -> None:
    def test(operation: Operation) -> None:
        broken = an_assistant_body()
        del broken["spec"]["context"]
        operation.assistant_seen("ADDED", broken)
        operation.assistant_seen("ADDED", an_assistant_body("bob"))
        assert operation.store.assistants.get(BOB)

    assert BOB in operate(test)


@pytest.mark.parametrize("plural", ["deployments", "services"])
def test_a_child_queues_its_assistant(plural: str) -> None:
    def test(operation: Operation) -> None:
        reflector = followed(operation, plural)
        reflector.replace(None, [{"metadata": child_metadata()}])

    assert operate(test) == [ADA]


@pytest.mark.parametrize("plural", ["deployments", "services"])
def test_news_and_the_end_of_a_child_queue_its_assistant(plural: str) -> None:
    def test(operation: Operation) -> None:
        reflector = followed(operation, plural)
        reflector.changed("ADDED", {"metadata": child_metadata(version=5)})
        reflector.changed("ADDED", {"metadata": child_metadata(version=5)})
        reflector.changed("DELETED", {"metadata": child_metadata(version=6)})
        assert len(operation.store.deployments) == len(operation.store.services) == 0

    assert operate(test) == [ADA]


def test_a_pod_queues_its_assistant_and_is_asked() -> None:
    running: dict[str, Any] = {
        "podIP": "10.1.0.7",
        "containerStatuses": [{"name": "assistant", "state": {"running": {}}}],
    }

    def test(operation: Operation) -> None:
        reflector = followed(operation, "pods")
        reflector.changed("ADDED", a_pod_body(**running))
        assert set(operation.inquiry._pods) == {"uid-of-ada-1"}
        reflector.replace(None, [])
        assert operation.inquiry._pods == {}

    assert operate(test) == [ADA]


def ours(**metadata: Any) -> Manifest:
    body = a_config_map("ada-0123456789")
    body["metadata"].update(labels=LABELS, **metadata)
    return body


def test_a_revision_queues_its_assistant() -> None:
    def test(operation: Operation) -> None:
        reflector = followed(operation, "configmaps")
        reflector.changed("ADDED", ours())
        assert len(operation.store.revisions) == 1
        reflector.replace(None, [])
        assert len(operation.store.revisions) == 0

    assert operate(test) == [ADA]


@pytest.mark.parametrize("event", ["ADDED", "MODIFIED", "DELETED"])
def test_a_text_queues_those_who_refer_to_it(event: str) -> None:
    def test(operation: Operation) -> None:
        for name in ("ada", "bob"):
            body = an_assistant_body(name, uid=name, context=referring("ada-cv"))
            operation.store.remember_assistant(body)
        followed(operation, "configmaps").changed(event, a_config_map())

    assert set(operate(test)) == {ADA, BOB}


def test_config_maps_of_which_nobody_speaks_are_not_kept() -> None:
    def test(operation: Operation) -> None:
        reflector = followed(operation, "configmaps")
        reflector.replace(None, [a_config_map("x"), a_config_map("y")])
        reflector.changed("ADDED", a_config_map("z"))
        assert len(operation.store.sources) == 0

    assert operate(test) == []


def test_a_resync_corrects_the_store_and_queues_all() -> None:
    def test(operation: Operation) -> None:
        operation.assistant_seen("ADDED", an_assistant_body())
        before = tuple(operation.store.assistants)
        operation._correct(before, [an_assistant_body("bob", uid="b")])
        assert operation.store.assistants.get(ADA) is None
        assert operation.store.assistants.get(BOB)

    assert set(operate(test)) == {ADA, BOB}


def test_a_resync_does_not_forget_what_came_while_it_listed() -> None:
    def test(operation: Operation) -> None:
        before = tuple(operation.store.assistants)
        operation.assistant_seen("ADDED", an_assistant_body())
        operation._correct(before, [])
        assert operation.store.assistants.get(ADA)

    operate(test)


def test_a_resync_brings_nothing_back_that_went_while_it_listed() -> None:
    def test(operation: Operation) -> None:
        operation.assistant_seen("ADDED", an_assistant_body(version=10))
        before = tuple(operation.store.assistants)
        operation.assistant_seen("DELETED", an_assistant_body(version=12))
        operation._correct(before, [an_assistant_body(version=10)])
        assert operation.store.assistants.get(ADA) is None

    operate(test)


def test_only_config_maps_are_followed_without_their_contents() -> None:
    def test(operation: Operation) -> None:
        found = {r.resource.plural: r for r in operation._reflectors("shop")}
        assert set(found) == {"deployments", "services", "pods", "configmaps"}
        assert {name for name, r in found.items() if r.metadata_only} == {"configmaps"}
        assert {name for name, r in found.items() if not r.selector} == {"configmaps"}
        assert {r.namespace for r in found.values()} == {"shop"}

    operate(test)
