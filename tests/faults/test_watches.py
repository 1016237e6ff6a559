"""Watches that end, fall silent, repeat themselves, mix things up or tell of the past."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from support.api_proxy import Answer, Json, anything, call_to
from support.builders import a_manifest, referring
from support.cluster import Cluster, until
from support.end_state import difference
from support.stage import (
    WORKLOADS,
    Run,
    Stage,
    Workload,
    create,
    on_stage,
    scale,
)
from va_operator.kinds import ASSISTANTS, CHILDREN

pytestmark = pytest.mark.usefixtures("no_other_operator")

Record = Callable[..., None]

CREATE, CONTEXT_CHANGE, _, SCALE = WORKLOADS[:4]
DELETE_AND_CREATE = WORKLOADS[-1]
CHILD_KINDS = tuple(resource.plural for resource in CHILDREN.values())
WATCHED = (ASSISTANTS.plural, *CHILD_KINDS)


@pytest.fixture(autouse=True)
def _no_fault_stays(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "stage" in request.fixturenames:
        request.getfixturevalue("stage").proxy.clear()


def seconds_to_reach(stage: Stage, name: str, reference: Run) -> float:
    """Wait until an assistant is as it would be undisturbed; return how long that took."""
    began = time.monotonic()
    stage.reached(name, reference.state)
    took = time.monotonic() - began
    stage.rested(name)
    return took


def assert_no_more_was_written(stage: Stage, name: str, reference: Run) -> None:
    """Nothing was but what had to be; news that comes together or not makes one status more."""
    run = stage.result(name)
    assert not difference(reference.state, run.state), run.writes
    for what, count in run.updates.items():
        assert count <= reference.updates[what] + 1, (what, run.writes)


@pytest.mark.parametrize("how", ["ended", "expired (410)", "cut while it is opened anew"])
@pytest.mark.parametrize("workload", [CREATE, CONTEXT_CHANGE, SCALE], ids=str)
def test_watches_that_break_are_taken_up_again(
    workload: Workload, how: str, stage: Stage, recorded: Record
) -> None:
    reference = stage.undisturbed(workload)
    [name] = stage.prepare(workload, 1)
    opened = len(stage.proxy.watches())
    if how.startswith("expired"):
        assert stage.proxy.expire() == opened
    else:
        if how.startswith("cut"):
            stage.proxy.when(call_to("watch"), Answer(503), times=3)
        assert stage.proxy.end() == opened
    workload.act(stage.objects, name)

    took = seconds_to_reach(stage, name, reference)
    assert_no_more_was_written(stage, name, reference)
    assert took < 10
    recorded(f"all watches {how}", recovery=took)


@pytest.mark.parametrize("workload", [CREATE, CONTEXT_CHANGE, SCALE, DELETE_AND_CREATE], ids=str)
def test_events_that_come_twice_change_nothing(
    workload: Workload, stage: Stage, recorded: Record
) -> None:
    reference = stage.undisturbed(workload)
    [name] = stage.prepare(workload, 1)
    stage.proxy.change_events(anything, lambda event: [event, event])
    workload.act(stage.objects, name)

    recorded("every event twice", recovery=seconds_to_reach(stage, name, reference))
    assert_no_more_was_written(stage, name, reference)


@pytest.mark.parametrize("workload", [CREATE, CONTEXT_CHANGE, SCALE, DELETE_AND_CREATE], ids=str)
def test_events_in_the_wrong_order_change_nothing(
    workload: Workload, stage: Stage, recorded: Record
) -> None:
    """Each event is followed by the one before it: what comes later is older."""
    reference = stage.undisturbed(workload)
    [name] = stage.prepare(workload, 1)
    for resource in WATCHED:
        stage.proxy.change_events(call_to("watch", resource), Echo())
    workload.act(stage.objects, name)

    recorded("every event followed by an older", recovery=seconds_to_reach(stage, name, reference))
    assert_no_more_was_written(stage, name, reference)


class Echo:
    """Sends after each event the one before it once more."""

    def __init__(self) -> None:
        self.before: Json | None = None

    def __call__(self, event: Json) -> list[Json]:
        if event["type"] not in {"ADDED", "MODIFIED", "DELETED"}:
            return [event]
        older, self.before = self.before, event
        return [event] if older is None else [event, older]


@pytest.mark.parametrize("workload", [CONTEXT_CHANGE, SCALE, DELETE_AND_CREATE], ids=str)
def test_what_was_seen_before_and_is_seen_again_leads_to_no_write(
    workload: Workload, stage: Stage, recorded: Record
) -> None:
    """Every event that there ever was comes again, when all is over."""
    reference = stage.undisturbed(workload)
    [name] = stage.prepare(CREATE, 1)
    create(stage.objects, name)
    stage.rested(name)
    workload.act(stage.objects, name)
    stage.reached(name, reference.state)
    stage.rested(name)
    before = len(stage.watcher.writes(name))

    past = [
        (call.resource, event)
        for call, event in tuple(stage.proxy.events)
        if event["type"] in {"ADDED", "MODIFIED", "DELETED"}
        and event["object"]["metadata"]["name"].startswith(name)
    ]
    assert len(past) >= 5
    for resource, event in past:
        assert stage.proxy.inject(event, call_to("watch", resource))
    stage.rested(name)

    assert [str(call) for call in stage.watcher.writes(name)[before:]] == []
    assert not difference(reference.state, stage.watcher.end_state(name))
    recorded("old event replayed", times=len(past))


@pytest.mark.parametrize("workload", [CONTEXT_CHANGE, SCALE, DELETE_AND_CREATE], ids=str)
def test_a_list_of_the_past_leads_to_no_wrong_write(
    workload: Workload, stage: Stage, recorded: Record
) -> None:
    """A relist is answered as it was before the change, and the watch goes on from there."""
    reference = stage.undisturbed(workload)
    [name] = stage.prepare(workload, 1)
    begun = time.monotonic()
    opened = stage.proxy.expire()

    def answers() -> dict[str, bytes]:
        """Return what the relists of now were answered, as far as they were."""
        calls = {resource: stage.proxy.find(call_to("list", resource)) for resource in WATCHED}
        return {
            resource: found[-1].answer
            for resource, found in calls.items()
            if found and found[-1].received > begun and found[-1].answer
        }

    until(
        lambda: len(answers()) == len(WATCHED) and len(stage.proxy.watches()) == opened,
        within=20,
        show=stage.operator.log,
    )
    lists = answers()
    workload.act(stage.objects, name)
    stage.reached(name, reference.state)
    stage.rested(name)
    done = stage.watcher.updates(name)

    rules = [
        stage.proxy.when(call_to("list", resource), Answer(200, body=body))
        for resource, body in lists.items()
    ]
    stage.proxy.expire()
    until(lambda: all(rule.met for rule in rules), within=20, show=stage.operator.log)
    stage.rested(name)

    assert stage.watcher.updates(name) == done, stage.watcher.writes(name)
    took = seconds_to_reach(stage, name, reference)
    recorded("stale list", times=len(rules), recovery=took)


@pytest.mark.parametrize("resource", CHILD_KINDS)
def test_events_that_never_came_are_made_up_for_by_the_next_list(
    resource: str, stage: Stage, recorded: Record
) -> None:
    reference = stage.undisturbed(CREATE)
    [name] = stage.prepare(CONTEXT_CHANGE, 1)
    stage.proxy.change_events(call_to("watch", resource), lambda _: [])
    [child] = [
        body["metadata"]["name"]
        for kind, body in stage.watcher.children()
        if CHILDREN[kind].plural == resource and body["metadata"]["name"].startswith(name)
    ]
    stage.objects.kubectl("delete", resource, child)
    stage.proxy.clear()
    assert stage.proxy.expire(call_to("watch", resource)) == 1

    took = seconds_to_reach(stage, name, reference)
    assert took < 10
    recorded(f"lost events of {resource}, then 410", recovery=took)


def heal_the_deployment(stage: Stage, name: str) -> Callable[[], bool]:
    stage.objects.kubectl("scale", f"deployment/{name}", "--replicas=7")
    return lambda: stage.objects.get("deployment", name)["spec"]["replicas"] == 2


def make_anew(resource: str) -> Callable[[Stage, str], Callable[[], bool]]:
    def disturb(stage: Stage, name: str) -> Callable[[], bool]:
        stage.objects.kubectl("delete", resource, name)
        return lambda: stage.objects.find(resource, name) is not None

    return disturb


def follow_the_source(stage: Stage, name: str) -> Callable[[], bool]:
    before = stage.watcher.assistant(name)["status"]["revision"]["desired"]
    stage.objects.kubectl("patch", "cm", f"{name}-cv", "-p", '{"data": {"cv.md": "More."}}')
    return lambda: stage.watcher.assistant(name)["status"]["revision"]["desired"] != before


def follow_the_spec(stage: Stage, name: str) -> Callable[[], bool]:
    scale(stage.objects, name)
    return lambda: stage.objects.get("deployment", name)["spec"]["replicas"] == 3


SILENT = {
    "virtualassistants": follow_the_spec,
    "deployments": heal_the_deployment,
    "configmaps": follow_the_source,
    **{r: make_anew(r) for r in ("services", "poddisruptionbudgets", "networkpolicies")},
}
SILENCE_LIMIT = 110
"""Seconds: 100 without a bookmark are too many, and kopf waits for 70."""


@pytest.mark.timeout(400)
def test_a_watch_that_falls_silent_is_noticed_and_opened_anew(
    cluster: Cluster, tmp_path_factory: pytest.TempPathFactory, recorded: Record
) -> None:
    """An operator for each kind, all at the same time."""
    with ExitStack() as stages:
        waiting: dict[str, Callable[[], bool]] = {}
        began: dict[str, float] = {}
        for resource, disturb in SILENT.items():
            stage = stages.enter_context(
                on_stage(cluster, tmp_path_factory.mktemp("silent"), resync_seconds="600")
            )
            name = f"ada{resource}"
            source = {"metadata": {"name": f"{name}-cv"}, "data": {"cv.md": "Ada works."}}
            stage.objects.create({"apiVersion": "v1", "kind": "ConfigMap", **source})
            stage.objects.create(
                a_manifest(name, replicas=2, context=referring(f"{name}-cv", key="cv.md"))
            )
            stage.rested(name)
            assert stage.proxy.stall(call_to("watch", resource)) == 1
            began[resource] = time.monotonic()
            waiting[resource] = disturb(stage, name)
        while waiting:
            for resource in [resource for resource, is_well in waiting.items() if is_well()]:
                del waiting[resource]
                took = time.monotonic() - began[resource]
                recorded(f"silent watch of {resource}", recovery=took)
            late = [r for r in waiting if time.monotonic() - began[r] > SILENCE_LIMIT]
            assert not late
            time.sleep(0.5)


@pytest.mark.timeout(300)
def test_a_watch_that_is_dead_though_it_speaks_ends_the_process_and_the_next_makes_up(
    cluster: Cluster, tmp_path_factory: pytest.TempPathFactory, recorded: Record
) -> None:
    with on_stage(cluster, tmp_path_factory.mktemp("dead"), resync_seconds="5") as stage:
        [other] = stage.prepare(CREATE, 1)
        create(stage.objects, other)
        stage.rested(other)
        alive = next(e for call, e in stage.proxy.events if call.resource == "virtualassistants")
        dead = call_to("watch", "virtualassistants")
        stage.proxy.change_events(dead, lambda _: [])
        began = time.monotonic()
        [name] = stage.prepare(CREATE, 1)
        create(stage.objects, name)

        def ended() -> bool:
            stage.proxy.inject(alive, dead)
            return stage.operator.is_dead

        until(ended, within=120, show=stage.operator.log)
        assert "has not delivered" in stage.operator.log()
        assert "Traceback" not in stage.operator.log()
        stage.proxy.clear()
        stage.operator.start()  # as Kubernetes does
        stage.rested(name)
        recorded("dead watch, left by exit", recovery=time.monotonic() - began)
