"""A real API server, and the real operator beside it."""

import json
import uuid
from collections.abc import Iterator

import pytest

from support.cluster import Cluster
from support.operator_process import OperatorProcess


@pytest.fixture(scope="module", autouse=True)
def _one_operator(no_other_operator: None) -> None:
    """Only the operator that a test starts may act: one is enough for an assistant."""


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
