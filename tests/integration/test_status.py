"""How often a status is written, and what it says of objects that the API server refuses."""

import json
import uuid
from collections.abc import Iterator

import pytest

from support.api_objects import Objects
from support.builders import a_manifest
from support.cluster import Cluster
from support.kstatus import kstatus
from support.sightings import watching


@pytest.fixture
def namespace(watched: Iterator[str]) -> str:
    """The next of the namespaces that the module's operator watches."""
    return next(watched)


def told(objects: Objects, name: str, reason: str) -> list[int]:
    """Return the counts of the events that tell a reason of an assistant."""
    found = objects.kubectl(
        "get", "events", "-o", "json",
        f"--field-selector=involvedObject.name={name},reason={reason}",
    )  # fmt: skip
    return [event["count"] for event in json.loads(found)["items"]]


@pytest.mark.parametrize("spec", [{"replicas": 0}, {"suspend": True}], ids=["zero", "suspended"])
def test_an_assistant_without_pods_has_one_status_and_keeps_it(
    objects: Objects, namespace: str, spec: dict[str, object]
) -> None:
    with watching(objects.cluster, "ada", namespace) as seen:
        objects.apply(a_manifest(**spec))
        objects.settled()

    assert seen.statuses == 1
    assert seen.course("Progressing") == ["False/UpToDate"]
    assert seen.course("Stalled") == ["False/NotStalled"]


def test_what_no_operator_has_looked_at_does_not_pass_for_done(cluster: Cluster) -> None:
    objects = Objects(cluster, f"test-{uuid.uuid4().hex[:8]}")
    cluster.kubectl("create", "namespace", objects.namespace)
    objects.apply(a_manifest())
    found = json.loads(objects.kubectl("get", "va", "ada", "-o", "json"))
    cluster.kubectl("delete", "namespace", objects.namespace, "--wait=false")
    assert found["status"] == {"observedGeneration": -1}
    assert kstatus(found) == "InProgress"


def test_pods_that_no_node_takes_are_told_and_then_all_is_quiet(
    objects: Objects, namespace: str
) -> None:
    with watching(objects.cluster, "ada", namespace) as seen:
        objects.apply(a_manifest(resources={"requests": {"cpu": "1000"}}))
        message = objects.wait_for(reason="Unschedulable")["message"]
        objects.settled()

    assert "Insufficient cpu" in message
    assert seen.course("Ready")[-1] == "False/Unschedulable"
    assert seen.course("Degraded")[-1] == "True/Unschedulable"
    assert seen.course("Stalled") == ["False/NotStalled"]
    assert told(objects, "ada", "Unschedulable") == [1]


def test_of_two_assistants_that_want_one_node_port_the_second_waits_for_the_user(
    objects: Objects,
) -> None:
    objects.apply(a_manifest("bob", replicas=0))
    objects.settled(["bob"])
    port = objects.get("service", "bob")["spec"]["ports"][0]["nodePort"]
    objects.apply(a_manifest(replicas=0, service={"nodePort": port}))

    stalled = objects.wait_for("Stalled", status="True", reason="NodePortTaken")
    assert str(port) in stalled["message"]
    assert objects.wait_for(reason="NodePortTaken")["message"] == stalled["message"]
    assert kstatus(objects.get("va")) == "Failed"
    assert kstatus(objects.get("va", "bob")) == "InProgress", "it has no pods, and nothing is wrong"
    objects.quiet()
    assert told(objects, "ada", "NodePortTaken") == [1], "the same refusal again is no news"

    objects.kubectl("delete", "va", "bob")
    objects.wait_for("Stalled", status="False", reason="NotStalled", within=60)
    assert objects.get("service")["spec"]["ports"][0]["nodePort"] == port


def test_a_quota_for_pods_stalls_and_degrades(objects: Objects) -> None:
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "small"},
        "spec": {"hard": {"pods": "0"}},
    }
    objects.apply(quota)
    objects.until(lambda: objects.get("resourcequota", "small").get("status", {}).get("hard"))
    objects.apply(a_manifest(replicas=1))

    for type_ in ("Stalled", "Degraded"):
        found = objects.wait_for(type_, status="True", reason="QuotaExceeded")
        assert "exceeded quota: small" in found["message"]
    assert kstatus(objects.get("va")) == "Failed"
