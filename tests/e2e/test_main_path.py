"""From nothing to an answer, as the README tells it, with the embedded model."""

import json
import subprocess

import pytest

from support.asking import ask, wait_until_open
from support.cluster import Cluster, sample
from support.product import (
    OPERATOR_NAMESPACE,
    Operator,
    a_key,
    an_assistant,
    forwarded,
    local_url,
    make,
    with_stub,
)
from support.stub_model import StubModel

ADA = "Ada Marlowe lives in Bergen. She works at Fjordspan AS. Her dog is called Pixel.\n"


def va(*args: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["va", *args], input=stdin, capture_output=True, text=True, timeout=120, check=False
    )


@pytest.mark.usefixtures("operator")
def test_make_demo_ends_with_a_correct_answer_and_what_to_type_next(cluster: Cluster) -> None:
    was_there = cluster.get("va", "ada", "default")
    shown = make("demo")

    assert "Pixel" in shown.split("What is the name of her dog?")[1]
    assert 'eval "$(.venv/bin/va-cluster env)"' in shown
    assert "make down" in shown
    if not was_there:
        cluster.kubectl("-n", "default", "delete", "va", "ada")


@pytest.mark.usefixtures("operator")
def test_an_answer_travels_from_the_node_port_through_a_pod_to_a_real_model(
    cluster: Cluster, namespace: str, node_port: int
) -> None:
    cluster.apply(an_assistant(text=ADA, service={"nodePort": node_port}), namespace)
    cluster.wait_for("ada", namespace)
    wait_until_open(local_url(node_port))

    text = ask(local_url(node_port), "What is the name of her dog?")
    structured = ask(
        local_url(node_port),
        json.dumps({"question": "What is the name of her dog?"}),
        content_type="application/json",
    )
    streamed = ask(local_url(node_port), "What is the name of her dog?", accept="text/event-stream")

    assert text.status == 200
    assert "Pixel" in text.text
    assert structured.json["answer"].strip() == text.text.strip()
    # A line says it shortly, so the model need not.
    assert (structured.json["madeBy"], structured.json["model"]) == ("Passages", None)
    assert streamed.headers["content-type"].startswith("text/event-stream")
    assert "event: done" in streamed.text

    status = (cluster.get("va", "ada", namespace) or {})["status"]
    assert status["url"].endswith(f":{node_port}/")
    assert ask(status["url"], "What is the name of her dog?").text == text.text
    assert status["revision"]["serving"] == status["revision"]["desired"]
    assert text.headers["x-revision"] == status["revision"]["serving"]
    assert status["context"]["bytes"] == len(ADA)
    assert status["context"]["tokens"] > 20
    assert status["models"] == [{"name": "smollm2-135m-instruct", "state": "Ready"}]


@pytest.mark.usefixtures("operator")
def test_the_command_line_finds_an_assistant_without_a_node_port(
    cluster: Cluster, namespace: str
) -> None:
    cluster.apply(an_assistant(text=ADA, service={"type": "ClusterIP"}), namespace)
    cluster.wait_for("ada", namespace)

    answered = va("ask", "-v", "-n", namespace, "ada", "What is the name of her dog?")
    listed = va("list", "-n", namespace, "-o", "json")
    shown = va("status", "-n", namespace, "ada")
    missing = va("ask", "-n", namespace, "bob", "Who are you?")

    assert answered.returncode == 0, answered.stderr
    assert "Pixel" in answered.stdout
    assert "proxy" in answered.stderr
    assert "ada" in listed.stdout
    assert "Answering" in shown.stdout
    assert missing.returncode == 3
    assert "Traceback" not in missing.stderr


@pytest.mark.usefixtures("operator")
def test_kubectl_scales_and_suspends(cluster: Cluster, namespace: str) -> None:
    cluster.apply(an_assistant(text=ADA), namespace)
    cluster.wait_for("ada", namespace)

    cluster.kubectl("-n", namespace, "scale", "va/ada", "--replicas=2")
    cluster.until(
        lambda: (cluster.get("va", "ada", namespace) or {})["status"]["readyReplicas"] == 2,
        namespace,
    )
    cluster.patch("va", "ada", namespace, {"spec": {"suspend": True}})
    cluster.wait_for("ada", namespace, status="False", reason="Suspended")
    cluster.until(lambda: not cluster.list("pods", namespace), namespace)
    assert cluster.get("service", "ada", namespace), "everything but the pods stays"

    cluster.patch("va", "ada", namespace, {"spec": {"suspend": False, "replicas": 1}})
    cluster.wait_for("ada", namespace)


@pytest.mark.usefixtures("operator")
def test_bad_questions_get_clear_errors_and_no_harm_is_done(
    cluster: Cluster, namespace: str, node_port: int
) -> None:
    cluster.apply(an_assistant(text=ADA, service={"nodePort": node_port}), namespace)
    cluster.wait_for("ada", namespace)
    url = local_url(node_port)
    wait_until_open(url)

    assert ask(url, "").status == 400
    assert ask(url, "   \n").text.startswith("EmptyQuestion")
    assert ask(url, b"\xff\xfe\x00\x80").text.startswith("NotUTF8")
    assert ask(url, "why? " * 200_000).status == 413
    assert ask(url, "hi", content_type="application/xml").status == 415
    assert ask(url, "hi", method="PUT").status == 405
    assert ask(url + "nowhere", "hi").status == 404
    marks = ask(url, "?" * 1000)
    assert marks.status == 200
    assert marks.text.strip()
    assert "Pixel" in ask(url, "What is the name of her dog?").text


@pytest.mark.usefixtures("operator")
def test_a_context_larger_than_the_window_is_refused_before_any_pod_changes(
    cluster: Cluster, namespace: str
) -> None:
    cluster.apply(an_assistant(text=ADA), namespace)
    cluster.wait_for("ada", namespace)
    [pod] = cluster.list("pods", namespace)
    book = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "book"},
        "data": {"book.md": "a true sentence about nothing. " * 30_000},
    }
    cluster.kubectl("-n", namespace, "apply", "--server-side", "-f", "-", stdin=json.dumps(book))

    files = [{"name": "book.md", "configMapRef": {"name": "book", "key": "book.md"}}]
    cluster.patch("va", "ada", namespace, {"spec": {"context": {"files": files, "mode": "Full"}}})

    refused = cluster.wait_for("ada", namespace, status="False", reason="ContextTooLarge")
    assert "8192 tokens" in refused["message"]
    assert "930000 bytes" in refused["message"]
    assert cluster.condition("ada", "Available", namespace)["status"] == "True"
    [after] = cluster.list("pods", namespace)
    assert after["metadata"]["uid"] == pod["metadata"]["uid"]


@pytest.mark.parametrize("name", ["embedded.yaml", "config-map.yaml"])
def test_samples_become_ready_as_they_are(
    cluster: Cluster, namespace: str, operator: Operator, name: str
) -> None:
    cluster.kubectl(
        "-n", namespace, "create", "configmap", "ada-cv", "--from-file=cv.md=information/ada.md"
    )
    cluster.apply(sample(name), namespace)

    cluster.wait_for("ada", namespace)


def test_kubectl_reaches_into_pods_and_pods_reach_the_cluster(
    cluster: Cluster, operator: Operator
) -> None:
    name = "deployment/virtual-assistant-operator"
    program = (
        "import http.client as h, ssl; "
        "ca = '/var/run/secrets/kubernetes.io/serviceaccount/ca.crt'; "
        "trust = ssl.create_default_context(cafile=ca); "
        "to = h.HTTPSConnection('kubernetes.default.svc', 443, timeout=10, context=trust); "
        "to.request('GET', '/version'); "
        "print(to.getresponse().status)"
    )
    answer = cluster.kubectl("-n", OPERATOR_NAMESPACE, "exec", name, "--", "python3", "-c", program)
    assert answer.strip() in {"200", "401", "403"}, "any answer is one of the API server"
    assert "synced" in operator.logs()


@pytest.mark.usefixtures("operator")
def test_port_forward_leads_to_an_assistant_and_to_the_operator(
    cluster: Cluster, namespace: str, stub: StubModel
) -> None:
    a_key(cluster, namespace)
    service = {"type": "ClusterIP"}
    cluster.apply(an_assistant(text=ADA, service=service, **with_stub(stub)), namespace)
    cluster.wait_for("ada", namespace)

    with forwarded(namespace, "service/ada", 80) as url:
        reply = ask(url, "Where does she live in Bergen?")
        assert (reply.status, reply.text.strip()) == (200, ADA.strip())
    with forwarded(OPERATOR_NAMESPACE, "deployment/virtual-assistant-operator", 8080) as url:
        assert ask(url + "healthz", "", method="GET").text.strip() == "ok"
