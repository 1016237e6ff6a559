"""Children that come and go, and names that somebody else has or had a moment ago."""

import asyncio
from typing import Any

import pytest

from support.builders import NAMESPACE
from support.memory_cluster import MemoryCluster
from support.memory_operator import ADA, MemoryOperator
from va_operator import reasons
from va_operator.api import Key, Manifest
from va_operator.errors import ChildRefused, ClusterFailure
from va_operator.kinds import Resource
from va_operator.resources.metadata import MANAGED_BY
from va_operator.store import NAMED_CHILDREN

BUDGET = "PodDisruptionBudget"


def an_operator(**spec: Any) -> MemoryOperator:
    """Return an operator that has settled one assistant."""
    operator = MemoryOperator()
    operator.ask_for(**spec)
    operator.settle()
    return operator


def of_somebody_else(kind: str, **labels: str) -> Manifest:
    metadata = {"name": "ada", "namespace": NAMESPACE, "labels": labels}
    return {"kind": kind, "metadata": metadata, "spec": {"maxUnavailable": 0}}


def look_no_further(operator: MemoryOperator) -> None:
    """Reconcile on what was seen before, as if the news were late."""
    asyncio.run(operator.reconciler.reconcile(ADA))


@pytest.mark.parametrize(
    "fewer", [{"replicas": 1}, {"replicas": 0}, {"suspend": True}], ids=["one", "none", "suspended"]
)
def test_a_budget_goes_and_comes_with_the_pods_that_it_is_for(fewer: dict[str, Any]) -> None:
    operator = an_operator(replicas=2)
    operator.ask_for(**fewer)

    assert set(operator.reconcile()[:2]) == {"Deployment ada", f"delete {BUDGET} ada"}
    assert operator.cluster.find(BUDGET, ADA) is None
    assert operator.reconcile() == []

    operator.ask_for(replicas=2)
    assert f"{BUDGET} ada" in operator.reconcile()
    assert operator.child(BUDGET)["spec"]["maxUnavailable"] == 1


def test_a_budget_is_deleted_once_although_the_news_is_late() -> None:
    operator = an_operator(replicas=2)
    operator.ask_for(replicas=1)
    operator.reconcile()

    writes = len(operator.cluster.writes)
    look_no_further(operator)
    assert operator.cluster.writes[writes:] == []


@pytest.mark.parametrize("labels", [{}, {"app.kubernetes.io/managed-by": MANAGED_BY}])
def test_a_budget_of_somebody_else_is_not_deleted(labels: dict[str, str]) -> None:
    operator = MemoryOperator()
    before = operator.cluster.put(of_somebody_else(BUDGET, **labels))
    operator.ask_for(replicas=1)

    assert operator.settle() is None
    assert operator.child(BUDGET) == before


def test_a_budget_whose_owner_somebody_took_away_is_not_deleted() -> None:
    operator = an_operator(replicas=2)
    operator.cluster.remove(BUDGET, ADA, "metadata", "ownerReferences")
    operator.ask_for(replicas=1)

    operator.settle()
    assert operator.child(BUDGET)


def test_a_new_namesake_of_a_budget_is_not_deleted_on_old_news() -> None:
    operator = an_operator(replicas=2)
    operator.ask_for(replicas=1)
    operator.observe()
    operator.cluster.erase(BUDGET, ADA)
    namesake = operator.cluster.put(of_somebody_else(BUDGET))

    look_no_further(operator)
    assert operator.child(BUDGET) == namesake


@pytest.mark.parametrize("kind", NAMED_CHILDREN)
def test_a_new_namesake_of_a_child_is_not_taken_over_on_old_news(kind: str) -> None:
    operator = an_operator()
    operator.cluster.remove(kind, ADA, "metadata", "labels", "app.kubernetes.io/name")
    operator.observe()
    operator.cluster.erase(kind, ADA)
    namesake = operator.cluster.put(of_somebody_else(kind))

    with pytest.raises(ClusterFailure):
        look_no_further(operator)
    assert operator.child(kind) == namesake
    assert operator.condition()[1] != "NameConflict"
    refused = operator.settle()
    assert refused is not None
    assert refused.reason == "NameConflict"


@pytest.mark.parametrize("kind", NAMED_CHILDREN)
def test_a_name_that_is_taken_between_the_look_and_the_write_is_not_taken_over(kind: str) -> None:
    operator = MemoryOperator()
    operator.ask_for()
    operator.observe()
    before = operator.cluster.put(of_somebody_else(kind))

    with pytest.raises(ChildRefused) as refused:
        look_no_further(operator)
    assert refused.value.reason == "NameConflict"
    assert operator.child(kind) == before


@pytest.mark.parametrize("kind", NAMED_CHILDREN)
def test_a_child_that_we_wrote_without_seeing_it_is_not_written_again(kind: str) -> None:
    operator = an_operator()
    operator.observe()
    shelf = operator.store.children[kind]
    seen = shelf.get(ADA)
    assert seen is not None
    shelf.forget(seen.key, seen.uid)

    writes = len(operator.cluster.writes)
    look_no_further(operator)
    assert operator.cluster.writes[writes:] == []


def test_a_name_that_becomes_free_while_it_is_looked_at_is_used() -> None:
    class Going(MemoryCluster):
        async def get(self, resource: Resource, key: Key) -> Manifest | None:
            self.erase(resource.kind, key)
            return await super().get(resource, key)

    operator = MemoryOperator(Going())
    operator.cluster.put(of_somebody_else(BUDGET))
    operator.ask_for()

    operator.reconcile()
    assert operator.child(BUDGET)["spec"]["maxUnavailable"] == 1


def test_a_look_that_is_not_allowed_is_told() -> None:
    class Closed(MemoryCluster):
        async def get(self, resource: Resource, key: Key) -> Manifest | None:
            raise ClusterFailure(403, "cannot get")

    operator = MemoryOperator(Closed())
    operator.cluster.put(of_somebody_else("Service"))
    operator.ask_for()
    operator.settle()
    assert operator.condition() == ("False", "NotAllowed")


def test_a_budget_that_may_not_be_deleted_is_told() -> None:
    class Closed(MemoryCluster):
        async def delete(self, resource: Resource, key: Key, uid: str) -> None:
            raise ClusterFailure(403, "cannot delete")

    operator = MemoryOperator(Closed())
    operator.ask_for(replicas=2)
    operator.settle()
    operator.ask_for(replicas=1)
    operator.settle()
    assert operator.condition("Degraded") == ("True", "NotAllowed")
    assert operator.condition() == ("False", "Starting")


def test_the_ways_out_are_those_of_the_spec() -> None:
    operator = an_operator(networkPolicy={"egress": [{"namespace": "models"}]})
    assert len(operator.child("NetworkPolicy")["spec"]["egress"]) == 2

    operator.ask_for()
    assert operator.reconcile() == ["NetworkPolicy ada", "status ada"]
    assert "egress" not in operator.child("NetworkPolicy")["spec"]


# The API server merges ports by number and protocol, and may see one twice where it was edited.

TWICE = ClusterFailure(422, 'spec.ports[1]: Duplicate value: {"port":80}', reason="Invalid")


def edited_ports(then: ClusterFailure | None) -> MemoryOperator:
    """Return an operator to which an apply of ports is refused until they are reset.

    ``then`` is how the reset itself fails, None where it does not.
    """
    operator = an_operator()
    [port] = operator.child("Service")["spec"]["ports"]
    edited = [{**port, "targetPort": 9}]
    operator.cluster.put({**operator.child("Service"), "spec": {"ports": edited}})

    def refuses(body: Manifest) -> ClusterFailure | None:
        if body["kind"] != "Service":
            return None
        if "apiVersion" not in body:  # the patch
            return then
        [now] = operator.child("Service")["spec"]["ports"]
        return TWICE if now["targetPort"] == 9 else None

    operator.cluster.refuses = refuses
    return operator


def test_ports_that_cannot_be_merged_are_reset() -> None:
    operator, untouched = edited_ports(None), an_operator()
    assert operator.settle() is None
    assert operator.child("Service")["spec"] == untouched.child("Service")["spec"]


def test_ports_that_may_not_be_reset_are_told_and_harm_nothing_else() -> None:
    operator = edited_ports(ClusterFailure(403, "services is forbidden", reason="Forbidden"))
    operator.ask_for(replicas=3)
    refused = operator.settle()
    assert refused is not None
    assert refused.reason == reasons.NOT_ALLOWED
    assert str(refused) == "Service 'ada' cannot be written: services is forbidden"
    assert operator.child("Deployment")["spec"]["replicas"] == 3
    assert operator.condition() == ("False", reasons.NOT_ALLOWED)
