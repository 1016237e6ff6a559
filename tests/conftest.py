"""Fixtures of the suites that need a cluster: one for all, a fresh namespace for each test."""

import uuid
from collections.abc import Iterator

import pytest

from support.cluster import ROOT, Cluster, connect


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


@pytest.fixture
def namespace(cluster: Cluster) -> Iterator[str]:
    """A namespace for one test, in which pods must meet the restricted Pod Security Standard."""
    name = f"test-{uuid.uuid4().hex[:8]}"
    cluster.kubectl("create", "namespace", name)
    cluster.kubectl("label", "namespace", name, "pod-security.kubernetes.io/enforce=restricted")
    yield name
    cluster.kubectl("delete", "namespace", name, "--wait=false")
