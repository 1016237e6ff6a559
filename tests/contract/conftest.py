"""One namespace for all tests that leave nothing behind."""

import uuid
from collections.abc import Iterator

import pytest

from support.cluster import Cluster


@pytest.fixture(scope="session")
def a_namespace(cluster: Cluster) -> Iterator[str]:
    """A namespace in which nothing is stored."""
    name = f"test-{uuid.uuid4().hex[:8]}"
    cluster.kubectl("create", "namespace", name)
    yield name
    cluster.kubectl("delete", "namespace", name, "--wait=false")
