"""The reconciler: what it writes, what it leaves alone, and that it may die anywhere."""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.builders import NAMESPACE, OPENAI, a_config_map, a_pod, a_report, referring
from support.memory_cluster import Died, MemoryCluster
from support.memory_operator import ADA, MemoryOperator
from va_operator.api import KIND, Key, Manifest, VirtualAssistant
from va_operator.errors import ChildRefused, ClusterFailure
from va_operator.kinds import Resource
from va_operator.observed import read_config_map
from va_operator.resolver import Resolver
from va_operator.store import NAMED_CHILDREN

CV = Key(NAMESPACE, "ada-cv")


def an_operator(**spec: Any) -> MemoryOperator:
    """Return an operator that has settled one assistant."""
    operator = MemoryOperator()
    operator.ask_for(**spec)
    operator.settle()
    return operator


def a_source(text: str = "Ada works.") -> Manifest:
    return {"kind": "ConfigMap", "metadata": {"name": "ada-cv", "namespace": NAMESPACE},
            "data": {"cv.md": text}}  # fmt: skip


def test_a_new_assistant_takes_a_write_for_each_child_and_one_for_its_status() -> None:
    operator = MemoryOperator()
    operator.ask_for()

    *children, status = operator.reconcile()
    [revision] = operator.revisions()
    assert sorted(children) == [
        f"ConfigMap {revision}",
        "Deployment ada",
        "NetworkPolicy ada",
        "PodDisruptionBudget ada",
        "Service ada",
    ]
    assert status == "status ada"
    assert operator.cluster.reads == 0
    assert operator.reconcile() == []


def test_after_a_restart_nothing_is_written() -> None:
    operator = an_operator()
    operator.restart()
    assert operator.settle() is None
    assert operator.reconcile() == []


def test_the_deployment_is_written_after_the_revision_that_it_names() -> None:
    operator = an_operator()
    [name] = operator.revisions()
    volumes = operator.child("Deployment")["spec"]["template"]["spec"]["volumes"]

    assert {"name": "revision", "configMap": {"name": name}} in volumes
    writes = operator.cluster.writes
    assert writes.index(f"ConfigMap {name}") < writes.index("Deployment ada")


def test_an_unknown_key_is_nothing() -> None:
    assert MemoryOperator().reconcile() == []


def test_an_assistant_on_its_way_out_is_left_alone() -> None:
    operator = an_operator()
    going = {"name": "ada", "namespace": NAMESPACE, "deletionTimestamp": "2026-01-01T00:00:00Z"}
    operator.cluster.put({"kind": KIND, "metadata": going})
    operator.cluster.erase("Service", ADA)
    assert operator.reconcile() == []


def test_scaling_writes_the_deployment_only() -> None:
    operator = an_operator()
    operator.ask_for(replicas=5)

    assert operator.reconcile() == ["Deployment ada", "status ada"]
    assert operator.child("Deployment")["spec"]["replicas"] == 5
    assert len(operator.revisions()) == 1


def test_another_context_is_another_revision_and_a_rollout() -> None:
    operator = an_operator()
    before = operator.revisions()
    operator.ask_for(text="Ada rests.")

    operator.settle()
    assert len(operator.revisions()) == 2
    [new] = set(operator.revisions()) - set(before)
    assert operator.assistant()["status"]["revision"]["desired"] == new.removeprefix("ada-")


def test_going_back_to_an_earlier_context_writes_no_config_map() -> None:
    operator = an_operator()
    operator.ask_for(text="Ada rests.")
    operator.settle()
    operator.ask_for()

    assert operator.reconcile() == ["Deployment ada", "status ada"]


# Drift


@pytest.mark.parametrize("kind", NAMED_CHILDREN)
def test_a_deleted_child_comes_back(kind: str) -> None:
    operator = an_operator()
    operator.cluster.erase(kind, ADA)

    assert operator.reconcile()[0] == f"{kind} ada"
    assert operator.reconcile() == []


def test_a_deleted_revision_comes_back() -> None:
    operator = an_operator()
    [name] = operator.revisions()
    operator.cluster.erase("ConfigMap", Key(NAMESPACE, name))

    assert operator.reconcile() == [f"ConfigMap {name}"]


EDITS: dict[str, Callable[[MemoryCluster], object]] = {
    "replicas": lambda cluster: cluster.put(
        {"kind": "Deployment", "metadata": {"name": "ada", "namespace": NAMESPACE},
         "spec": {"replicas": 9}}
    ),
    "an image": lambda cluster: cluster.put(
        {"kind": "Deployment", "metadata": {"name": "ada", "namespace": NAMESPACE},
         "spec": {"template": {"spec": {"containers": [{"name": "assistant", "image": "evil"}]}}}}
    ),
    "an image, applied": lambda cluster: cluster.side_apply(
        {"kind": "Deployment", "metadata": {"name": "ada", "namespace": NAMESPACE},
         "spec": {"template": {"spec": {"containers": [{"name": "assistant", "image": "evil"}]}}}},
        "somebody",
    ),
    "a label": lambda cluster: cluster.put(
        {"kind": "Deployment", "metadata": {"name": "ada", "namespace": NAMESPACE,
         "labels": {"app.kubernetes.io/name": "x"}}}
    ),
    "a label that is gone": lambda cluster: cluster.remove(
        "Deployment", ADA, "metadata", "labels", "app.kubernetes.io/name"
    ),
    "the label by which it is watched": lambda cluster: cluster.remove(
        "Deployment", ADA, "metadata", "labels", "app.kubernetes.io/managed-by"
    ),
    "the owner": lambda cluster: cluster.remove("Deployment", ADA, "metadata", "ownerReferences"),
    "a probe that is gone": lambda cluster: cluster.remove(
        "Deployment", ADA, "spec", "template", "spec", "containers", 'k:{"name":"assistant"}',
        "readinessProbe",
    ),
}  # fmt: skip


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_an_edited_field_is_healed(edit: Callable[[MemoryCluster], object]) -> None:
    operator, calm = an_operator(), an_operator()
    edit(operator.cluster)

    assert operator.reconcile()[0] == "Deployment ada"
    assert operator.reconcile() == []
    for part in ("spec", "metadata"):
        healed, right = operator.child("Deployment")[part], calm.child("Deployment")[part]
        for volatile in ("resourceVersion", "generation", "managedFields", "creationTimestamp"):
            healed.pop(volatile, None)
            right.pop(volatile, None)
        assert healed == right


FOREIGN: dict[str, Manifest] = {
    "a label": {"metadata": {"labels": {"team": "blue"}}},
    "an annotation": {"metadata": {"annotations": {"note": "mine"}}},
    "a sidecar": {"spec": {"template": {"spec": {"containers": [{"name": "mesh", "image": "m"}]}}}},
    "a variable": {
        "spec": {
            "template": {
                "spec": {
                    "containers": [{"name": "assistant", "env": [{"name": "X", "value": "1"}]}]
                }
            }
        }
    },
}


@pytest.mark.parametrize("change", FOREIGN.values(), ids=FOREIGN)
def test_what_others_added_stays_and_is_not_written_about(change: Manifest) -> None:
    operator = an_operator()
    metadata = {"name": "ada", "namespace": NAMESPACE, **change.get("metadata", {})}
    operator.cluster.side_apply({"kind": "Deployment", **change, "metadata": metadata}, "mesh")
    before = operator.cluster.end_state()

    assert operator.reconcile() == []
    operator.ask_for(replicas=3)
    operator.settle()
    operator.ask_for()
    operator.settle()
    assert operator.cluster.end_state()["Deployment shop/ada"] == before["Deployment shop/ada"]


# Names that belong to somebody else


@pytest.mark.parametrize("kind", NAMED_CHILDREN)
def test_an_object_of_somebody_else_is_not_touched(kind: str) -> None:
    operator = MemoryOperator()
    foreign = {"kind": kind, "metadata": {"name": "ada", "namespace": NAMESPACE}, "spec": {"x": 1}}
    before = operator.cluster.put(foreign)
    operator.ask_for()

    refused = operator.settle()
    assert refused is not None
    assert refused.reason == "NameConflict"
    assert operator.child(kind) == before
    assert operator.condition("Stalled") == ("True", "NameConflict")
    decisive = kind in {"Deployment", "Service"}
    assert operator.condition() == ("False", "NameConflict" if decisive else "Starting")

    operator.cluster.erase(kind, ADA)
    assert operator.settle() is None
    assert operator.condition() == ("False", "Starting")


def test_one_refused_child_does_not_hold_up_the_other() -> None:
    operator = MemoryOperator()
    operator.cluster.put(
        {"kind": "Service", "metadata": {"name": "ada", "namespace": NAMESPACE}, "spec": {"x": 1}}
    )
    operator.ask_for()
    operator.settle()
    assert operator.child("Deployment")["spec"]["replicas"] == 2


def test_a_status_that_meets_a_conflict_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    operator = MemoryOperator()
    operator.ask_for()

    async def conflict(*_: object) -> Manifest:
        raise ClusterFailure(409, "the object has been modified", reason="Conflict")

    with monkeypatch.context() as once:
        once.setattr(operator.cluster, "apply_status", conflict)
        with pytest.raises(ClusterFailure, match="has been modified"):
            operator.reconcile()
    operator.settle()
    assert operator.condition("Ready")


def test_children_of_an_earlier_namesake_are_waited_for() -> None:
    operator = an_operator()
    operator.cluster.erase(KIND, ADA)
    operator.restart()
    operator.ask_for()

    with pytest.raises(ClusterFailure, match="is being deleted"):
        operator.reconcile()
    operator.cluster.collect_garbage()
    assert operator.settle() is None
    uid = operator.assistant()["metadata"]["uid"]
    for kind in NAMED_CHILDREN:
        assert operator.child(kind)["metadata"]["ownerReferences"][0]["uid"] == uid


REFUSALS = {
    "QuotaExceeded": ClusterFailure(403, "exceeded quota: q", reason="Forbidden"),
    "NotAllowed": ClusterFailure(403, "cannot patch", reason="Forbidden"),
    "NodePortTaken": ClusterFailure(422, "provided port is already allocated", reason="Invalid"),
    "Refused": ClusterFailure(422, "is invalid", reason="Invalid"),
}


@pytest.mark.parametrize(("reason", "failure"), REFUSALS.items())
def test_a_refusal_is_told_and_heals(reason: str, failure: ClusterFailure) -> None:
    operator = MemoryOperator()
    operator.cluster.refuses = lambda body: failure if body["kind"] == "Service" else None
    operator.ask_for()

    refused = operator.settle()
    assert refused is not None
    assert refused.reason == reason
    assert operator.condition() == ("False", reason)

    operator.cluster.refuses = lambda _: None
    assert operator.settle() is None
    assert operator.condition() == ("False", "Starting")


@pytest.mark.parametrize("status", [0, 429, 500, 503, 504])
def test_a_failure_of_the_api_server_is_not_told_to_the_user(status: int) -> None:
    operator = an_operator()
    before = operator.assistant()
    operator.cluster.erase("Service", ADA)
    operator.cluster.refuses = lambda _: ClusterFailure(status, "later")

    with pytest.raises(ClusterFailure):
        operator.reconcile()
    assert operator.assistant() == before

    operator.cluster.refuses = lambda _: None
    operator.settle()
    assert operator.child("Service")


# The context


def test_a_missing_context_leaves_the_pods_alone_and_scaling_works() -> None:
    operator = MemoryOperator()
    operator.cluster.put(a_source())
    operator.ask_for(context=referring("ada-cv"))
    operator.settle()
    before = operator.child("Deployment")["spec"]

    operator.cluster.erase("ConfigMap", CV)
    operator.settle()
    assert operator.condition() == ("False", "ContextNotFound")
    assert operator.child("Deployment")["spec"] == before

    operator.ask_for(context=referring("ada-cv"), replicas=4)
    operator.settle()
    assert operator.child("Deployment")["spec"] == {**before, "replicas": 4}

    operator.cluster.put(a_source())
    operator.settle()
    assert operator.condition("ContextResolved") == ("True", "Resolved")


def test_without_a_first_context_there_is_a_service_and_no_deployment() -> None:
    operator = an_operator(context=referring("ada-cv"))

    assert operator.child("Service")
    assert operator.cluster.find("Deployment", ADA) is None
    assert operator.condition("ContextResolved") == ("False", "ContextNotFound")


def test_a_change_of_the_text_is_another_revision() -> None:
    operator = MemoryOperator()
    operator.cluster.put(a_source())
    operator.ask_for(context=referring("ada-cv"))
    operator.settle()

    operator.cluster.put(a_source("Ada rests."))
    operator.settle()
    assert len(operator.revisions()) == 2


def test_a_context_is_read_only_when_something_changed() -> None:
    operator = MemoryOperator()
    operator.cluster.put(a_source())
    operator.ask_for(context=referring("ada-cv"))
    operator.settle()
    before = operator.cluster.reads

    operator.reconcile()
    operator.reconcile()
    assert operator.cluster.reads == before


class SlowCluster(MemoryCluster):
    """The world goes on while a ConfigMap is read."""

    meanwhile: Callable[[], object] | None = None

    async def get(self, resource: Resource, key: Key) -> Manifest | None:
        body = await super().get(resource, key)
        if key == CV and self.meanwhile:
            happens, self.meanwhile = self.meanwhile, None
            happens()
        return body


def test_a_text_that_changes_while_it_is_read_is_read_again() -> None:
    cluster = SlowCluster()
    operator = MemoryOperator(cluster)
    cluster.put(a_source("old"))
    operator.ask_for(context=referring("ada-cv"))

    def change() -> None:
        cluster.put(a_source("new"))
        operator.store.sources.remember(read_config_map(cluster.body("ConfigMap", CV)))

    cluster.meanwhile = change
    operator.settle()

    desired = operator.assistant()["status"]["revision"]["desired"]
    data = cluster.body("ConfigMap", Key(NAMESPACE, f"ada-{desired}"))["data"]
    assert data["context.ada-cv.md"] == "new"


def test_a_text_that_appears_while_it_is_looked_for_is_found() -> None:
    cluster = SlowCluster()
    operator = MemoryOperator(cluster)
    operator.ask_for(context=referring("ada-cv"))
    operator.observe()

    def appear() -> None:
        cluster.put(a_source())
        operator.store.sources.remember(read_config_map(cluster.body("ConfigMap", CV)))

    cluster.meanwhile = appear
    asyncio.run(operator.reconciler.reconcile(ADA))
    asyncio.run(operator.reconciler.reconcile(ADA))
    assert operator.condition("ContextResolved") == ("True", "Resolved")


def test_outdated_revisions_go_and_the_newest_stay() -> None:
    operator = an_operator()
    for number in range(6):
        operator.ask_for(text=f"text {number}")
        operator.settle()
    assert len(operator.revisions()) == 4


def test_a_revision_of_somebody_else_is_not_taken_over() -> None:
    operator = an_operator()
    [name] = operator.revisions()
    text = operator.child("ConfigMap", Key(NAMESPACE, name))["data"]

    other = MemoryOperator()
    foreign = a_config_map(name, data=dict.fromkeys(text, "foreign"))
    other.cluster.put({"kind": "ConfigMap", **foreign})
    other.ask_for()
    refused = other.settle()
    assert refused is not None
    assert refused.reason == "NameConflict"
    assert other.cluster.find("Deployment", ADA) is None


# Status and events


def test_an_answering_pod_makes_it_ready_and_that_is_told_once() -> None:
    operator = an_operator(model=OPENAI)
    revision = operator.assistant()["status"]["revision"]["desired"]
    operator.pods = (a_pod(revision),)
    operator.reports[a_pod().uid] = replace(a_report(), revision=operator.pods[0].revision)
    operator.roll_out()

    assert operator.reconcile() == ["status ada", "event Answering"]
    assert operator.condition() == ("True", "Answering")
    assert operator.reconcile() == []


def test_after_a_restart_nothing_is_said_before_the_pods_are_asked() -> None:
    operator = an_operator(model=OPENAI)
    operator.pods = (a_pod(operator.assistant()["status"]["revision"]["desired"]),)
    operator.reports[a_pod().uid] = replace(a_report(), revision=operator.pods[0].revision)
    operator.settle()

    operator.reports = {}
    operator.restart()
    assert operator.reconcile() == []
    operator.reports[a_pod().uid] = replace(a_report(), revision=operator.pods[0].revision)
    assert operator.reconcile() == []
    operator.reports[a_pod().uid] = None
    assert operator.reconcile()[0] == "status ada"
    assert operator.condition() == ("False", "PodNotAnswering")


def test_what_was_told_of_an_assistant_that_is_gone_is_forgotten() -> None:
    operator = MemoryOperator()
    operator.ask_for(context=referring("gone"))
    operator.settle()
    told = operator.reconciler.reporter.recorder._told
    assert list(told) == [ADA]

    operator.cluster.erase(KIND, ADA)
    operator.reconcile()
    assert told == {}


def test_a_lost_event_is_no_reason_to_fail() -> None:
    class Deaf(MemoryCluster):
        async def create_event(self, namespace: str, event: Manifest) -> Manifest:
            raise ClusterFailure(403, "no events here")

    operator = MemoryOperator(Deaf())
    operator.ask_for(context=referring("gone"))
    assert operator.settle() is None
    assert operator.condition() == ("False", "ContextNotFound")


def test_the_status_of_an_assistant_that_just_went_is_dropped() -> None:
    operator = MemoryOperator()
    operator.ask_for()
    operator.observe()
    operator.cluster.erase(KIND, ADA)
    asyncio.run(operator.reconciler.reconcile(ADA))
    assert operator.cluster.find(KIND, ADA) is None


def test_an_apply_that_changes_nothing_is_not_repeated() -> None:
    class Normalising(MemoryCluster):
        """Stores another spelling than the one that was sent, like an admission webhook."""

        async def apply(self, manifest: Manifest, *, over: str | None = None) -> Manifest:
            if manifest["kind"] == "Service":
                manifest = {**manifest, "spec": {**manifest["spec"], "type": "nodeport"}}
            return await super().apply(manifest, over=over)

    operator = MemoryOperator(Normalising())
    operator.ask_for()
    writes = [operator.reconcile() for _ in range(4)]
    assert writes[1:] == [["Service ada"], [], []]


# Dying


def create(operator: MemoryOperator) -> None:
    operator.cluster.put(a_source())
    operator.ask_for(context=referring("ada-cv"))


def scale(operator: MemoryOperator) -> None:
    operator.ask_for(context=referring("ada-cv"), replicas=7)


def change_model(operator: MemoryOperator) -> None:
    operator.ask_for(context=referring("ada-cv"), model=OPENAI)


def change_context(operator: MemoryOperator) -> None:
    operator.cluster.put(a_source("Ada rests."))


def lose_context(operator: MemoryOperator) -> None:
    operator.cluster.erase("ConfigMap", CV)


def change_service(operator: MemoryOperator) -> None:
    operator.ask_for(context=referring("ada-cv"), service={"type": "ClusterIP", "port": 8080})


def suspend(operator: MemoryOperator) -> None:
    operator.ask_for(context=referring("ada-cv"), suspend=True)


def delete_children(operator: MemoryOperator) -> None:
    for kind in NAMED_CHILDREN:
        if operator.cluster.find(kind, ADA):
            operator.cluster.erase(kind, ADA)


def fourth_revision(operator: MemoryOperator) -> None:
    for text in "abc":
        operator.cluster.put(a_source(text))
        operator.settle()
    operator.cluster.put(a_source("d"))


def recreate(operator: MemoryOperator) -> None:
    operator.cluster.erase(KIND, ADA)
    operator.cluster.collect_garbage()
    operator.ask_for(context=referring("ada-cv"))


CHANGES = (
    create, scale, change_model, change_context, lose_context, change_service, suspend,
    delete_children, fourth_revision, recreate,
)  # fmt: skip


def changed(change: Callable[[MemoryOperator], None]) -> MemoryOperator:
    """Return an operator that has yet to see a change."""
    operator = MemoryOperator()
    if change is not create:
        create(operator)
        operator.settle()
    change(operator)
    operator.cluster.writes.clear()
    return operator


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_a_crash_at_any_write_heals_on_the_next_run(
    change: Callable[[MemoryOperator], None], moment: str
) -> None:
    calm = changed(change)
    calm.settle()
    assert calm.cluster.writes

    for position in range(len(calm.cluster.writes)):
        crashed = changed(change)
        setattr(crashed.cluster, f"dies_{moment}", position)
        with pytest.raises(Died):
            crashed.settle()
        crashed.cluster.dies_before = crashed.cluster.dies_after = None

        crashed.restart()
        assert crashed.settle() is None
        assert crashed.cluster.end_state() == calm.cluster.end_state()
        applied = [write for write in crashed.cluster.writes if not write.startswith("event")]
        assert len(applied) <= len(calm.cluster.writes) + 1
        assert crashed.reconcile() == []


STEPS: dict[str, Callable[[MemoryOperator], object]] = {
    **{change.__name__: change for change in CHANGES},
    "edit": EDITS["an image"],  # type: ignore[dict-item]
    "restart": MemoryOperator.restart,
    "reconcile": MemoryOperator.settle,
}
STEPS["edit"] = lambda operator: (
    EDITS["an image"](operator.cluster) if operator.cluster.find("Deployment", ADA) else None
)


@settings(max_examples=60, deadline=None)
@given(
    steps=st.lists(st.sampled_from(sorted(set(STEPS) - {"fourth_revision"})), max_size=8),
    crash=st.none() | st.integers(0, 8),
)
def test_any_history_ends_where_its_last_word_says(steps: list[str], crash: int | None) -> None:
    operator = changed(create)
    operator.settle()
    operator.cluster.dies_before = crash if crash is None else crash + 6
    for step in steps:
        try:
            if step in {"delete_children", "lose_context"}:
                operator.settle()
            STEPS[step](operator)
        except (Died, KeyError):
            operator.restart()
    operator.cluster.dies_before = None
    operator.restart()
    create(operator)
    operator.settle()

    straight = changed(create)
    straight.settle()
    for kind in NAMED_CHILDREN:
        ended, right = operator.child(kind), straight.child(kind)
        assert ended["spec"] == right["spec"]
        assert ended["metadata"]["labels"] == right["metadata"]["labels"]
    status, right_status = operator.assistant()["status"], straight.assistant()["status"]
    for body in (status, right_status):
        del body["observedGeneration"]
        for condition in body["conditions"]:
            del condition["observedGeneration"]
    assert status == right_status


def test_one_refusal_is_what_the_worker_is_told() -> None:
    operator = MemoryOperator()
    operator.cluster.refuses = lambda _: ClusterFailure(403, "no", reason="Forbidden")
    operator.ask_for()
    with pytest.raises(ChildRefused):
        operator.reconcile()


# What goes wrong between two looks, and what goes on going wrong


def test_a_revision_deleted_between_two_looks_is_never_rewritten_without_its_texts() -> None:
    operator = an_operator()
    [name] = operator.revisions()
    seen = operator.store.revisions.of(ADA)[0]
    data = operator.cluster.body("ConfigMap", Key(NAMESPACE, name))["data"]

    class Interrupted(Resolver):
        async def resolve(self, assistant: VirtualAssistant) -> Any:
            found = await super().resolve(assistant)
            operator.cluster.erase("ConfigMap", Key(NAMESPACE, name))
            operator.store.revisions.forget(seen.key, seen.uid)
            return found

    parts = {
        part.name: getattr(operator.reconciler.resolver, part.name) for part in fields(Resolver)
    }
    operator.reconciler.resolver = Interrupted(**parts)
    asyncio.run(operator.reconciler.reconcile(ADA))
    assert operator.cluster.find("ConfigMap", Key(NAMESPACE, name)) is None

    operator.restart()
    operator.settle()
    assert operator.cluster.body("ConfigMap", Key(NAMESPACE, name))["data"] == data


def test_a_failure_that_lasts_is_told_and_one_that_does_not_is_not() -> None:
    operator = an_operator()
    operator.cluster.refuses = lambda body: (
        ClusterFailure(500, "the webhook is down") if body["kind"] == "Deployment" else None
    )
    operator.ask_for(replicas=5)
    before = operator.assistant()
    with pytest.raises(ClusterFailure):
        operator.reconcile()
    assert operator.assistant() == before, "the new spec is not told of, least of all as done"

    with pytest.raises(ClusterFailure):
        operator.reconcile()
    assert operator.condition() == ("False", "WriteFailed")
    status = operator.assistant()["status"]
    assert status["observedGeneration"] == operator.assistant()["metadata"]["generation"]
    assert "the webhook is down" in status["conditions"][0]["message"]

    operator.cluster.refuses = lambda _: None
    operator.settle()
    assert operator.condition() == ("False", "Starting")


def an_answering_operator(**spec: Any) -> MemoryOperator:
    """Return an operator of an assistant that was told to be ready."""
    operator = an_operator(model=OPENAI, **spec)
    revision = operator.assistant()["status"]["revision"]["desired"]
    operator.pods = (a_pod(revision),)
    operator.reports[a_pod().uid] = replace(a_report(), revision=revision)
    operator.roll_out()
    operator.settle()
    assert operator.condition() == ("True", "Answering")
    return operator


def test_pods_of_an_earlier_namesake_do_not_make_an_assistant_ready() -> None:
    operator = an_answering_operator()
    operator.cluster.erase(KIND, ADA)
    operator.ask_for(model=OPENAI)

    with pytest.raises(ClusterFailure, match="is being deleted"):
        operator.reconcile()
    assert "status" not in operator.assistant()
    with pytest.raises(ClusterFailure, match="is being deleted"):
        operator.reconcile()
    assert operator.condition() == ("False", "WriteFailed")

    operator.cluster.collect_garbage()
    operator.settle()
    assert operator.condition() == ("False", "RollingOut")
    operator.roll_out()
    operator.settle()
    assert operator.condition() == ("True", "Answering")


def test_a_failure_beside_a_refusal_that_leaves_it_ready_is_told_at_once() -> None:
    operator = an_answering_operator(replicas=1)
    failures = {
        "Deployment": ClusterFailure(500, "later"),
        "PodDisruptionBudget": ClusterFailure(403, "cannot patch"),
    }
    operator.cluster.refuses = lambda body: failures.get(body["kind"])
    operator.ask_for(model=OPENAI, replicas=3)
    with pytest.raises(ClusterFailure):
        operator.reconcile()
    assert operator.condition() == ("False", "WriteFailed")
    assert operator.condition("Degraded") == ("True", "NotAllowed")


def test_other_pods_of_the_same_revision_are_waited_for() -> None:
    operator = an_answering_operator()
    before = operator.assistant()["status"]
    operator.ask_for(model=OPENAI, resources={"requests": {"cpu": "1"}})

    assert operator.reconcile() == ["Deployment ada"]
    assert operator.assistant()["status"] == before, "nothing is said before the Deployment is seen"
    operator.roll_out(updated=0)
    operator.settle()
    assert operator.condition() == ("False", "RollingOut")
    operator.roll_out()
    operator.settle()
    assert operator.condition() == ("True", "Answering")


def test_scaling_takes_readiness_from_nobody() -> None:
    operator = an_answering_operator()
    since = operator.assistant()["status"]["conditions"][0]["lastTransitionTime"]
    operator.ask_for(model=OPENAI, replicas=3)
    for _ in range(2):
        operator.reconcile()
        assert operator.condition() == ("True", "Answering")

    operator.roll_out()
    operator.settle()
    status = operator.assistant()["status"]
    assert operator.condition() == ("True", "Answering")
    assert status["conditions"][0]["lastTransitionTime"] == since
    assert status["observedGeneration"] == operator.assistant()["metadata"]["generation"]


@pytest.mark.parametrize("failure", [ClusterFailure(403, "no"), ClusterFailure(500, "later")])
def test_an_outdated_revision_that_cannot_be_deleted_is_told(failure: ClusterFailure) -> None:
    class Kept(MemoryCluster):
        async def delete(self, resource: Resource, key: Key, uid: str) -> None:
            raise failure

    operator = MemoryOperator(Kept())
    for text in "abcde":
        operator.ask_for(text=text)
        for _ in range(2):
            with contextlib.suppress(ChildRefused, ClusterFailure):
                operator.reconcile()
    reason = "NotAllowed" if failure.status == 403 else "WriteFailed"
    assert operator.condition("Degraded") == ("True", reason)
    assert operator.condition() == ("False", "Starting")


def test_a_condition_of_somebody_else_is_no_reason_to_write() -> None:
    class Shared(MemoryCluster):
        async def apply_status(self, key: Key, uid: str, status: Manifest) -> Manifest:
            foreign = {"type": "Audited", "status": "True"}
            conditions = [foreign, *status["conditions"]]
            return await super().apply_status(key, uid, {**status, "conditions": conditions})

    operator = MemoryOperator(Shared())
    operator.ask_for()
    operator.settle()
    operator.restart()
    assert operator.reconcile() == []


def test_a_context_that_may_not_be_read_is_told() -> None:
    operator = MemoryOperator()
    operator.ask_for(context=referring("ada-cv"))

    async def refused(*_: object) -> None:
        raise ClusterFailure(403, "cannot get resource configmaps")

    operator.cluster.get = refused
    with pytest.raises(ClusterFailure):
        operator.reconcile()
    assert operator.condition("ContextResolved") == ("False", "NotAllowed")


def test_a_context_that_cannot_be_read_for_a_while_is_told_and_what_serves_stays() -> None:
    operator = MemoryOperator()
    operator.cluster.put({"kind": "ConfigMap", **a_config_map()})
    operator.ask_for(context=referring("ada-cv"), replicas=2)
    operator.settle()
    template = operator.child("Deployment")["spec"]["template"]
    reading = operator.cluster.get

    async def failing(*_: object) -> None:
        raise ClusterFailure(503, "etcd is slow")

    operator.cluster.get = failing
    operator.ask_for(context=referring("ada-cv"), replicas=3, instructions="In French.")
    with pytest.raises(ClusterFailure):
        operator.reconcile()
    assert operator.condition("ContextResolved") == ("True", "Resolved"), "once is nothing yet"

    with pytest.raises(ClusterFailure):
        operator.reconcile()
    assert operator.condition("ContextResolved") == ("Unknown", "ReadFailed")
    assert operator.condition("Ready") == ("False", "ReadFailed")
    assert operator.condition("Stalled") == ("False", "NotStalled")
    assert operator.child("Deployment")["spec"]["replicas"] == 3
    assert operator.child("Deployment")["spec"]["template"] == template
    with pytest.raises(ClusterFailure):
        operator.reconcile()
    assert operator.cluster.writes[-1] == "event ReadFailed", "and it is told once"

    operator.cluster.get = reading
    operator.settle()
    assert operator.condition("ContextResolved") == ("True", "Resolved")
    assert operator.child("Deployment")["spec"]["template"] != template


def test_an_assistant_without_pods_has_one_status_write() -> None:
    operator = MemoryOperator()
    operator.ask_for(replicas=0)
    operator.settle()
    observed = {"observedGeneration": 1, "conditions": []}
    operator.cluster.put({**operator.child("Deployment"), "status": observed})
    operator.settle()

    assert operator.cluster.writes.count("status ada") == 1
    assert operator.condition("Progressing") == ("False", "UpToDate")


def test_the_history_survives_a_restart_and_what_people_write_into_it() -> None:
    operator = an_operator(model=OPENAI)
    revision = operator.assistant()["status"]["revision"]["desired"]
    operator.pods = (a_pod(revision),)
    operator.reports[a_pod().uid] = replace(a_report(), revision=revision)
    operator.settle()
    before = operator.assistant()["status"]["history"]

    operator.restart()
    assert operator.reconcile() == []
    garbage = {**operator.assistant()["status"], "history": ["x", None]}
    operator.cluster.put({"kind": KIND, **operator.assistant(), "status": garbage})
    operator.settle()
    assert operator.assistant()["status"]["history"] == before
    assert [entry["revision"] for entry in before] == [revision]


def test_labels_that_somebody_gave_to_a_revision_are_taken_back() -> None:
    operator = an_operator()
    [name] = operator.revisions()
    operator.cluster.put(
        {
            "kind": "ConfigMap",
            "metadata": {
                "name": name,
                "namespace": NAMESPACE,
                "labels": {"app.kubernetes.io/instance": "other"},
            },
        }
    )
    assert operator.settle() is None

    labels = operator.cluster.body("ConfigMap", Key(NAMESPACE, name))["metadata"]["labels"]
    assert labels["app.kubernetes.io/instance"] == "ada"


def test_a_spec_that_comes_first_with_our_own_status_stays_news_for_the_watch() -> None:
    operator = MemoryOperator()
    operator.ask_for()
    operator.observe()
    operator.ask_for(replicas=5)
    asyncio.run(operator.reconciler.reconcile(ADA))

    assert operator.store.remember_assistant(operator.assistant())


@pytest.mark.parametrize("spec", [{}, {"replicas": 0}, {"suspend": True}], ids=str)
def test_an_assistant_that_went_unnoticed_is_told_when_its_children_are_made_again(
    spec: Manifest,
) -> None:
    operator = an_operator(**spec)
    operator.cluster.erase(KIND, ADA)
    for kind, shelf in operator.store.children.items():
        for known in shelf:
            operator.cluster.erase(kind, ADA)
            shelf.forget(ADA, known.uid)

    asyncio.run(operator.reconciler.reconcile(ADA))
    assert operator.missed == [ADA]


def test_of_several_faults_the_longest_pause_that_was_asked_for_counts() -> None:
    class Busy(MemoryCluster):
        async def create(self, manifest: Manifest) -> Manifest:
            after = {"ConfigMap": None, "Service": 7.0}.get(manifest["kind"], 3.0)
            raise ClusterFailure(429, "busy", retry_after=after)

    operator = MemoryOperator(cluster=Busy())
    operator.ask_for()
    with pytest.raises(ClusterFailure) as raised:
        operator.reconcile()
    assert raised.value.retry_after == 7
