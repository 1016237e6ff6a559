"""The wiring: what is seen goes to the store, and the keys that it touches to the queue."""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest

from support.builders import (
    NAMESPACE,
    a_config_map,
    a_pod_body,
    an_assistant_body,
    child_metadata,
    referring,
)
from va_operator.api import Key, Manifest, parse
from va_operator.errors import ClusterFailure
from va_operator.fence import Fence, clock
from va_operator.inquiry import Inquiry, Pace
from va_operator.kinds import ASSISTANTS
from va_operator.leadership import Leadership
from va_operator.observed import read_child
from va_operator.operation import Operation
from va_operator.resources.metadata import INSTANCE_LABEL, MANAGED_BY
from va_operator.resync import read_listed
from va_operator.store import Store
from va_operator.work_queue import WorkQueue

ADA, BOB = Key(NAMESPACE, "ada"), Key(NAMESPACE, "bob")
NAMED = ("deployments", "services", "poddisruptionbudgets", "networkpolicies")
LABELS = {"app.kubernetes.io/managed-by": MANAGED_BY, INSTANCE_LABEL: "ada"}


def operate(test: Callable[[Operation], None]) -> list[Key]:
    """Run a test on an operation without a cluster; return the keys that are queued then."""

    async def run() -> list[Key]:
        nothing: Any = None
        queue = WorkQueue[Key]()
        operation = Operation(
            settings=cast("Any", SimpleNamespace(namespaces=())),
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


def listed(reflector: Any, *bodies: Manifest) -> None:
    """Let a reflector list objects."""
    reflector.replace(None, [reflector.read(body) for body in bodies], "99")


def followed(operation: Operation, plural: str) -> Any:
    reflectors = operation.following.reflectors(None)
    return next(found for found in reflectors if found.resource.plural == plural)


@pytest.mark.parametrize("event", [None, "ADDED", "MODIFIED"])
def test_an_assistant_is_remembered_and_queued(event: str | None) -> None:
    def test(operation: Operation) -> None:
        operation.assistant_seen(event, an_assistant_body())
        assert operation.store.assistants.get(ADA)
        assert operation.deliveries.missing([read_listed(an_assistant_body())]) == frozenset()

    assert operate(test) == [ADA]


def test_the_echo_of_what_is_known_queues_nobody() -> None:
    def test(operation: Operation) -> None:
        operation.store.remember_assistant(an_assistant_body())
        operation.assistant_seen("MODIFIED", an_assistant_body())
        operation.store.deployments.remember(read_child({"metadata": child_metadata()}))
        followed(operation, "deployments").changed("MODIFIED", {"metadata": child_metadata()})

    assert operate(test) == []


def test_a_deleted_assistant_is_forgotten_and_queued_once_more() -> None:
    def test(operation: Operation) -> None:
        operation.assistant_seen("ADDED", an_assistant_body(version=10))
        operation.assistant_seen("DELETED", an_assistant_body(version=11))
        assert operation.store.assistants.get(ADA) is None

    assert operate(test) == [ADA]


@pytest.mark.parametrize("context", [None, {}, [], "text", {"files": "text"}, {"files": [{}]}])
def test_an_assistant_that_cannot_be_read_harms_nobody(context: Any) -> None:
    def test(operation: Operation) -> None:
        broken = an_assistant_body(context=context)
        operation.assistant_seen("ADDED", broken)
        operation.assistant_seen("ADDED", an_assistant_body("bob"))
        assert operation.store.assistants.get(BOB)

    assert BOB in operate(test)


@pytest.mark.parametrize("plural", NAMED)
def test_a_child_queues_its_assistant(plural: str) -> None:
    def test(operation: Operation) -> None:
        reflector = followed(operation, plural)
        listed(reflector, {"metadata": child_metadata()})

    assert operate(test) == [ADA]


@pytest.mark.parametrize("plural", NAMED)
def test_news_and_the_end_of_a_child_queue_its_assistant(plural: str) -> None:
    def test(operation: Operation) -> None:
        reflector = followed(operation, plural)
        reflector.changed("ADDED", {"metadata": child_metadata(version=5)})
        reflector.changed("ADDED", {"metadata": child_metadata(version=5)})
        reflector.changed("DELETED", {"metadata": child_metadata(version=6)})
        assert not any(len(shelf) for shelf in operation.store.children.values())

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
        listed(reflector)
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
        listed(reflector)
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
        listed(reflector, a_config_map("x"), a_config_map("y"))
        reflector.changed("ADDED", a_config_map("z"))
        assert len(operation.store.sources) == 0

    assert operate(test) == []


def test_a_resync_corrects_the_store_and_queues_all() -> None:
    def test(operation: Operation) -> None:
        operation.assistant_seen("ADDED", an_assistant_body())
        operation._correct(None, [read_listed(an_assistant_body("bob", uid="b"))], "20")
        assert operation.store.assistants.get(ADA) is None
        assert operation.store.assistants.get(BOB)

    assert set(operate(test)) == {ADA, BOB}


def test_a_resync_does_not_forget_what_came_while_it_listed() -> None:
    def test(operation: Operation) -> None:
        operation.assistant_seen("ADDED", an_assistant_body(version=10))
        operation._correct(None, [], "9")
        assert operation.store.assistants.get(ADA)

    operate(test)


def test_a_resync_brings_nothing_back_that_went_while_it_listed() -> None:
    def test(operation: Operation) -> None:
        operation.assistant_seen("ADDED", an_assistant_body(version=10))
        operation.assistant_seen("DELETED", an_assistant_body(version=12))
        operation._correct(None, [read_listed(an_assistant_body(version=10))], "11")
        assert operation.store.assistants.get(ADA) is None

    operate(test)


def test_a_resync_goes_back_with_an_etcd_that_was_restored() -> None:
    def test(operation: Operation) -> None:
        operation.assistant_seen("ADDED", an_assistant_body(version=10, context=referring("later")))
        restored = an_assistant_body(version=7, context=referring("earlier"))
        operation._correct(None, [read_listed(restored)], "12")
        assert operation.store.assistants.get(ADA) == parse(restored)
        assert operation.store.referrers(Key(NAMESPACE, "earlier")) == (ADA,)
        assert operation.store.referrers(Key(NAMESPACE, "later")) == ()

    assert operate(test) == [ADA]


def test_a_resync_reads_anew_what_an_exchanged_api_shows_otherwise() -> None:
    def test(operation: Operation) -> None:
        operation.assistant_seen("ADDED", an_assistant_body(version=10))
        fuller = an_assistant_body(version=10, suspend=True)
        operation._correct(None, [read_listed(fuller)], "12")
        assert operation.store.assistants.get(ADA) == parse(fuller)

    assert operate(test) == [ADA]


def test_a_resync_keeps_what_it_cannot_read_as_it_was() -> None:
    def test(operation: Operation) -> None:
        operation.assistant_seen("ADDED", an_assistant_body(version=10))
        operation._correct(None, [read_listed(an_assistant_body(version=11, context="text"))], "12")
        assert operation.store.assistants.get(ADA) == parse(an_assistant_body(version=10))

    operate(test)


def test_nothing_is_queued_of_a_namespace_that_was_not_seen_as_a_whole() -> None:
    def test(operation: Operation) -> None:
        operation._unseen.update({NAMESPACE, "other"})
        operation.assistant_seen("ADDED", an_assistant_body())
        operation._unseen.discard(NAMESPACE)
        operation.assistant_seen("ADDED", an_assistant_body("bob", uid="b"))

    assert operate(test) == [BOB]


def test_a_namespace_is_corrected_by_its_own_list_alone() -> None:
    def test(operation: Operation) -> None:
        operation.assistant_seen("ADDED", an_assistant_body())
        operation.assistant_seen("ADDED", an_assistant_body(namespace="lab", uid="l"))
        assert [found.key for found in operation._known("lab")] == [Key("lab", "ada")]
        assert len(operation._known(None)) == 2
        operation._correct("lab", [], "20")
        assert [found.key for found in operation.store.assistants] == [ADA]

    operate(test)


def test_a_revision_that_lost_its_label_is_lost_and_found_again() -> None:
    def test(operation: Operation) -> None:
        maps = followed(operation, "configmaps")
        ours, bare = (a_config_map("ada-1", version=version) for version in (5, 6))
        ours["metadata"]["labels"] = LABELS
        maps.changed("ADDED", ours)
        assert len(operation.store.revisions) == 1
        maps.changed("MODIFIED", bare)
        assert len(operation.store.revisions) == 0
        ours["metadata"]["resourceVersion"] = "7"
        maps.changed("MODIFIED", ours)
        assert len(operation.store.revisions) == 1

    assert operate(test) == [ADA]


def test_a_text_with_our_label_is_followed_like_any_other() -> None:
    def test(operation: Operation) -> None:
        operation.assistant_seen("ADDED", an_assistant_body(context=referring("ada-cv")))
        labelled = a_config_map("ada-cv")
        labelled["metadata"]["labels"] = {**LABELS, INSTANCE_LABEL: "bob"}
        followed(operation, "configmaps").changed("ADDED", labelled)
        assert operation.store.sources.get(Key(NAMESPACE, "ada-cv"))

    assert set(operate(test)) == {ADA, BOB}


def test_only_config_maps_are_followed_without_their_contents() -> None:
    def test(operation: Operation) -> None:
        found = {r.resource.plural: r for r in operation.following.reflectors("shop")}
        assert set(found) == {*NAMED, "pods", "configmaps"}
        assert {name for name, r in found.items() if r.metadata_only} == {"configmaps"}
        assert {name for name, r in found.items() if not r.selector} == {"configmaps"}
        assert {r.namespace for r in found.values()} == {"shop"}

    operate(test)


def a_standby() -> Any:
    return Leadership(
        leases=cast("Any", None),
        key=Key("system", "lease"),
        identity="me",
        fence=Fence(),
        now=clock,
        wall=lambda: datetime.now(UTC),
    )


def test_a_standby_keeps_its_store_warm_queues_nothing_and_asks_no_pod() -> None:
    def test(operation: Operation) -> None:
        operation.leadership = a_standby()
        operation.assistant_seen("ADDED", an_assistant_body())
        listed(followed(operation, "deployments"), {"metadata": child_metadata()})
        running = [{"name": "assistant", "state": {"running": {}}}]
        pods = followed(operation, "pods")
        listed(pods, a_pod_body(podIP="10.1.0.7", containerStatuses=running))
        pods.changed("ADDED", a_pod_body("ada-2", podIP="10.1.0.8", containerStatuses=running))
        bodies = [an_assistant_body(), an_assistant_body("bob", uid="b")]
        operation._correct(None, list(map(read_listed, bodies)), "20")

        assert len(operation.store.assistants) == 2
        assert len(operation.store.deployments) == 1
        assert len(operation.store.pods) >= 1
        assert operation.inquiry._pods == {}
        assert operation.inquiry._heap == []

    assert operate(test) == []


def test_a_list_that_comes_again_asks_for_a_correction_and_the_first_one_does_not() -> None:
    def test(operation: Operation) -> None:
        operation.assistant_seen(None, an_assistant_body(version=10))
        operation.assistant_seen("MODIFIED", an_assistant_body(version=11))
        operation.assistant_seen("ADDED", an_assistant_body("bob", uid="b"))
        assert not operation.relisted.is_set()
        operation.assistant_seen(None, an_assistant_body(version=11))
        assert operation.relisted.is_set()
        operation.assistant_seen(None, an_assistant_body("bob", uid="b"))
        assert relists(operation) == 1, "each list is counted once"
        operation.assistant_seen("DELETED", an_assistant_body(version=12))
        operation.assistant_seen(None, an_assistant_body("bob", uid="b"))
        assert relists(operation) == 2

    operate(test)


def relists(operation: Operation) -> float | None:
    """Return how many lists that came again are told as metrics."""
    labels = {"resource": "virtualassistants", "cause": "expired"}
    return operation.metrics.registry.get_sample_value("va_operator_watch_restarts_total", labels)


class Lists:
    """An API server without children, which has bob or others, and may fail at first."""

    def __init__(self, *failures: ClusterFailure) -> None:
        self.failures = list(failures)
        self.bodies = [an_assistant_body("bob", uid="b")]
        self.lists = 0
        """Of assistants."""

    async def serves(self, resource: Any) -> bool:
        return True

    async def review_rules(self, namespace: str | None) -> Manifest:
        return {"resourceRules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]}

    async def list(
        self, resource: Any, namespace: str | None, *, read: Any, **_: Any
    ) -> tuple[list[Any], str]:
        if resource is not ASSISTANTS:
            return [], "20"
        self.lists += 1
        if self.failures:
            raise self.failures.pop(0)
        return [read(body) for body in self.bodies], "20"

    async def watch(self, *_: Any, **__: Any) -> AsyncIterator[Any]:
        await asyncio.Event().wait()
        yield


class Standby:
    """Waits for the Lease until somebody gives it."""

    def __init__(self) -> None:
        self.active, self.lapsed = asyncio.Event(), asyncio.Event()

    async def run(self) -> None:
        await asyncio.Event().wait()


def an_operation(api: Lists, leadership: Any = None) -> Operation:
    nothing: Any = None
    queue = WorkQueue[Key]()
    settings = SimpleNamespace(namespaces=(), resync_seconds=300, workers=0)
    return Operation(
        settings=cast("Any", settings),
        api=cast("Any", api),
        store=Store(),
        queue=queue,
        inquiry=Inquiry(ask=nothing, pace=Pace(unsettled=1, settled=1, budget=1), heard=queue.add),
        reconciler=nothing,
        leadership=leadership,
    )


async def until(met: Callable[[], bool], *, show: Callable[[], object]) -> None:
    """Wait for a condition, five seconds at most."""
    try:
        async with asyncio.timeout(5):
            while not met():
                await asyncio.sleep(0.005)
    except TimeoutError:
        pytest.fail(f"not met: {show()}")


def test_what_was_deleted_before_the_list_came_again_is_forgotten() -> None:
    async def run() -> None:
        operation = an_operation(Lists(ClusterFailure(503, "not now")))
        for event in (None, None):
            operation.assistant_seen(event, an_assistant_body())
            operation.assistant_seen(event, an_assistant_body("bob", uid="b"))
        correction = asyncio.create_task(operation._correct_after_lists())
        await until(
            lambda: operation.store.assistants.get(ADA) is None,
            show=lambda: [found.key for found in operation.store.assistants],
        )
        correction.cancel()
        assert operation.store.assistants.get(BOB)
        assert {await operation.queue.take() for _ in range(len(operation.queue))} == {ADA, BOB}
        await asyncio.wait_for(operation.vitals.schedule._doubted.wait(), timeout=5)

    asyncio.run(run())


def test_what_a_list_that_is_empty_did_not_tell_is_found_by_a_status_that_nobody_takes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("va_operator.operation.NEWS_SECONDS", 0.01)

    async def run() -> None:
        api = Lists()
        api.bodies = []
        operation = an_operation(api)
        operation.assistant_seen("ADDED", an_assistant_body())
        correction = asyncio.create_task(operation._correct_after_lists())
        operation.assistant_missed(parse(an_assistant_body()))
        await until(
            lambda: operation.store.assistants.get(ADA) is None,
            show=lambda: [found.key for found in operation.store.assistants],
        )
        correction.cancel()

    asyncio.run(run())


def test_no_list_is_made_for_a_deletion_that_the_watch_tells_in_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("va_operator.operation.NEWS_SECONDS", 0.01)

    async def run() -> None:
        operation = an_operation(Lists())
        operation.assistant_seen("ADDED", an_assistant_body(version=10))
        operation.assistant_missed(parse(an_assistant_body(version=10)))
        operation.assistant_seen("DELETED", an_assistant_body(version=11))
        over = asyncio.Event()
        asyncio.get_running_loop().call_later(0.02, over.set)
        await asyncio.wait_for(over.wait(), timeout=5)
        assert not operation.relisted.is_set()

    asyncio.run(run())


def test_the_watch_is_proved_soon_after_the_start_and_after_a_failure_and_then_rarely(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("va_operator.operation.SOON_SECONDS", 0.02)

    async def run() -> None:
        api = Lists()
        operation = an_operation(api)
        operation.deliveries.note(an_assistant_body("bob", uid="b"))
        work = asyncio.create_task(operation.run())
        await asyncio.wait_for(operation.served.wait(), timeout=5)
        await until(lambda: api.lists >= 1, show=lambda: api.lists)
        api.failures = [ClusterFailure(404, "not found")]
        # The first list, one that fails, and one that proves; then it rests.
        schedule = operation.vitals.schedule
        await until(lambda: math.inf > schedule.due > time.monotonic() + 60, show=lambda: schedule)
        assert api.lists == 3
        work.cancel()

    asyncio.run(run())


def test_a_new_leader_has_the_watch_proved_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("va_operator.operation.SOON_SECONDS", 0.02)
    monkeypatch.setattr("va_operator.resync.SOON_SECONDS", 0.02)

    async def run() -> None:
        api, leadership = Lists(), Standby()
        operation = an_operation(api, leadership)
        operation.deliveries.note(an_assistant_body("bob", uid="b"))
        work = asyncio.create_task(operation.run())
        schedule = operation.vitals.schedule
        await until(lambda: math.inf > schedule.due > time.monotonic() + 60, show=lambda: schedule)
        assert api.lists == 2
        leadership.active.set()  # One list for what was missed, and one for the proof.
        await until(lambda: api.lists == 4, show=lambda: api.lists)
        work.cancel()

    asyncio.run(run())


class Noting:
    """Takes down what it is to reconcile, and which version of its spec it would write."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.seen: list[tuple[str, int | None]] = []

    async def reconcile(self, key: Key) -> None:
        found = self.store.assistants.get(key)
        self.seen.append((key.name, found and found.generation))


def a_worker(api: Lists, leadership: Any) -> tuple[Operation, Noting]:
    operation = an_operation(api, leadership)
    operation.settings = cast("Any", SimpleNamespace(namespaces=(), resync_seconds=300, workers=1))
    operation.reconciler = noting = cast("Any", Noting(operation.store))
    return operation, noting


def test_a_new_leader_acts_on_nothing_that_only_a_watch_from_before_has_told() -> None:
    async def run() -> None:
        leadership = Standby()
        api = Lists()
        api.bodies = [an_assistant_body(version=10), an_assistant_body("bob", uid="b")]
        operation, noting = a_worker(api, leadership)
        work = asyncio.create_task(operation.run())
        await until(lambda: bool(operation.store.assistants.get(ADA)), show=lambda: api.lists)
        # The watch has died; who led until now wrote for another spec, and bob is gone.
        api.bodies = [an_assistant_body(version=12, generation=2)]
        api.failures = [ClusterFailure(503, "not now")]
        leadership.active.set()
        await until(lambda: ("ada", 2) in noting.seen, show=lambda: noting.seen)
        assert set(noting.seen) <= {("ada", 2), ("bob", None)}
        work.cancel()

    asyncio.run(run())


def test_a_leader_that_was_late_lists_and_queues_everything_when_it_goes_on() -> None:
    async def run() -> None:
        leadership = Standby()
        leadership.active.set()
        api = Lists()
        api.bodies = [an_assistant_body(version=10), an_assistant_body("bob", uid="b")]
        operation, noting = a_worker(api, leadership)
        work = asyncio.create_task(operation.run())
        await until(lambda: len(noting.seen) == 2, show=lambda: noting.seen)
        noting.seen.clear()

        leadership.active.clear()
        leadership.lapsed.set()
        api.bodies = [an_assistant_body(version=12, generation=2)]
        await until(lambda: not leadership.lapsed.is_set(), show=lambda: leadership)
        operation.assistant_seen("MODIFIED", an_assistant_body(version=11, generation=3))
        assert not len(operation.queue)
        leadership.active.set()
        await until(lambda: len(noting.seen) == 2, show=lambda: noting.seen)
        assert set(noting.seen) == {("ada", 2), ("bob", None)}
        assert operation.vitals.schedule._doubted.is_set()
        work.cancel()

    asyncio.run(run())


def test_those_who_share_a_text_wait_behind_one_who_changed() -> None:
    def test(operation: Operation) -> None:
        operation.assistant_seen("ADDED", an_assistant_body(context=referring("handbook")))
        operation.queue = WorkQueue[Key]()
        followed(operation, "configmaps").changed("ADDED", a_config_map("handbook"))
        operation.assistant_seen("ADDED", an_assistant_body("bob", uid="b"))
        assert operation.queue._waiting.keys() == {BOB}
        assert operation.queue._behind.keys() == {ADA}

    operate(test)


def test_a_list_is_tried_again_after_growing_pauses_or_those_that_are_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    monkeypatch.setattr("va_operator.operation.asyncio.sleep", sleep)
    failures = [ClusterFailure(0, "down")] * 6
    failures[3] = ClusterFailure(429, "busy", retry_after=20)

    async def run() -> None:
        operation = an_operation(Lists(*failures))
        listed, _ = await operation._list(None, wait_for_permission=True)
        assert [found.key for found in listed] == [BOB]

    asyncio.run(run())
    assert pauses == [0.5, 1, 2, 20, 5, 5]


def test_a_list_that_is_not_allowed_is_waited_for_at_the_start_alone() -> None:
    async def run() -> None:
        operation = an_operation(Lists(ClusterFailure(403, "no")))
        with pytest.raises(ClusterFailure, match="403"):
            await operation._list(None, wait_for_permission=False)

    asyncio.run(run())


def test_deliveries_of_what_was_deleted_unnoticed_are_not_kept() -> None:
    def test(operation: Operation) -> None:
        for name in ("ada", "bob", "new"):
            version = 30 if name == "new" else 10
            operation.assistant_seen("ADDED", an_assistant_body(name, uid=name, version=version))
        other = an_assistant_body(namespace="lab", uid="l")
        operation.assistant_seen("ADDED", other)
        listed = [read_listed(an_assistant_body("bob", uid="bob"))]
        operation._correct(NAMESPACE, listed, "20")
        kept = {BOB, Key(NAMESPACE, "new"), Key("lab", "ada")}
        assert operation.deliveries._versions.keys() == kept

    operate(test)
