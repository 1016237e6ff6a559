"""What an operator of another version restarts: nothing unasked, and not all at once."""

import copy
import json
from dataclasses import replace

import pytest

from support.builders import EVERYTHING, IMAGES, OPENAI, an_assistant
from support.memory_operator import ADA, MemoryOperator
from va_operator.api import Key, Manifest
from va_operator.desired import only_upgrades
from va_operator.errors import ChildRefused, ClusterFailure
from va_operator.observed import read_child
from va_operator.resources import deployment
from va_operator.resources.deployment import build_deployment
from va_operator.resources.pod_template import build_template
from va_operator.template_stamp import STAMP_ANNOTATION, stamp_in

NEWER = replace(IMAGES, assistant="example.com/assistant:2")


def template(operator: MemoryOperator, key: Key = ADA) -> Manifest:
    found: Manifest = operator.child("Deployment", key)["spec"]["template"]
    return found


def image(operator: MemoryOperator, key: Key = ADA) -> str:
    found: str = template(operator, key)["spec"]["containers"][0]["image"]
    return found


@pytest.fixture
def operator() -> MemoryOperator:
    operator = MemoryOperator()
    operator.ask_for()
    operator.settle()
    return operator


@pytest.fixture
def other_shape(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make this operator build its pods differently, as another version would."""

    def shaped(*given: object) -> Manifest:
        made = copy.deepcopy(build_template(*given))  # type: ignore[arg-type]
        made["spec"]["terminationGracePeriodSeconds"] = 7
        return made

    monkeypatch.setattr(deployment, "build_template", shaped)


@pytest.mark.usefixtures("other_shape")
class TestAnotherShape:
    """An operator of a version that builds other pods."""

    @pytest.fixture
    def before(self) -> MemoryOperator:
        return MemoryOperator()

    def settle_before(self, before: MemoryOperator, patch: pytest.MonkeyPatch) -> Manifest:
        with patch.context() as earlier:
            earlier.setattr(deployment, "build_template", build_template)
            before.ask_for()
            before.settle()
        before.restart()
        return template(before)

    def test_pods_that_nobody_asked_to_change_stay(
        self, before: MemoryOperator, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        old = self.settle_before(before, monkeypatch)
        assert before.reconcile() == []
        assert template(before) == old

    def test_scaling_leaves_them_too(
        self, before: MemoryOperator, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        old = self.settle_before(before, monkeypatch)
        before.ask_for(replicas=5)
        before.settle()
        assert template(before) == old
        assert before.child("Deployment")["spec"]["replicas"] == 5

    @pytest.mark.parametrize("change", [{"text": "Ada rests."}, {"podLabels": {"team": "blue"}}])
    def test_a_change_that_is_asked_for_brings_the_new_shape(
        self, before: MemoryOperator, monkeypatch: pytest.MonkeyPatch, change: Manifest
    ) -> None:
        self.settle_before(before, monkeypatch)
        before.ask_for(**change)
        before.settle()
        assert template(before)["spec"]["terminationGracePeriodSeconds"] == 7
        assert before.reconcile() == []

    def test_an_edit_by_hand_still_heals(
        self, before: MemoryOperator, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.settle_before(before, monkeypatch)
        body = before.child("Deployment")
        body["spec"]["template"]["spec"]["containers"][0]["image"] = "evil"
        before.cluster.put(body)
        before.settle()
        assert image(before) == IMAGES.assistant


def three(operator: MemoryOperator) -> list[Key]:
    for name in ("bea", "cleo"):
        operator.ask_for(name)
        operator.settle(Key(ADA.namespace, name))
    return [Key(ADA.namespace, name) for name in ("ada", "bea", "cleo")]


def is_rolled_out(operator: MemoryOperator, key: Key, **more: object) -> None:
    """Report of a Deployment what its controller does when all its pods are ready."""
    body = operator.child("Deployment", key)
    counts = dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas"), 2)
    seen = {"observedGeneration": body["metadata"]["generation"], **counts, **more}
    operator.cluster.put({**body, "status": seen})


def test_other_images_reach_a_few_assistants_at_a_time(operator: MemoryOperator) -> None:
    keys = three(operator)
    operator.images = NEWER
    operator.restart()
    for key in keys:
        operator.reconcile(key)

    assert [image(operator, key)[-1] for key in keys] == ["2", "2", "1"]
    assert operator.reconcile(keys[2]) == []
    assert operator.woken == []
    assert operator.reconciler.children.upgrades.counts == {"under_way": 2, "waiting": 1}

    is_rolled_out(operator, keys[0])
    operator.reconcile(keys[0])
    assert set(operator.woken) == {keys[2]}
    operator.reconcile(keys[2])
    assert image(operator, keys[2])[-1] == "2"


LATE = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}


def upgraded_one_at_a_time(operator: MemoryOperator, keys: list[Key]) -> None:
    operator.images, operator.upgrade_rollouts = NEWER, 1
    operator.restart()
    for key in keys:
        operator.reconcile(key)


def test_one_that_the_new_images_broke_keeps_its_place(operator: MemoryOperator) -> None:
    keys = three(operator)
    is_rolled_out(operator, ADA)
    upgraded_one_at_a_time(operator, keys)
    is_rolled_out(operator, ADA, readyReplicas=1, conditions=[LATE])
    operator.reconcile(ADA)
    assert operator.woken == []

    is_rolled_out(operator, ADA)
    operator.reconcile(ADA)
    assert operator.woken == [keys[1]]


def test_one_that_was_broken_before_makes_room_at_its_deadline(operator: MemoryOperator) -> None:
    keys = three(operator)
    is_rolled_out(operator, ADA, readyReplicas=0)
    upgraded_one_at_a_time(operator, keys)
    is_rolled_out(operator, ADA, readyReplicas=0)
    operator.reconcile(ADA)
    assert operator.woken == []

    is_rolled_out(operator, ADA, readyReplicas=0, conditions=[LATE])
    operator.reconcile(ADA)
    assert operator.woken == [keys[1]]


def half_upgraded(operator: MemoryOperator, **more: object) -> list[Key]:
    """Let ada have one new pod beside her two old ones, and start the operator anew."""
    keys = three(operator)
    is_rolled_out(operator, ADA)
    upgraded_one_at_a_time(operator, keys)
    is_rolled_out(operator, ADA, replicas=3, updatedReplicas=1, **more)
    operator.restart()
    return keys


def test_a_restart_gives_no_place_twice(operator: MemoryOperator) -> None:
    keys = half_upgraded(operator)
    for key in (keys[1], keys[2], ADA):
        assert "Deployment" not in " ".join(operator.reconcile(key))
    assert operator.reconciler.children.upgrades.counts == {"under_way": 1, "waiting": 2}

    is_rolled_out(operator, ADA)
    operator.reconcile(ADA)
    assert operator.woken[-1] in keys[1:]


def test_a_restart_gives_no_place_twice_that_the_controller_has_not_looked_at(
    operator: MemoryOperator,
) -> None:
    keys = three(operator)
    is_rolled_out(operator, ADA)
    upgraded_one_at_a_time(operator, keys)
    operator.restart()
    assert operator.reconcile(keys[1]) == []


def test_bad_images_get_no_further_after_a_restart(operator: MemoryOperator) -> None:
    keys = half_upgraded(operator, conditions=[LATE])
    operator.reconcile(keys[1])
    operator.reconcile(ADA)
    assert image(operator, keys[1])[-1] == "1"
    assert operator.woken == []


def test_one_that_was_broken_before_a_restart_makes_room_at_its_deadline(
    operator: MemoryOperator,
) -> None:
    keys = half_upgraded(operator, readyReplicas=0, conditions=[LATE])
    operator.reconcile(keys[1])
    operator.reconcile(ADA)
    assert operator.woken == [keys[1]]


def pause(operator: MemoryOperator, key: Key) -> None:
    body = operator.child("Deployment", key)
    operator.cluster.put({**body, "spec": {**body["spec"], "paused": True}})


def test_one_that_somebody_paused_makes_room(operator: MemoryOperator) -> None:
    keys = three(operator)
    upgraded_one_at_a_time(operator, keys)
    pause(operator, ADA)
    operator.reconcile(ADA)
    assert operator.woken == [keys[1]]


def test_one_that_was_paused_before_a_restart_has_no_place(operator: MemoryOperator) -> None:
    keys = half_upgraded(operator)
    pause(operator, ADA)
    operator.reconcile(keys[1])
    assert image(operator, keys[1])[-1] == "2"


def test_one_whose_deployment_is_refused_makes_room_for_another(operator: MemoryOperator) -> None:
    keys = three(operator)
    operator.images, operator.upgrade_rollouts = NEWER, 1
    operator.restart()
    operator.observe()
    operator.reconciler.children.upgrades.admit(keys[0])
    operator.reconcile(keys[1])
    operator.cluster.refuses = lambda body: (
        ClusterFailure(403, "forbidden") if body["kind"] == "Deployment" else None
    )
    with pytest.raises(ChildRefused):
        operator.reconcile(keys[0])
    assert operator.woken == [keys[1]]


def test_one_that_is_deleted_makes_room(operator: MemoryOperator) -> None:
    keys = three(operator)
    operator.images, operator.upgrade_rollouts = NEWER, 1
    operator.restart()
    for key in keys[:2]:
        operator.reconcile(key)
    operator.cluster.erase("VirtualAssistant", ADA)
    operator.cluster.erase("Deployment", ADA)
    operator.reconcile(ADA)
    assert set(operator.woken) == {keys[1]}


def test_what_people_ask_for_waits_for_nobody(operator: MemoryOperator) -> None:
    keys = three(operator)
    operator.images, operator.upgrade_rollouts = NEWER, 1
    operator.restart()
    operator.reconcile(keys[0])
    operator.ask_for("bea", text="Bea rests.")
    operator.reconcile(keys[1])
    assert image(operator, keys[1])[-1] == "2"


def test_an_assistant_without_pods_takes_no_turn(operator: MemoryOperator) -> None:
    operator.ask_for(suspend=True)
    operator.settle()
    operator.images, operator.upgrade_rollouts = NEWER, 0
    operator.restart()
    operator.reconcile()
    assert image(operator)[-1] == "2"


def unstamped(body: Manifest) -> Manifest:
    """Return a Deployment as an operator before there were stamps had written it."""
    del body["metadata"]["annotations"][STAMP_ANNOTATION]
    return body


def test_pods_from_before_there_were_stamps_take_turns_too(operator: MemoryOperator) -> None:
    seen = read_child(operator.child("Deployment"))
    seen = replace(seen, owned_json=json.dumps(unstamped(seen.owned)))
    revision = template(operator)["metadata"]["labels"]["virtualassistant.dev/revision"]

    assert only_upgrades(build_deployment(an_assistant(), revision, NEWER), seen)
    assert not only_upgrades(build_deployment(an_assistant(), "other", NEWER), seen)


def stamp(**given: object) -> tuple[str, ...]:
    body = build_deployment(an_assistant(**given), "3f2a91c0de", IMAGES)
    found = stamp_in(body)
    assert found is not None
    return found


def test_a_stamp_is_the_same_in_every_version() -> None:
    """A stamp that changes with a version of the operator restarts every pod of the cluster."""
    assert stamp()[:2] == ("38e69b29be", "92f6ee5c48")
    assert stamp(**EVERYTHING)[:2] == ("26699bd171", "92f6ee5c48")


def test_a_stamp_tells_what_was_asked_and_which_images_are_used() -> None:
    asked, images, _ = stamp()
    assert stamp(replicas=5, suspend=True, service={"port": 81})[:2] == (asked, images)
    assert stamp(limits={}, auth=None, budget={})[:2] == (asked, images)
    assert stamp(podLabels={"team": "blue"})[0] != asked
    assert stamp(limits={"requestsPerMinute": 0})[0] != asked
    assert stamp(budget={"tokensPerDay": 5000})[0] != asked
    assert stamp(auth={"tokenSecretRef": {"name": "t", "key": "k"}})[0] != asked
    assert stamp(model=OPENAI)[1] != images
