"""Fixtures of the suites that need a cluster: one for all, a fresh namespace for each test."""

import signal
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.api_objects import Objects
from support.cluster import ROOT, Cluster, connect
from support.operator_process import OperatorProcess
from support.product import OPERATOR_NAMESPACE


@pytest.fixture(scope="session", autouse=True)
def _interruptible() -> Iterator[None]:
    """Let tests interrupt what they start, also where the suite itself runs in the background.

    Shells start background jobs with SIGINT ignored, and children inherit that; a signal
    that is handled here is back to its default in them.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="session")
def cluster() -> Cluster:
    """The test cluster, with the API in it."""
    cluster = connect()
    crd = str(ROOT / "crds" / "virtualassistants.yaml")
    cluster.kubectl("apply", "--server-side", "--force-conflicts", "-f", crd)
    cluster.kubectl(
        "wait", "--for=condition=Established", "crd/virtualassistants.virtualassistant.dev"
    )
    return cluster


@pytest.fixture(scope="module")
def no_other_operator(cluster: Cluster) -> Iterator[None]:
    """Stop the operator that is installed in the cluster while a module's tests run."""
    namespace, deployment = ("-n", OPERATOR_NAMESPACE), "deployment/virtual-assistant-operator"
    running = cluster.kubectl(
        *namespace, "get", deployment, "--ignore-not-found", "-o", "jsonpath={.spec.replicas}"
    )
    if running in {"", "0"}:
        yield
        return
    cluster.kubectl(*namespace, "scale", deployment, "--replicas=0")
    cluster.until(lambda: not cluster.list("pods", OPERATOR_NAMESPACE), OPERATOR_NAMESPACE)
    yield
    cluster.kubectl(*namespace, "scale", deployment, f"--replicas={running}")


@pytest.fixture
def namespace(cluster: Cluster) -> Iterator[str]:
    """A namespace for one test, in which pods must meet the restricted Pod Security Standard."""
    name = f"test-{uuid.uuid4().hex[:8]}"
    cluster.kubectl("create", "namespace", name)
    cluster.kubectl("label", "namespace", name, "pod-security.kubernetes.io/enforce=restricted")
    yield name
    cluster.kubectl("delete", "namespace", name, "--wait=false")


@pytest.fixture
def an_operator(
    cluster: Cluster, namespace: str, tmp_path: Path
) -> Iterator[Callable[..., OperatorProcess]]:
    """Make operators that are not started yet; those that run at the end are stopped."""
    made: list[OperatorProcess] = []

    def make(**settings: str) -> OperatorProcess:
        log = tmp_path / f"operator-{len(made)}.log"
        more = {f"VA_OPERATOR_{name.upper()}": value for name, value in settings.items()}
        made.append(OperatorProcess(cluster, namespace, log, more))
        return made[-1]

    yield make
    for operator in made:
        operator.stop()


@pytest.fixture
def operator(an_operator: Callable[..., OperatorProcess]) -> OperatorProcess:
    """An operator that runs."""
    return an_operator().start()


@pytest.fixture
def objects(cluster: Cluster, namespace: str) -> Objects:
    """The objects of the test's namespace."""
    return Objects(cluster, namespace)
