"""What the status says of real pods; the whole table is in `tests/unit/operator`."""

import json

import pytest

from support.asking import ask, wait_until_open
from support.cluster import Cluster, Manifest
from support.kstatus import kstatus
from support.product import a_key, an_assistant, local_url, with_stub
from support.sightings import watching
from support.stub_model import StubModel

pytestmark = pytest.mark.usefixtures("operator")

TEXT = "The animal is a dog.\n"


def said(cluster: Cluster, namespace: str) -> dict[str, str]:
    """Return every condition of `ada` as `status/reason`."""
    status = (cluster.get("va", "ada", namespace) or {})["status"]
    return {c["type"]: f"{c['status']}/{c['reason']}" for c in status["conditions"]}


def counted_as(cluster: Cluster, namespace: str) -> str:
    return kstatus(cluster.get("va", "ada", namespace) or {})


def the_pod(cluster: Cluster, namespace: str) -> str:
    [pod] = cluster.list("pods", namespace)
    name: str = pod["metadata"]["name"]
    return name


def events(cluster: Cluster, namespace: str, reason: str) -> list[Manifest]:
    found = cluster.kubectl(
        "-n", namespace, "get", "events", "-o", "json",
        "--field-selector", f"involvedObject.kind=VirtualAssistant,reason={reason}",
    )  # fmt: skip
    items: list[Manifest] = json.loads(found)["items"]
    return items


def starts(cluster: Cluster, namespace: str, stub: StubModel, **spec: object) -> None:
    a_key(cluster, namespace)
    cluster.apply(an_assistant(text=TEXT, **{**with_stub(stub), **spec}), namespace)


def test_a_start_and_a_rollout_that_go_well_show_nothing_else(
    cluster: Cluster, namespace: str, stub: StubModel
) -> None:
    with watching(cluster, "ada", namespace) as start:
        starts(cluster, namespace, stub, replicas=2)
        cluster.wait_for("ada", namespace, "Degraded", status="False")
        cluster.wait_for("ada", namespace, "Progressing", status="False", reason="UpToDate")
    assert start.course("Ready") == ["False/Starting", "True/Answering"]
    assert start.course("Available") == ["False/NoPodReady", "True/PodsReady"]
    assert start.course("Degraded") == ["True/FewerPodsReady", "False/AsAsked"]
    assert start.course("Stalled") == ["False/NotStalled"]
    assert counted_as(cluster, namespace) == "Current"
    before = (cluster.get("va", "ada", namespace) or {})["status"]

    changed = [{"name": "ada.md", "inline": "The animal is a cat.\n"}]
    with watching(cluster, "ada", namespace) as rollout:
        cluster.patch("va", "ada", namespace, {"spec": {"context": {"files": changed}}})
        cluster.kubectl("-n", namespace, "wait", "va/ada", "--for=condition=Ready", "--timeout=90s")
        after = (cluster.get("va", "ada", namespace) or {})["status"]
        cluster.wait_for("ada", namespace, "Progressing", status="False", reason="UpToDate")
        cluster.until(lambda: len(cluster.list("pods", namespace)) == 2, namespace)
    assert rollout.course("Ready") == ["True/Answering", "False/RollingOut", "True/Answering"]
    assert rollout.course("Available") == ["True/PodsReady"]
    assert rollout.course("Degraded") == ["False/AsAsked"]
    assert rollout.course("Stalled") == ["False/NotStalled"]
    assert rollout.course("ContextResolved") == ["True/Resolved"]

    assert after["revision"]["serving"] == after["revision"]["desired"], "kubectl waited in vain"
    assert after["revision"] != before["revision"]
    assert [entry["revision"] for entry in after["history"]] == [
        after["revision"]["serving"],
        before["revision"]["serving"],
    ]
    assert before["history"] == after["history"][1:]


def test_scaling_up_degrades_and_makes_no_event(
    cluster: Cluster, namespace: str, stub: StubModel
) -> None:
    starts(cluster, namespace, stub)
    cluster.wait_for("ada", namespace, "Degraded", status="False")
    with watching(cluster, "ada", namespace) as scaling:
        cluster.kubectl("-n", namespace, "scale", "va/ada", "--replicas=2")
        cluster.wait_for("ada", namespace, "Degraded", status="False", reason="AsAsked")
        cluster.wait_for("ada", namespace, "Progressing", status="False", reason="UpToDate")

    assert scaling.course("Ready") == ["True/Answering"]
    assert scaling.course("Available") == ["True/PodsReady"]
    assert scaling.course("Degraded") == ["False/AsAsked", "True/FewerPodsReady", "False/AsAsked"]
    assert not events(cluster, namespace, "FewerPodsReady")
    assert not events(cluster, namespace, "AsAsked")


WRONG_MODELS = {
    "KeyMissing": ({}, None, "Secret 'openai'"),
    "KeyRefused": ({}, "sk-wrong", "stub-model"),
    "ModelNotFound": ({"name": "stub-404"}, "", "stub-404"),
    "HostNotFound": ({"baseURL": "http://no-such-host.invalid/v1"}, "", "stub-model"),
    "ConnectionRefused": ({"baseURL": "http://127.0.0.1:9/v1"}, "", "stub-model"),
}


@pytest.mark.parametrize(("reason", "wrong"), WRONG_MODELS.items(), ids=WRONG_MODELS)
def test_a_model_that_is_set_up_wrongly_waits_for_the_user(
    cluster: Cluster,
    namespace: str,
    stub: StubModel,
    reason: str,
    wrong: tuple[dict[str, object], str | None, str],
) -> None:
    model, key, name = wrong
    if key is not None:
        a_key(cluster, namespace, *([key] if key else []))
    cluster.apply(an_assistant(text=TEXT, **with_stub(stub, **model)), namespace)

    told = cluster.wait_for("ada", namespace, "Stalled", reason=reason)
    assert name in told["message"]
    assert said(cluster, namespace) == {
        "Ready": f"False/{reason}",
        "Available": "False/NoPodReady",
        "Progressing": "True/RollingOut",
        "Degraded": f"True/{reason}",
        "Stalled": f"True/{reason}",
        "ContextResolved": "True/Resolved",
        "ModelReachable": f"False/{reason}",
    }
    assert counted_as(cluster, namespace) == "Failed"
    [event] = events(cluster, namespace, reason)
    assert event["type"] == "Warning"


def test_an_upstream_that_goes_and_comes_is_told_in_two_events(
    cluster: Cluster, namespace: str, stub: StubModel, node_port: int
) -> None:
    url = local_url(node_port)
    starts(cluster, namespace, stub, service={"nodePort": node_port})
    cluster.wait_for("ada", namespace)
    wait_until_open(url)
    pod = the_pod(cluster, namespace)
    for _ in range(2):
        stub.script(default={"status": 503, "error": {"message": "no"}})
        assert ask(url, "What is her salary?").status == 503
        told = cluster.wait_for("ada", namespace, "Degraded", reason="UpstreamError", within=90)
        assert f"pod '{pod}'" in told["message"]
        assert said(cluster, namespace) == {
            "Ready": "False/UpstreamError",
            "Available": "True/PodsReady",
            "Progressing": "False/UpToDate",
            "Degraded": "True/UpstreamError",
            "Stalled": "False/NotStalled",
            "ContextResolved": "True/Resolved",
            "ModelReachable": "False/UpstreamError",
        }
        assert counted_as(cluster, namespace) == "InProgress"
        stub.reset()
        cluster.wait_for("ada", namespace, within=90)

    def counts(reason: str) -> list[int]:
        return [event["count"] for event in events(cluster, namespace, reason)]

    cluster.until(lambda: counts("Answering") == [3], namespace)
    assert counts("UpstreamError") == [2]


POD_TROUBLES = {
    "Unschedulable": ({"requests": {"cpu": "1000"}}, "Insufficient cpu", ""),
    "ContainerCrashing": ({"limits": {"memory": "16Mi"}}, "ended with", "Container 'assistant'"),
}


@pytest.mark.parametrize(("reason", "given"), POD_TROUBLES.items(), ids=POD_TROUBLES)
def test_a_pod_that_cannot_run_is_named(
    cluster: Cluster,
    namespace: str,
    stub: StubModel,
    reason: str,
    given: tuple[Manifest, str, str],
) -> None:
    resources, why, container = given
    starts(cluster, namespace, stub, resources=resources)

    told = cluster.wait_for("ada", namespace, "Ready", status="False", reason=reason)
    assert f"'{the_pod(cluster, namespace)}'" in told["message"]
    assert why in told["message"]
    assert container in told["message"]
    assert said(cluster, namespace) == {
        "Ready": f"False/{reason}",
        "Available": f"False/{reason}",
        "Progressing": f"True/{reason}",
        "Degraded": f"True/{reason}",
        "Stalled": "False/NotStalled",
        "ContextResolved": "True/Resolved",
        "ModelReachable": "Unknown/NotAskedYet",
    }
    assert counted_as(cluster, namespace) == "InProgress"
    assert len(events(cluster, namespace, reason)) == 1


def test_an_image_that_cannot_be_had_in_one_of_two_pods_is_named(
    cluster: Cluster, namespace: str, stub: StubModel
) -> None:
    starts(cluster, namespace, stub, replicas=2)
    cluster.wait_for("ada", namespace, "Degraded", status="False")
    cluster.wait_for("ada", namespace, "Progressing", status="False", reason="UpToDate")
    name = cluster.list("pods", namespace)[0]["metadata"]["name"]
    cluster.kubectl("-n", namespace, "set", "image", f"pod/{name}", "assistant=127.0.0.1:1/none:1")

    told = cluster.wait_for("ada", namespace, "Degraded", reason="ImagePullFailed")
    assert told["message"].startswith(
        f"1 of 2 pods are ready; Container 'assistant' of pod '{name}' is in ImagePullBackOff"
    )
    assert said(cluster, namespace) == {
        "Ready": "True/Answering",
        "Available": "True/PodsReady",
        "Progressing": "True/ImagePullFailed",
        "Degraded": "True/ImagePullFailed",
        "Stalled": "False/NotStalled",
        "ContextResolved": "True/Resolved",
        "ModelReachable": "True/ModelAnswered",
    }
    assert counted_as(cluster, namespace) == "Current"
    assert len(events(cluster, namespace, "ImagePullFailed")) == 1

    cluster.kubectl("-n", namespace, "delete", "pod", name, "--wait=false")
    cluster.wait_for("ada", namespace, "Degraded", status="False", reason="AsAsked")
