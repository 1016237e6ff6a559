"""The API server answers with errors, slowly or not at all: nothing is lost, nothing repeated."""

import random
import time
from collections.abc import Callable
from itertools import pairwise

import pytest

from support.api_proxy import Answer, Call, Cut, Delay, Fault, a_write, anything, call_to
from support.cluster import until
from support.end_state import about, difference
from support.stage import WORKLOADS, Stage, Workload, create

pytestmark = pytest.mark.usefixtures("no_other_operator")

Record = Callable[..., None]

FAULTS: dict[str, Fault] = {
    "409": Answer(409, "Conflict"),
    "422": Answer(422, "Invalid"),
    "429": Answer(429, "TooManyRequests", headers={"Retry-After": "1"}),
    "500": Answer(500, "InternalError"),
    "503": Answer(503, "ServiceUnavailable"),
    "504 though applied": Answer(504, "Timeout", applied=True),
    "connection cut": Cut(),
    "connection cut though applied": Cut(applied=True),
}
CREATE, CONTEXT_CHANGE = WORKLOADS[:2]


@pytest.fixture(autouse=True)
def _no_fault_stays(stage: Stage) -> None:
    stage.proxy.clear()


@pytest.mark.parametrize("workload", [CREATE, CONTEXT_CHANGE], ids=str)
def test_any_write_that_fails_once_is_made_up_for(
    workload: Workload, stage: Stage, subtests: pytest.Subtests, recorded: Record
) -> None:
    """All cases at the same time, an assistant for each."""
    reference = stage.undisturbed(workload)
    cases = [(n, fault) for n in range(len(reference.writes)) for fault in FAULTS]
    names = stage.prepare(workload, len(cases))
    rules = [
        stage.proxy.when(a_write_about(name), FAULTS[fault], skip=n)
        for name, (n, fault) in zip(names, cases, strict=True)
    ]
    for name in names:
        workload.act(stage.objects, name)
    stage.rested(*names)

    for name, (n, fault), rule in zip(names, cases, rules, strict=True):
        with subtests.test(f"{fault} at write {n + 1}: {reference.writes[n]}"):
            # With so many at once Kubernetes says later still why there are no pods.
            stage.reached(name, reference.state)
            run = stage.result(name)
            lost = difference(reference.state, run.state)
            if not rule.met:
                assert not lost, run.writes
                continue
            for what, count in run.updates.items():
                assert count <= reference.updates[what] + 1, (what, run.writes)
            assert len(run.writes) <= 2 * len(reference.writes), run.writes
            [failed] = rule.met
            recovery = seconds_until_repeated(stage, name, failed)
            recorded(f"{fault} at a write", lost=len(lost), recovery=recovery)
            assert not lost, run.writes
    # Two writes may become one, so that the last is never met.
    met = sum(bool(rule.met) for rule in rules)
    assert met >= len(cases) - 2 * len(FAULTS), f"{met} of {len(cases)} faults"


def test_no_try_comes_sooner_than_the_api_server_asks(stage: Stage, recorded: Record) -> None:
    [name] = stage.prepare(CREATE, 1)
    busy = Answer(429, "TooManyRequests", headers={"Retry-After": "4"})
    rule = stage.proxy.when(call_to("patch", "deployments", name), busy, times=2)
    create(stage.objects, name)
    until(lambda: rule.met, within=10, show=stage.operator.log)
    stage.objects.kubectl("scale", f"va/{name}", "--replicas=3")  # News is no reason to hurry.
    written = call_to("patch", "deployments", name)
    until(
        lambda: any(call.succeeded for call in stage.proxy.find(written)),
        within=20,
        show=stage.operator.log,
    )
    stage.rested(name)

    tries = stage.proxy.find(written)
    pauses = [
        later.received - (before.answered or 0.0)
        for before, later in pairwise(tries)
        if before.status == 429
    ]
    assert len(pauses) == 2, tries
    assert min(pauses) >= 4, pauses
    recorded("429 with Retry-After of 4 s", times=2, recovery=max(pauses) - 4)


def test_slow_answers_cost_time_and_no_more_calls(stage: Stage, recorded: Record) -> None:
    count = 10
    reference = stage.undisturbed(CREATE)
    quick = stage.prepare(CREATE, count)
    for name in quick:
        create(stage.objects, name)
    stage.rested(*quick)
    calls = len(stage.proxy.find(about_any(quick)))

    slow = stage.prepare(CREATE, count)
    stage.proxy.when(anything, Delay(0.5), times=None)
    began = time.monotonic()
    for name in slow:
        create(stage.objects, name)
    stage.rested(*slow)
    stage.proxy.clear()
    for name in slow:
        stage.reached(name, reference.state)
    assert len(stage.proxy.find(about_any(slow))) <= 2 * calls
    recorded("all answers 0.5 s late", times=count, recovery=time.monotonic() - began)


def test_errors_at_random_delay_and_spoil_nothing(
    stage: Stage, recorded: Record, record_property: Callable[[str, object], None]
) -> None:
    """One of five requests fails, of every kind, lists and new watches too."""
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    record_property("seed", seed)
    reference = stage.undisturbed(CREATE)
    names = stage.prepare(CREATE, 20)
    dice = random.Random(seed)
    rules = [
        stage.proxy.when(lambda _: dice.random() < 0.05, Answer(status, "Once"), times=None)
        for status in (500, 503, 429, 504)
    ]
    stage.proxy.end()
    began = time.monotonic()
    for name in names:
        create(stage.objects, name)
    for name in names:
        stage.reached(name, reference.state)
    took = time.monotonic() - began
    stage.proxy.clear()
    stage.rested(*names)
    failed = sum(len(rule.met) for rule in rules)
    assert failed > 10
    recorded("5xx and 429 at a fifth of all requests", times=failed, recovery=took)


def a_write_about(name: str) -> Callable[[Call], bool]:
    concerns = about(name)
    return lambda call: a_write(call) and concerns(call)


def about_any(names: list[str]) -> Callable[[Call], bool]:
    matches = [about(name) for name in names]
    return lambda call: any(concerns(call) for concerns in matches)


def seconds_until_repeated(stage: Stage, name: str, failed: Call) -> float | None:
    """Return how long after its failure a write was sent again; None where it never was."""
    again = [
        call.received
        for call in stage.watcher.writes(name)
        if str(call) == str(failed) and call.received > failed.received
    ]
    return again[0] - failed.received if again else None
