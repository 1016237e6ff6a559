"""Changes in any order, and kills at any time, end in what was declared last."""

import json
import random
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from support.builders import OPENAI, a_manifest
from support.cluster import until
from support.end_state import difference, without_past
from support.stage import Stage

pytestmark = pytest.mark.usefixtures("no_other_operator")

Record = Callable[..., None]
Spec = dict[str, Any]

SEQUENCES = 30
SOAK_SECONDS = 180
CROWD = 60

CHANGES: dict[str, list[Any]] = {
    "text": ["Ada works.", "Ada rests.", "Ada sings."],
    "replicas": [0, 1, 2, 3],
    "model": [OPENAI, {}],
    "suspend": [True, False],
    "service": [{"type": "NodePort"}, {"type": "ClusterIP"}],
}
ONE_CHANGE = st.sampled_from([(f, value) for f, values in CHANGES.items() for value in values])
DISTURBANCES = st.sampled_from(["none", "none", "rest", "kill", "delete"])


class Twins:
    """What a spec leads to when nothing else ever happened."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.names: dict[str, str] = {}

    def of(self, spec: Spec) -> str:
        """Return the name of an assistant that was made with this spec, and never changed."""
        told = json.dumps(spec, sort_keys=True)
        if told not in self.names:
            self.names[told] = a_name()
            declare(self.stage, self.names[told], spec)
        return self.names[told]

    def agree(self, declared: dict[str, Spec]) -> None:
        """Wait until assistants are as their specs say."""
        twins = {name: self.of(spec) for name, spec in declared.items()}
        everyone = tuple({*twins, *twins.values()})

        def different() -> list[str]:
            states = self.stage.watcher.end_states(everyone)
            return [
                f"{name}{line}"
                for name, twin in twins.items()
                for line in difference(without_past(states[twin]), without_past(states[name]))
            ]

        self.stage.rested(*everyone)
        until(lambda: not different(), within=30, show=lambda: "\n".join(different()))


def a_name() -> str:
    return f"ada{uuid.uuid4().hex[:8]}"


def declare(stage: Stage, name: str, spec: Spec) -> None:
    stage.objects.create(a_manifest(name, **spec))


@pytest.fixture(scope="module")
def twins(stage: Stage) -> Twins:
    return Twins(stage)


@pytest.mark.timeout(1200)
def test_five_changes_in_any_order_end_in_what_was_declared_last(
    stage: Stage, twins: Twins, recorded: Record
) -> None:
    @given(st.lists(st.tuples(ONE_CHANGE, DISTURBANCES), min_size=5, max_size=5))
    @settings(
        max_examples=SEQUENCES,
        deadline=None,
        phases=(Phase.explicit, Phase.reuse, Phase.generate),  # Smaller ones take as long.
        suppress_health_check=list(HealthCheck),
    )
    def sequences(steps: list[tuple[tuple[str, Any], str]]) -> None:
        name, spec = a_name(), {"replicas": 2}
        declare(stage, name, spec)
        for (field, value), disturbance in steps:
            if disturbance == "rest":
                stage.rested(name)
            elif disturbance == "kill":
                stage.operator.kill()
                stage.operator.start()
            elif disturbance == "delete":
                stage.objects.kubectl("delete", "va", name, "--wait=true")
            spec = {**spec, field: value}
            declare(stage, name, spec)
        began = time.monotonic()
        twins.agree({name: spec})
        recorded("five changes in any order", recovery=time.monotonic() - began)
        stage.objects.kubectl("delete", "va", name, "--wait=false")

    sequences()


@pytest.mark.timeout(900)
def test_kills_at_random_while_a_crowd_changes_lose_nothing(
    stage: Stage, twins: Twins, recorded: Record
) -> None:
    seed = uuid.uuid4().int % 10**6
    print(f"seed {seed}")
    dice = random.Random(seed)
    declared: dict[str, Spec] = {}
    over = threading.Event()
    changer = threading.Thread(target=change_at_random, args=(stage, declared, dice, over))
    changer.start()
    kills = 0
    killing = random.Random(seed + 1)
    until_when = time.monotonic() + SOAK_SECONDS
    try:
        while time.monotonic() < until_when:
            over.wait(killing.uniform(0.1, 5))
            stage.operator.kill()
            stage.operator.start()
            kills += 1
    finally:
        over.set()
        changer.join()
    began = time.monotonic()
    assert len(declared) > CROWD / 3
    twins.agree(declared)
    took = time.monotonic() - began

    expected = {*declared, *twins.names.values()}
    until(
        lambda: (
            {
                body["metadata"]["labels"]["app.kubernetes.io/instance"]
                for _, body in stage.watcher.children()
            }
            <= expected
        ),
        within=60,
        show=lambda: str([body["metadata"]["name"] for _, body in stage.watcher.children()]),
    )
    recorded("killed at random in a crowd", times=kills, recovery=took)


def change_at_random(
    stage: Stage, declared: dict[str, Spec], dice: random.Random, over: threading.Event
) -> None:
    """Create, change and delete assistants until it is over; ``declared`` tells what should be."""
    while not over.is_set():
        known = sorted(declared)
        if len(known) < CROWD and (not known or dice.random() < 0.4):
            name = a_name()
            declared[name] = {"replicas": 2}
        else:
            name = dice.choice(known)
            if dice.random() < 0.1:
                stage.objects.kubectl("delete", "va", name, "--wait=true")
                if dice.random() < 0.5:
                    del declared[name]
                    continue
            field = dice.choice(sorted(CHANGES))
            declared[name] = {**declared[name], field: dice.choice(CHANGES[field])}
        declare(stage, name, declared[name])
