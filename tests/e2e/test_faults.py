"""Children and the operator itself come to harm."""

import pytest

from support.asking import wait_until_open
from support.cluster import Cluster
from support.load import Load
from support.product import Operator, a_key, an_assistant, local_url, with_stub
from support.stub_model import StubModel

TEXT = "The animal is a dog.\n"


@pytest.mark.usefixtures("operator")
def test_children_that_are_deleted_or_edited_come_back(
    cluster: Cluster, namespace: str, stub: StubModel
) -> None:
    a_key(cluster, namespace)
    cluster.apply(an_assistant(text=TEXT, **with_stub(stub)), namespace)
    cluster.wait_for("ada", namespace)

    for kind in ("service", "deployment"):
        before = (cluster.get(kind, "ada", namespace) or {})["metadata"]["uid"]
        cluster.kubectl("-n", namespace, "delete", kind, "ada")

        def came_back(kind: str = kind, before: str = before) -> bool:
            now = cluster.get(kind, "ada", namespace)
            return now is not None and now["metadata"]["uid"] != before

        cluster.until(came_back, namespace)
    cluster.wait_for("ada", namespace)

    cluster.kubectl("-n", namespace, "label", "deployment/ada", "team=blue")
    cluster.patch("deployment", "ada", namespace, {"spec": {"replicas": 3}})
    cluster.until(
        lambda: (cluster.get("deployment", "ada", namespace) or {})["spec"]["replicas"] == 1,
        namespace,
    )
    labels = (cluster.get("deployment", "ada", namespace) or {})["metadata"]["labels"]
    assert labels["team"] == "blue", "what others added stays"


def test_an_operator_killed_at_any_moment_of_a_change_ends_it_after_its_restart(
    cluster: Cluster,
    namespace: str,
    operator: Operator,
    stub: StubModel,
    load: Load,
    node_port: int,
) -> None:
    a_key(cluster, namespace)
    cluster.apply(
        an_assistant(text=TEXT, service={"nodePort": node_port}, **with_stub(stub)), namespace
    )
    cluster.wait_for("ada", namespace)
    wait_until_open(local_url(node_port))
    load.start(local_url(node_port), "Which animal?")

    def change(animal: str) -> None:
        files = [{"name": "ada.md", "inline": f"The animal is a {animal}.\n"}]
        cluster.patch("va", "ada", namespace, {"spec": {"context": {"files": files}}})

    def deployment_generation() -> int:
        found: int = (cluster.get("deployment", "ada", namespace) or {})["metadata"]["generation"]
        return found

    def change_begins(animal: str) -> None:
        before = deployment_generation()
        change(animal)
        cluster.until(lambda: deployment_generation() > before, namespace)

    def kill_with_the_change_under_way() -> None:
        operator.kill()
        assert cluster.condition("ada", "Ready", namespace).get("status") != "True", "too late"

    def ends(animal: str) -> None:
        cluster.wait_for("ada", namespace)
        cluster.until(lambda: f"The animal is a {animal}." in load.answers, namespace)
        cluster.until(lambda: len(cluster.list("pods", namespace)) == 1, namespace)

    # The change comes while nobody, or one who is about to die, sees it.
    operator.kill()
    change("cat")
    ends("cat")

    # The Deployment is written, its pods are not ready.
    change_begins("cow")
    kill_with_the_change_under_way()
    ends("cow")

    # One change overtakes another, and whoever takes it over is killed as well.
    change_begins("pig")
    kill_with_the_change_under_way()
    change("hen")
    kill_with_the_change_under_way()
    ends("hen")

    load.stop()
    assert not load.failures


def test_without_the_operator_assistants_go_on_answering_and_can_be_deleted(
    cluster: Cluster,
    namespace: str,
    stub: StubModel,
    operator: Operator,
    load: Load,
    node_port: int,
) -> None:
    a_key(cluster, namespace)
    cluster.apply(
        an_assistant(text=TEXT, service={"nodePort": node_port}, **with_stub(stub)), namespace
    )
    cluster.apply(an_assistant("bob", text=TEXT, **with_stub(stub)), namespace)
    cluster.wait_for("ada", namespace)
    wait_until_open(local_url(node_port))
    operator.scale(0)
    try:
        load.start(local_url(node_port), "Which animal?")
        cluster.until(lambda: sum(load.answers.values()) > 20, namespace)
        load.stop()
        cluster.kubectl("-n", namespace, "delete", "va", "ada", "--timeout=30s")
        cluster.until(
            lambda: all(
                found["metadata"]["labels"].get("app.kubernetes.io/instance") != "ada"
                for kind in ("deployment", "service", "configmap", "pods")
                for found in cluster.list(
                    kind, namespace, "app.kubernetes.io/managed-by=virtual-assistant-operator"
                )
            ),
            namespace,
        )
        cluster.patch("va", "bob", namespace, {"spec": {"replicas": 2}})
    finally:
        operator.scale(1)
    assert not load.failures
    cluster.until(
        lambda: (cluster.get("va", "bob", namespace) or {})["status"].get("readyReplicas") == 2,
        namespace,
    )


def test_the_operator_needs_no_permission_that_it_lacks_and_has_none_on_secrets(
    cluster: Cluster, operator: Operator
) -> None:
    account = "system:serviceaccount:virtual-assistant-system:virtual-assistant-operator"

    def may(*question: str) -> bool:
        answer = cluster.kubectl("auth", "can-i", *question, "-A", "--as", account, check=False)
        return answer.strip() == "yes"

    for verb in ("get", "list", "watch", "create", "update", "patch", "delete"):
        assert not may(verb, "secrets")
        assert not may(verb, "nodes")
    assert not may("create", "pods/exec")
    assert not may("delete", "virtualassistants.virtualassistant.dev")
    assert may("list", "configmaps")
    assert account not in operator.logs(), "a denied request names the account"
