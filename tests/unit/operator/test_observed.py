"""What is read of objects as they come from the API server."""

from typing import Any

import pytest

from support.builders import a_config_map, a_pod_body, child_metadata
from va_operator.api import Key
from va_operator.observed import Trouble, read_child, read_config_map, read_pod

RUNNING = [{"name": "assistant", "state": {"running": {}}}]


def waiting(reason: str, message: str = "", **more: Any) -> dict[str, Any]:
    state = {"waiting": {"reason": reason, **({"message": message} if message else {})}}
    return {"name": "assistant", "state": state, **more}


def test_a_running_pod_is_read() -> None:
    pod = read_pod(
        a_pod_body(
            revision="3f2a91c0de",
            podIP="10.1.0.7",
            hostIP="192.0.2.10",
            conditions=[{"type": "Ready", "status": "True"}],
            containerStatuses=RUNNING,
        )
    )

    assert (pod.assistant, pod.revision) == (Key("shop", "ada"), "3f2a91c0de")
    assert (pod.ip, pod.host_ip) == ("10.1.0.7", "192.0.2.10")
    assert pod.ready
    assert pod.started
    assert pod.can_be_asked
    assert pod.troubles == ()


@pytest.mark.parametrize("label", [None, "debugged"])
def test_a_pod_that_the_service_does_not_select_belongs_to_no_assistant(label: str | None) -> None:
    body = a_pod_body()
    assert read_pod(body).assistant == Key("shop", "ada")
    body["metadata"]["labels"].pop("app.kubernetes.io/name")
    if label:
        body["metadata"]["labels"]["app.kubernetes.io/name"] = label
    assert read_pod(body).assistant == Key("shop", "")


def test_a_pod_of_which_nothing_is_known_yet_is_in_no_trouble() -> None:
    pod = read_pod(a_pod_body())
    assert (pod.ready, pod.started, pod.can_be_asked, pod.troubles) == (False, False, False, ())


@pytest.mark.parametrize("kind", ["ContainerCreating", "PodInitializing", "Completed"])
def test_a_container_that_is_just_starting_is_in_no_trouble(kind: str) -> None:
    assert read_pod(a_pod_body(containerStatuses=[waiting(kind)])).troubles == ()


KILLED = {
    "restartCount": 3,
    "lastState": {"terminated": {"reason": "OOMKilled", "exitCode": 137}},
}


def test_a_container_that_crashed_once_and_is_ready_is_in_no_trouble() -> None:
    status = [{**RUNNING[0], "ready": True, **KILLED}]
    assert read_pod(a_pod_body(containerStatuses=status)).troubles == ()


def lost(*conditions: dict[str, Any], **status: Any) -> Any:
    body = a_pod_body(conditions=list(conditions), containerStatuses=RUNNING, **status)
    return read_pod({**body, "spec": {"nodeName": "node-2"}})


UNREADY = {"type": "Ready", "status": "False"}
CONTAINERS_READY = {"type": "ContainersReady", "status": "True"}
CONTAINERS_UNREADY = {"type": "ContainersReady", "status": "False"}


@pytest.mark.parametrize(
    "pod",
    [lost(UNREADY, CONTAINERS_READY), lost(UNREADY, reason="NodeLost")],
    ids=["readiness taken away", "marked"],
)
def test_a_pod_whose_node_is_silent_is_lost_and_names_the_node(pod: Any) -> None:
    assert pod.lost
    assert pod.troubles == (
        Trouble(kind="NodeLost", container=None, message="node 'node-2' is silent"),
    )


@pytest.mark.parametrize(
    "pod",
    [
        lost({**UNREADY, "reason": "ReadinessGatesNotReady"}, CONTAINERS_READY),
        lost({**UNREADY, "reason": "ContainersNotReady"}, CONTAINERS_UNREADY),
        lost(UNREADY, CONTAINERS_UNREADY),
        lost(UNREADY),
        lost({**UNREADY, "status": "True"}, CONTAINERS_READY),
    ],
    ids=["a readiness gate", "not ready", "without a reason", "just started", "ready"],
)
def test_a_pod_of_which_the_kubelet_tells_is_not_lost(pod: Any) -> None:
    assert not pod.lost


def test_what_the_kubelet_says_of_an_unready_pod_is_kept() -> None:
    words = "containers with unready status: [assistant]"
    assert lost({**UNREADY, "reason": "ContainersNotReady", "message": words}).unready == words
    assert lost({"type": "Ready", "status": "True", "message": words}).unready == ""


@pytest.mark.parametrize(
    ("phase", "finished"),
    [("Failed", True), ("Succeeded", True), ("Running", False), ("Pending", False)],
)
def test_a_pod_that_ended_for_good_is_finished(phase: str, finished: bool) -> None:
    assert read_pod(a_pod_body(phase=phase)).finished == finished


TROUBLES: dict[str, tuple[dict[str, Any], Trouble]] = {
    "an image that cannot be pulled": (
        {"containerStatuses": [waiting("ErrImageNeverPull", "not present")]},
        Trouble(kind="ErrImageNeverPull", container="assistant", message="not present"),
    ),
    "an image between two tries": (
        {
            "containerStatuses": [
                waiting(
                    "ImagePullBackOff", 'Back-off pulling image "x": ErrImagePull: no such host'
                )
            ]
        },
        Trouble(kind="ImagePullBackOff", container="assistant", message="no such host"),
    ),
    "an image that is just tried": (
        {"containerStatuses": [waiting("ErrImagePull", "no such host")]},
        Trouble(kind="ImagePullBackOff", container="assistant", message="no such host"),
    ),
    "a container that ends again and again": (
        {"containerStatuses": [waiting("CrashLoopBackOff", "back-off 10s", **KILLED)]},
        Trouble(
            kind="CrashLoopBackOff",
            container="assistant",
            message="it ended with OOMKilled, exit code 137",
        ),
    ),
    "the same container while it runs once more": (
        {"containerStatuses": [{**RUNNING[0], "ready": False, **KILLED}]},
        Trouble(
            kind="CrashLoopBackOff",
            container="assistant",
            message="it ended with OOMKilled, exit code 137",
        ),
    ),
    "an init container in trouble": (
        {"initContainerStatuses": [{**waiting("InvalidImageName"), "name": "model"}]},
        Trouble(kind="InvalidImageName", container="model", message=""),
    ),
    "no node": (
        {
            "conditions": [
                {
                    "type": "PodScheduled",
                    "status": "False",
                    "reason": "Unschedulable",
                    "message": "0/1 nodes are available",
                }
            ]
        },
        Trouble(kind="Unschedulable", container=None, message="0/1 nodes are available"),
    ),
    "an evicted pod": (
        {"phase": "Failed", "reason": "Evicted", "message": "low on memory"},
        Trouble(kind="Evicted", container=None, message="low on memory"),
    ),
}


@pytest.mark.parametrize(("status", "trouble"), TROUBLES.values(), ids=TROUBLES)
def test_trouble_is_found(status: dict[str, Any], trouble: Trouble) -> None:
    assert read_pod(a_pod_body(**status)).troubles == (trouble,)


def test_a_child_is_read() -> None:
    body = {
        "metadata": child_metadata(generation=3),
        "spec": {"type": "NodePort", "ports": [{"port": 80, "nodePort": 30123}]},
        "status": {"x": 1},
    }
    child = read_child(body)

    assert child.key == Key("shop", "ada")
    assert (child.owner, child.owner_uid) == (("VirtualAssistant", "ada"), "0000-ada")
    assert (child.generation, child.status) == (3, {"x": 1})
    assert (child.type, child.port, child.node_port) == ("NodePort", 80, 30123)
    assert not child.being_deleted


def test_only_the_controlling_owner_counts() -> None:
    metadata = child_metadata()
    metadata["ownerReferences"][0]["controller"] = False
    assert read_child({"metadata": metadata}).owner_uid is None


@pytest.mark.parametrize("spec", [{}, {"ports": []}, {"ports": None}, None])
def test_a_service_without_ports_has_no_node_port(spec: Any) -> None:
    assert read_child({"metadata": child_metadata(), "spec": spec}).node_port is None


def test_a_foreign_config_map_has_no_revision() -> None:
    facts = read_config_map(a_config_map())
    assert (facts.revision, facts.instance, facts.owner_uid) == (None, None, None)
