"""Killed before and after every single write: the next start ends where an undisturbed run does."""

import time
from collections.abc import Callable

import pytest

from support.cluster import until
from support.end_state import difference
from support.stage import WORKLOADS, Stage, Workload

pytestmark = pytest.mark.usefixtures("no_other_operator")


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("workload", WORKLOADS, ids=str)
def test_an_operator_killed_at_any_write_ends_where_an_undisturbed_one_does(
    workload: Workload,
    stage: Stage,
    subtests: pytest.Subtests,
    recorded: Callable[..., None],
) -> None:
    reference = stage.undisturbed(workload)
    cases = [(n, applied) for n in range(len(reference.writes)) for applied in (False, True)]
    names = stage.prepare(workload, len(cases))
    hits = 0
    for name, (n, applied) in zip(names, cases, strict=True):
        when = f"{'after' if applied else 'before'} write {n + 1}: {reference.writes[n]}"
        with subtests.test(when):
            try:
                hit = stage.killed(workload, name, n, applied=applied)
            finally:
                if stage.operator.is_dead:
                    began = time.monotonic()
                    stage.operator.start()
            recovery = None
            if hit:
                hits += 1
                stage.reached(name, reference.state)
                recovery = time.monotonic() - began
            stage.rested(name)
            run = stage.result(name)
            lost = difference(reference.state, run.state)
            if hit:
                recorded(f"killed in {workload}", lost=len(lost), recovery=recovery)
            assert not lost
            for what, count in run.updates.items():
                assert count <= reference.updates[what] + 1, (what, run.writes)
            for reason, count in run.events.items():
                assert count <= reference.events[reason] + 1, (reason, run.writes)
            assert len(run.writes) <= 2 * len(reference.writes) + 2, run.writes
    # Two writes may become one, so that the last is never met.
    assert hits >= len(cases) - 2, f"{hits} kills of {len(cases)}"


def test_nothing_is_left_when_the_assistants_are_deleted(stage: Stage) -> None:
    stage.objects.kubectl("delete", "va", "--all", "--wait=false")
    until(
        lambda: not stage.watcher.children(),
        within=120,
        show=lambda: str([body["metadata"]["name"] for _, body in stage.watcher.children()]),
    )
