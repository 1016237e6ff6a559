"""A ladder of models in real pods, and what the status says of each rung."""

import pytest

from support.asking import ask, wait_until_open
from support.cluster import Cluster, Manifest
from support.product import a_key, an_assistant, local_url, with_stub
from support.stub_model import StubModel

pytestmark = pytest.mark.usefixtures("operator")

ANIMAL = "Which animal?"
TEXT = "The animal is a dog.\n"
REFUSED = "stub-model does not answer: the provider refuses the key (401)"
THIRD = "fallback 2 (stub-fine)"
SELECTOR = "app.kubernetes.io/instance=ada"


def models(cluster: Cluster, namespace: str) -> list[Manifest]:
    found: list[Manifest] = (cluster.get("va", "ada", namespace) or {})["status"]["models"]
    return found


def told(cluster: Cluster, namespace: str) -> dict[str, str]:
    """Return the conditions that speak of models as `status/reason`, with the message."""
    return {
        type_: "{status}/{reason}: {message}".format(**cluster.condition("ada", type_, namespace))
        for type_ in ("Ready", "ModelReachable", "Degraded", "Stalled")
    }


def test_the_status_is_true_of_three_models_of_which_the_last_answers(
    cluster: Cluster, namespace: str, stub: StubModel, node_port: int
) -> None:
    a_key(cluster, namespace)
    model = with_stub(stub, timeoutSeconds=4)["model"]
    ladder = [{**model, "name": name} for name in ("stub-hang", "stub-fine")]
    url, service = local_url(node_port), {"nodePort": node_port}
    assistant = an_assistant(text=TEXT, service=service, model=model, fallbacks=ladder)
    cluster.apply(assistant, namespace)
    cluster.wait_for("ada", namespace, "Degraded", reason="Timeout")
    assert "fallback 1 (stub-hang) does not answer" in told(cluster, namespace)["Degraded"]
    wait_until_open(url)
    assert ask(url, ANIMAL).headers["x-model"] == "stub-model"

    stub.script(default={"status": 401, "error": {"message": "no"}})
    reply = ask(url, ANIMAL)
    assert (reply.text, reply.headers["x-model"]) == (TEXT, "stub-fine")
    cluster.wait_for("ada", namespace, "ModelReachable", reason="FallbackAnswers")
    instead = f"{REFUSED}; {THIRD} answers in its place"
    revision = (cluster.get("va", "ada", namespace) or {})["status"]["revision"]["serving"]
    assert told(cluster, namespace) == {
        "Ready": f"True/Answering: Revision {revision} answers with {THIRD}",
        "ModelReachable": f"True/FallbackAnswers: {instead}",
        "Degraded": f"True/KeyRefused: 1 of 1 pods are ready; {instead}",
        "Stalled": f"True/KeyRefused: {instead}",
    }
    ladder_now = [
        {
            "name": "stub-model",
            "state": "Failed",
            "lastError": "KeyRefused: the provider refuses the key (401)",
        },
        {
            "name": "stub-hang",
            "state": "Degraded",
            "lastError": "Timeout: the model did not answer in time",
        },
        {"name": "stub-fine", "state": "Ready"},
    ]
    assert models(cluster, namespace) == ladder_now

    # A pod that starts now is kept out, so nobody answers in anybody's place.
    cluster.kubectl("-n", namespace, "delete", "pods", "-l", SELECTOR)
    cluster.wait_for("ada", namespace, "Available", status="False", reason="NoPodReady")
    cluster.until(lambda: models(cluster, namespace) == ladder_now, namespace)
    nobody = f"{REFUSED}; {THIRD} answers, but no pod is ready"
    assert told(cluster, namespace) == {
        "Ready": f"False/KeyRefused: {REFUSED}",
        "ModelReachable": f"True/FallbackAnswers: {nobody}",
        "Degraded": f"True/KeyRefused: 0 of 1 pods are ready; {nobody}",
        "Stalled": f"True/KeyRefused: {nobody}",
    }

    stub.reset()
    cluster.wait_for("ada", namespace, "ModelReachable", reason="ModelAnswered")
