"""What the operator may not do, and that it says so and goes on as soon as it may."""

from collections.abc import Iterator

import pytest

from support.api_objects import MANAGER, Objects
from support.builders import a_manifest
from support.cluster import Manifest


@pytest.fixture
def namespace(watched: Iterator[str]) -> str:
    """The next of the namespaces that the module's operator watches."""
    return next(watched)


def a_service(name: str, **spec: object) -> Manifest:
    ports = [{"port": 80, **spec}]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"type": "NodePort", "selector": {"app": "mine"}, "ports": ports},
    }


def a_quota(**hard: str) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "small"},
        "spec": {"hard": {name.replace("_", "/"): amount for name, amount in hard.items()}},
    }


A_DEPLOYMENT: Manifest = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "ada"},
    "spec": {
        "replicas": 0,
        "selector": {"matchLabels": {"app": "mine"}},
        "template": {
            "metadata": {"labels": {"app": "mine"}},
            "spec": {"containers": [{"name": "c", "image": "mine:1"}]},
        },
    },
}


A_POLICY: Manifest = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "NetworkPolicy",
    "metadata": {"name": "ada"},
    "spec": {"podSelector": {"matchLabels": {"app": "mine"}}},
}
A_BUDGET: Manifest = {
    "apiVersion": "policy/v1",
    "kind": "PodDisruptionBudget",
    "metadata": {"name": "ada", "labels": {"app.kubernetes.io/managed-by": MANAGER}},
    "spec": {"maxUnavailable": 0, "selector": {"matchLabels": {"app": "mine"}}},
}


@pytest.mark.parametrize(
    "foreign",
    [a_service("ada"), A_DEPLOYMENT, A_POLICY],
    ids=["service", "deployment", "network policy"],
)
def test_an_object_of_somebody_else_is_not_touched(foreign: Manifest, objects: Objects) -> None:
    kind = foreign["kind"].lower()
    objects.apply(foreign)
    before = objects.get(kind)
    objects.apply(a_manifest(replicas=0))

    # Every one of them needs the user; without a NetworkPolicy of ours pods answer all the same.
    found = objects.wait_for("Stalled", status="True", reason="NameConflict")
    assert f"{foreign['kind']} 'ada' exists and belongs to somebody else" in found["message"]
    after = objects.get(kind)
    assert after["spec"] == before["spec"]
    assert after["metadata"].get("ownerReferences") is None

    objects.kubectl("delete", kind, "ada")
    objects.wait_for("Stalled", within=60)
    objects.wait_for(reason="ScaledToZero")
    assert objects.get(kind)["metadata"]["ownerReferences"][0]["name"] == "ada"


def test_a_disruption_budget_of_somebody_else_is_neither_changed_nor_deleted(
    objects: Objects,
) -> None:
    objects.apply(A_BUDGET)
    before = objects.get("pdb")
    objects.apply(a_manifest(replicas=2))
    found = objects.wait_for("Degraded", status="True", reason="NameConflict")
    assert "PodDisruptionBudget 'ada' exists and belongs to somebody else" in found["message"]

    objects.kubectl("scale", "va/ada", "--replicas=0")
    objects.wait_for(reason="ScaledToZero")
    after = objects.get("pdb")
    assert (after["metadata"]["uid"], after["spec"]) == (before["metadata"]["uid"], before["spec"])


def test_a_node_port_that_is_taken_is_told(objects: Objects) -> None:
    objects.apply(a_service("other"))
    port = objects.get("service", "other")["spec"]["ports"][0]["nodePort"]
    objects.apply(a_manifest(replicas=0, service={"nodePort": port}))

    found = objects.wait_for(reason="NodePortTaken")
    assert str(port) in found["message"]
    assert objects.get("deployment")

    objects.kubectl("delete", "service", "other")
    objects.wait_for(reason="ScaledToZero", within=60)
    assert objects.get("service")["spec"]["ports"][0]["nodePort"] == port


def test_a_node_port_out_of_range_is_told(objects: Objects) -> None:
    objects.apply(a_manifest(replicas=0, service={"nodePort": 80}))
    found = objects.wait_for(reason="Refused")
    assert "nodePort" in found["message"]


def test_a_value_that_only_the_deployment_shows_to_be_wrong_is_told(objects: Objects) -> None:
    resources = {"requests": {"memory": "2Gi"}, "limits": {"memory": "1Gi"}}
    objects.apply(a_manifest(replicas=0, resources=resources))
    found = objects.wait_for(reason="Refused")
    assert "must be less than or equal to memory limit" in found["message"]

    objects.apply(a_manifest(replicas=0))
    objects.wait_for(reason="ScaledToZero")


def test_a_quota_for_objects_is_told_and_heals(objects: Objects) -> None:
    quota = a_quota(**{"count_deployments.apps": "0"})
    objects.apply(quota)
    objects.until(lambda: objects.get("resourcequota", "small").get("status", {}).get("hard"))
    objects.apply(a_manifest(replicas=0))

    found = objects.wait_for(reason="QuotaExceeded")
    assert "exceeded quota: small" in found["message"]
    assert objects.get("service")

    objects.kubectl("delete", "resourcequota", "small")
    objects.wait_for(reason="ScaledToZero", within=60)


def test_a_quota_for_pods_is_told_and_heals(objects: Objects) -> None:
    objects.apply(a_quota(pods="0"))
    objects.until(lambda: objects.get("resourcequota", "small").get("status", {}).get("hard"))
    objects.apply(a_manifest(replicas=1))
    found = objects.wait_for(reason="QuotaExceeded")
    assert "Pods cannot be created" in found["message"]


def test_a_bad_value_that_is_taken_back_leaves_no_trace(objects: Objects) -> None:
    objects.apply(a_manifest(replicas=0))
    objects.settled()
    before = {kind: objects.get(kind)["spec"] for kind in ("deployment", "service")}

    objects.apply(a_manifest(replicas=0, service={"nodePort": 80}))
    objects.wait_for(reason="Refused")
    objects.apply(a_manifest(replicas=0))
    objects.wait_for(reason="ScaledToZero")
    assert {kind: objects.get(kind)["spec"] for kind in ("deployment", "service")} == before
