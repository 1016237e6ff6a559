"""A node is lost while people ask: it falls silent, or it loses its power."""

import time
import uuid
from collections.abc import Callable, Iterator

import pytest

from support.asking import wait_until_open
from support.cluster import Manifest
from support.product import OPERATOR_NAMESPACE, Operator, a_key, an_assistant, with_stub
from support.retrying import ORDINARY_TRIES, RetryingLoad
from support.stub_model import StubModel, start
from support.two_nodes import CONTROL_PLANE, WORKER, TwoNodes

PODS = "app.kubernetes.io/instance=ada"
HOSTNAME = "kubernetes.io/hostname"


@pytest.fixture(scope="module")
def cluster(two_nodes: TwoNodes) -> TwoNodes:
    """The cluster, with the operator and a model server on the node that stays."""
    two_nodes.notice_lost_nodes_soon()
    two_nodes.install()
    place = {"spec": {"template": {"spec": {"nodeSelector": {HOSTNAME: CONTROL_PLANE}}}}}
    two_nodes.patch("deployment", "virtual-assistant-operator", OPERATOR_NAMESPACE, place)
    Operator(two_nodes).set(VA_OPERATOR_SETTLED_QUESTION_SECONDS="3")
    return two_nodes


@pytest.fixture(scope="module")
def stub(cluster: TwoNodes) -> Iterator[StubModel]:
    """A model server that no loss of a node concerns, in a namespace of its own."""
    name = f"test-stub-{uuid.uuid4().hex[:8]}"
    cluster.kubectl("create", "namespace", name)
    image, host = Operator(cluster).image(), cluster.address(CONTROL_PLANE)
    yield start(cluster, name, image, host=host, node=CONTROL_PLANE)
    cluster.kubectl("delete", "namespace", name)


@pytest.fixture
def load() -> Iterator[RetryingLoad]:
    """Clients that try again."""
    load = RetryingLoad("Which animal?")
    yield load
    load.stop()


def places(cluster: TwoNodes, namespace: str) -> dict[str, str]:
    """Return the node of each ready pod of the assistant."""
    pods = cluster.list("pods", namespace, PODS)
    return {
        pod["metadata"]["name"]: pod["spec"]["nodeName"]
        for pod in pods
        if any(
            (found["type"], found["status"]) == ("Ready", "True")
            for found in pod["status"].get("conditions", ())
        )
        and "deletionTimestamp" not in pod["metadata"]
    }


def on_both_nodes(cluster: TwoNodes, namespace: str) -> dict[str, str]:
    def spread() -> dict[str, str] | None:
        found = places(cluster, namespace)
        return found if sorted(found.values()) == sorted((CONTROL_PLANE, WORKER)) else None

    return cluster.until(spread, namespace, within=120)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("how", ["paused", "killed"])
def test_the_other_node_goes_on_answering_and_the_status_says_so(
    how: str,
    cluster: TwoNodes,
    namespace: str,
    stub: StubModel,
    load: RetryingLoad,
    recorded: Callable[..., None],
) -> None:
    a_key(cluster, namespace)
    # By address: that the cluster's own DNS may lose a server is not what is tried here.
    address = (cluster.get("service", "openai-stub", stub.namespace) or {})["spec"]["clusterIP"]
    model = with_stub(stub)["model"] | {"baseURL": f"http://{address}:9000/v1"}
    cluster.apply(
        an_assistant(
            text="The animal is a dog.\n",
            replicas=2,
            model=model,
        ),
        namespace,
    )
    cluster.wait_for("ada", namespace)
    before = on_both_nodes(cluster, namespace)
    [gone] = [pod for pod, node in before.items() if node == WORKER]
    cluster.wait_for("ada", namespace, "Degraded", status="False")
    generation = deployment(cluster, namespace)["metadata"]["generation"]
    port = (cluster.get("va", "ada", namespace) or {})["status"]["nodePort"]
    url = f"http://{cluster.address(CONTROL_PLANE)}:{port}/"
    wait_until_open(url)
    load.start(url)
    cluster.until(lambda: sum(load.answers.values()) > 20, namespace)
    assert not load.problems

    harm = {"paused": cluster.paused, "killed": cluster.killed}[how]
    with harm(WORKER):
        lost_at = time.monotonic()
        cluster.until(lambda: cluster.ready_nodes() == {CONTROL_PLANE}, namespace)
        noticed = time.monotonic() - lost_at
        degraded = cluster.wait_for("ada", namespace, "Degraded", within=30)
        told = time.monotonic() - lost_at
        assert gone in degraded["message"], degraded
        assert cluster.condition("ada", "Available", namespace)["status"] == "True"
        # From here on nothing leads to the lost node any more.
        problems = len(load.problems)
        answered = sum(load.answers.values())
        cluster.until(lambda: sum(load.answers.values()) > answered + 100, namespace)
        late = [problem for problem in load.problems[problems:] if "timed out" not in problem]
        assert not late
        cluster.until(
            lambda: list(places(cluster, namespace).values()) == [CONTROL_PLANE] * 2,
            namespace,
            within=90,
        )
        replaced = time.monotonic() - lost_at
        cluster.wait_for("ada", namespace, "Degraded", status="False")
    back_at = time.monotonic()
    cluster.until(lambda: cluster.ready_nodes() == {CONTROL_PLANE, WORKER}, namespace)
    cluster.until(
        lambda: len(cluster.list("pods", namespace, PODS)) == len(places(cluster, namespace)) == 2,
        namespace,
        within=180,
    )
    cluster.wait_for("ada", namespace, "Degraded", status="False")
    cluster.wait_for("ada", namespace)
    clean = time.monotonic() - back_at

    problems = len(load.problems)
    answered = sum(load.answers.values())
    cluster.until(lambda: sum(load.answers.values()) > answered + 100, namespace)
    load.stop()
    print(
        f"node {how}: noticed after {noticed:.1f} s, told after {told:.1f} s, replaced "
        f"after {replaced:.1f} s, clean {clean:.1f} s after its return; "
        f"answers by tries: {sorted(load.tries.items())}"
    )
    recorded(f"node {how}: first tries", times=sum(load.tries.values()), lost=load.lost_after(1))
    recorded(
        f"node {how}: {ORDINARY_TRIES} tries of a client",
        times=sum(load.tries.values()),
        lost=load.lost_after(ORDINARY_TRIES),
    )
    recorded(f"node {how}: patient clients", lost=len(load.failures), recovery=clean)
    recorded(f"node {how}: told by the status", recovery=told)
    recorded(f"node {how}: its pod replaced", recovery=replaced)
    assert not load.failures
    assert load.problems[problems:] == [], "it came back clean"
    assert set(load.answers) == {"The animal is a dog."}
    assert deployment(cluster, namespace)["metadata"]["generation"] == generation


def deployment(cluster: TwoNodes, namespace: str) -> Manifest:
    found = cluster.get("deployment", "ada", namespace)
    assert found is not None
    return found
