"""A real API server, and the real operator beside it."""

import json
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.api_objects import Objects
from support.cluster import Cluster
from support.operator_process import OperatorProcess


@pytest.fixture(scope="module", autouse=True)
def _one_operator(no_other_operator: None) -> None:
    """Only the operator that a test starts may act: one is enough for an assistant."""


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


@pytest.fixture(scope="module")
def watched(
    cluster: Cluster, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Iterator[str]]:
    """Namespaces for all tests of a module, watched by one operator, to save starting it anew."""
    tests = [item for item in request.session.items if item.path == request.path]
    names = [f"test-{uuid.uuid4().hex[:8]}" for _ in tests]
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    items = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}
        for name in names
    ]
    body = json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
    cluster.kubectl("create", "-f", "-", stdin=body)
    log = tmp_path_factory.mktemp("operator") / "operator.log"
    operator = OperatorProcess(cluster, ",".join(names), log).start()
    yield iter(names)
    operator.stop()
    cluster.kubectl("delete", "namespace", *names, "--wait=false")


@pytest.fixture
def operator(an_operator: Callable[..., OperatorProcess]) -> OperatorProcess:
    """An operator that runs."""
    return an_operator().start()


@pytest.fixture
def objects(cluster: Cluster, namespace: str) -> Objects:
    """The objects of the test's namespace."""
    return Objects(cluster, namespace)
