"""Legal changes in any order, among deaths, errors and old news, end in what was declared last."""

import asyncio
import contextlib
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from support.builders import NAMESPACE, OPENAI, referring
from support.memory_cluster import Died, MemoryCluster
from support.memory_operator import ADA, MemoryOperator
from va_operator.api import KIND, Key, Manifest
from va_operator.desired import KEPT_REVISIONS
from va_operator.errors import ChildRefused, ClusterFailure
from va_operator.observed import read_child, read_config_map
from va_operator.owned import FIELD_MANAGER

CV = Key(NAMESPACE, "ada-cv")
TEXTS = st.sampled_from(["Ada works.", "Ada rests.", "Ada sings."])
CHANGES = st.one_of(
    st.builds(lambda text: {"text": text}, TEXTS),
    st.just({"context": referring("ada-cv")}),
    st.builds(lambda count: {"replicas": count}, st.integers(0, 4)),
    st.builds(lambda model: {"model": model}, st.sampled_from([OPENAI, {}])),
    st.builds(lambda so: {"suspend": so}, st.booleans()),
    st.builds(lambda kind: {"service": {"type": kind}}, st.sampled_from(["NodePort", "ClusterIP"])),
)
FAILURES = st.sampled_from([409, 422, 429, 500, 503])
NAMED = ("Deployment", "Service", "PodDisruptionBudget", "NetworkPolicy")


class Sequences(RuleBasedStateMachine):
    """One assistant, its people, and an operator to whom everything happens."""

    def __init__(self) -> None:
        super().__init__()
        self.operator = MemoryOperator()
        self.declared: dict[str, Any] = {}
        self.source = ""
        self.past: list[Manifest] = []

    @initialize(text=TEXTS)
    def begin(self, text: str) -> None:
        self.edit_source(text)
        self.operator.ask_for(**self.declared)

    # What people do.

    @rule(change=CHANGES)
    def change(self, change: dict[str, Any]) -> None:
        self.look_back()
        self.declared.update(change)
        if "text" in change:
            self.declared.pop("context", None)
        self.operator.ask_for(**self.declared)

    @rule(text=TEXTS)
    def edit_source(self, text: str) -> None:
        self.source = text
        put_source(self.operator.cluster, text)

    @rule()
    def delete_and_create(self) -> None:
        self.look_back()
        self.operator.cluster.erase(KIND, ADA)
        self.operator.cluster.collect_garbage()
        self.operator.ask_for(**self.declared)

    @rule(kind=st.sampled_from(NAMED))
    def delete_a_child(self, kind: str) -> None:
        if self.operator.cluster.find(kind, ADA):
            self.operator.cluster.erase(kind, ADA)

    @precondition(lambda self: self.operator.cluster.find("Deployment", ADA))
    @rule(count=st.integers(0, 9))
    def edit_a_child(self, count: int) -> None:
        metadata = {"name": ADA.name, "namespace": ADA.namespace}
        self.operator.cluster.put(
            {"kind": "Deployment", "metadata": metadata, "spec": {"replicas": count}}
        )

    # What happens to the operator.

    @rule()
    def reconcile(self) -> None:
        with contextlib.suppress(ChildRefused, ClusterFailure):
            self.operator.reconcile()

    @rule()
    def reconcile_before_the_news_comes(self) -> None:
        with contextlib.suppress(ChildRefused, ClusterFailure):
            asyncio.run(self.operator.reconciler.reconcile(ADA))

    @precondition(lambda self: self.past)
    @rule(data=st.data())
    def hear_old_news(self, data: st.DataObject) -> None:
        """Hear of an object as it was, after all was seen and done as it is."""
        self.operator.cluster.collect_garbage()
        assert self.operator.settle() is None
        state = self.operator.cluster.end_state()
        body = data.draw(st.sampled_from(self.past))
        store, kind = self.operator.store, body["kind"]
        if kind == KIND:
            store.remember_assistant(body)
        elif kind == "ConfigMap":
            store.revisions.see(read_config_map(body), deleted=False)
        else:
            store.children[kind].see(read_child(body), deleted=False)
        self.reconcile_before_the_news_comes()
        assert self.operator.cluster.end_state() == state

    @rule()
    def restart(self) -> None:
        self.operator.restart()

    @rule(writes=st.integers(0, 6), after=st.booleans())
    def die(self, writes: int, after: bool) -> None:
        cluster = self.operator.cluster
        at = len(cluster.writes) + writes
        cluster.dies_before, cluster.dies_after = (None, at) if after else (at, None)
        try:
            self.reconcile()
        except Died:
            self.operator.restart()
        finally:
            cluster.dies_before = cluster.dies_after = None

    @rule(status=FAILURES, writes=st.integers(0, 4))
    def fail(self, status: int, writes: int) -> None:
        left = writes

        def once(_: Manifest) -> ClusterFailure | None:
            nonlocal left
            left -= 1
            return ClusterFailure(status, "not now") if left == -1 else None

        self.operator.cluster.refuses = once
        self.reconcile()
        self.operator.cluster.refuses = lambda _: None

    def look_back(self) -> None:
        """Keep how everything is now, for old news."""
        cluster = self.operator.cluster
        self.past += [body for kind in (KIND, *NAMED) for body in cluster.all(kind)]
        self.past += [
            body
            for body in cluster.all("ConfigMap")
            if body["metadata"]["name"] in self.operator.revisions()
        ]

    # What must come of it.

    def teardown(self) -> None:
        undisturbed = MemoryOperator()
        put_source(undisturbed.cluster, self.source)
        undisturbed.ask_for(**self.declared)
        assert undisturbed.settle() is None
        self.operator.cluster.collect_garbage()  # Of what was written for an earlier namesake.
        assert self.operator.settle() is None

        [wanted], there = undisturbed.revisions(), self.operator.revisions()
        assert wanted in there
        assert len(there) <= 1 + KEPT_REVISIONS
        outdated = {f"ConfigMap {Key(NAMESPACE, name)}" for name in there if name != wanted}
        state = self.operator.cluster.end_state()
        assert told({n: v for n, v in state.items() if n not in outdated}) == told(
            undisturbed.cluster.end_state()
        )


def put_source(cluster: MemoryCluster, text: str) -> None:
    metadata = {"name": CV.name, "namespace": CV.namespace}
    cluster.put({"kind": "ConfigMap", "metadata": metadata, "data": {"cv.md": text}})


def told(state: dict[str, Manifest]) -> dict[str, Manifest]:
    """Return a state without what tells of how it was reached, and of who else wrote to it."""
    for body in state.values():
        managers = body["metadata"]["managedFields"]
        managers[:] = [entry for entry in managers if entry["manager"] == FIELD_MANAGER]
    status = state[f"{KIND} {ADA}"]["status"]
    for part in (status, *status["conditions"]):
        part.pop("observedGeneration")
        part.pop("lastTransitionTime", None)
    status.pop("history", None)
    return state


TestSequences = Sequences.TestCase
TestSequences.settings = settings(max_examples=200, stateful_step_count=12, deadline=None)
