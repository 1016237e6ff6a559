"""Traces of a real pod, from an image with the extra for them, built as the docs say."""

import subprocess

import pytest

from support.asking import ask, wait_until_open
from support.cluster import ROOT, Cluster
from support.collector import read_requests, spans_of
from support.product import a_key, an_assistant, forwarded, local_url, with_stub
from support.script_pod import is_up, script_container, script_pod
from support.stub_model import StubModel

pytestmark = pytest.mark.usefixtures("operator")

COLLECTOR = ROOT / "tests" / "support" / "collector.py"
IMAGE = "virtual-assistant/assistant:test-otel"
QUESTION = "Which animal?"
TEXT = "The animal is a dog.\n"


@pytest.fixture(scope="module")
def image(cluster: Cluster) -> str:
    """The image, in the cluster."""
    how = ("--file", "Dockerfile.assistant", "--target", "assistant")
    for command in (
        ("build", IMAGE, *how, "--build-arg", "ASSISTANT_EXTRA=otel"),
        ("load", IMAGE),
    ):
        done = subprocess.run(
            ["va-cluster", *command], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return IMAGE


@pytest.fixture
def endpoint(cluster: Cluster, namespace: str, image: str) -> str:
    """Where a collector listens, a pod of the same image."""
    cluster.kubectl("-n", namespace, "create", "configmap", "collector", f"--from-file={COLLECTOR}")
    container = script_container(
        "collector",
        image,
        *("python3", "/collector/collector.py"),
        readinessProbe=is_up(4318),
        volumeMounts=[{"name": "collector", "mountPath": "/collector"}],
    )
    volumes = [{"name": "collector", "configMap": {"name": "collector"}}]
    cluster.apply(script_pod("collector", container, volumes=volumes), namespace)
    cluster.kubectl("-n", namespace, "expose", "pod", "collector", "--port=4318")
    cluster.kubectl(
        "-n", namespace, "wait", "--for=condition=Ready", "pod/collector", "--timeout=60s"
    )
    return f"http://collector.{namespace}.svc:4318"


def test_a_pod_with_the_extra_sends_its_spans_and_one_without_says_that_it_cannot(
    cluster: Cluster, namespace: str, stub: StubModel, node_port: int, image: str, endpoint: str
) -> None:
    a_key(cluster, namespace)
    environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, "OTEL_BSP_SCHEDULE_DELAY": "200"}
    variables = [{"name": name, "value": value} for name, value in environment.items()]
    url, service = local_url(node_port), {"nodePort": node_port}
    assistant = an_assistant(text=TEXT, service=service, env=variables, **with_stub(stub))
    cluster.apply(assistant, namespace)
    cluster.wait_for("ada", namespace)
    [pod] = cluster.list("pods", namespace, "app.kubernetes.io/instance=ada")
    name = pod["metadata"]["name"]

    wait_until_open(url)
    assert ask(url, QUESTION).text == TEXT
    log = cluster.kubectl("-n", namespace, "logs", name)
    assert log.count('"no traces"') == 1
    assert "install va-assistant[otel]" in log

    cluster.kubectl("-n", namespace, "set", "image", f"pod/{name}", f"assistant={image}")
    cluster.until(lambda: runs(cluster, namespace, name, image), namespace, within=90)
    wait_until_open(url)
    assert ask(url, QUESTION).text == TEXT
    asked = stub.log()[-1]["headers"]

    with forwarded(namespace, "pod/collector", 4318) as collector:

        def collected() -> list[str]:
            listed: list[str] = ask(f"{collector}requests", "", method="GET").json
            return listed

        cluster.until(lambda: len(spans_of(read_requests(collected()))) == 4, namespace)
        requests = read_requests(collected())
    spans = {span.name: span for span in spans_of(requests)}
    assert set(spans) == {"invoke_agent ada", "study", "chat stub-model", "check"}
    assert asked["traceparent"].split("-")[1:3] == [
        spans["invoke_agent ada"].trace_id.hex(),
        spans["chat stub-model"].span_id.hex(),
    ]
    assert len({span.trace_id for span in spans.values()}) == 1
    assert not [word for word in ("animal", "dog") if word in str(requests)]


def runs(cluster: Cluster, namespace: str, name: str, image: str) -> bool:
    """Whether a pod is ready with an image."""
    pod = cluster.get("pod", name, namespace) or {}
    [container] = pod["status"]["containerStatuses"]
    return bool(container["ready"] and container["image"].endswith(image))
