"""What an assistant knows changes while people ask it."""

from collections.abc import Callable

import pytest

from support.asking import ask, wait_until_open
from support.cluster import Cluster
from support.load import Load
from support.product import a_key, an_assistant, local_url, with_stub
from support.stub_model import StubModel

pytestmark = pytest.mark.usefixtures("operator")


def pets(text: str) -> dict[str, object]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "pets"},
        "data": {"pets.md": text},
    }


PETS = [{"name": "pets.md", "configMapRef": {"name": "pets", "key": "pets.md"}}]


def answer_of(url: str) -> Callable[[], str]:
    return lambda: ask(url, "Which animal?").text


@pytest.mark.parametrize("where", ["inline", "ConfigMap"])
def test_a_changed_text_changes_the_answers_and_no_question_fails_meanwhile(
    cluster: Cluster, namespace: str, stub: StubModel, load: Load, where: str, node_port: int
) -> None:
    url = local_url(node_port)
    a_key(cluster, namespace)
    cluster.apply(pets("The animal is a dog.\n"), namespace)
    inline = [{"name": "pets.md", "inline": "The animal is a dog.\n"}]
    context = {"files": PETS if where == "ConfigMap" else inline}
    spec = {"service": {"nodePort": node_port}, "context": context, **with_stub(stub)}
    cluster.apply(an_assistant(**spec, replicas=2), namespace)
    cluster.wait_for("ada", namespace)
    cluster.wait_for("ada", namespace, "Progressing", status="False", reason="UpToDate")
    wait_until_open(url)
    assert "dog" in answer_of(url)()

    load.start(url, "Which animal?")
    if where == "ConfigMap":
        cluster.apply(pets("The animal is a cat.\n"), namespace)
    else:
        changed = [{"name": "pets.md", "inline": "The animal is a cat.\n"}]
        cluster.patch("va", "ada", namespace, {"spec": {"context": {"files": changed}}})
    cluster.wait_for("ada", namespace, "Progressing", status="True", reason="RollingOut", within=30)
    cluster.wait_for("ada", namespace, "Progressing", status="False", reason="UpToDate")
    cluster.until(lambda: len(cluster.list("pods", namespace)) == 2, namespace)
    answered = load.stop()

    assert not load.failures
    assert answered > 50
    assert set(load.answers) == {"The animal is a dog.", "The animal is a cat."}
    assert "cat" in answer_of(url)()
    assert cluster.condition("ada", "Ready", namespace)["status"] == "True"


def test_a_missing_text_is_named_and_the_serving_pods_stay(
    cluster: Cluster, namespace: str, stub: StubModel, node_port: int
) -> None:
    url = local_url(node_port)
    a_key(cluster, namespace)
    cluster.apply(pets("The animal is a dog.\n"), namespace)
    spec = {"service": {"nodePort": node_port}, "context": {"files": PETS}, **with_stub(stub)}
    cluster.apply(an_assistant(**spec), namespace)
    cluster.wait_for("ada", namespace)
    [pod] = cluster.list("pods", namespace)
    wait_until_open(url)

    cluster.kubectl("-n", namespace, "delete", "configmap", "pets")
    missing = cluster.wait_for(
        "ada", namespace, "ContextResolved", status="False", reason="ContextNotFound"
    )
    assert "'pets'" in missing["message"]
    assert cluster.condition("ada", "Ready", namespace)["reason"] == "ContextNotFound"
    assert cluster.condition("ada", "Available", namespace)["status"] == "True"
    assert "dog" in answer_of(url)()

    cluster.kubectl("-n", namespace, "scale", "va/ada", "--replicas=2")
    cluster.until(lambda: len(cluster.list("pods", namespace)) == 2, namespace)
    uids = {found["metadata"]["uid"] for found in cluster.list("pods", namespace)}
    assert pod["metadata"]["uid"] in uids

    cluster.apply(pets("The animal is a cat.\n"), namespace)
    cluster.wait_for("ada", namespace)
    cluster.until(lambda: "cat" in answer_of(url)(), namespace)
