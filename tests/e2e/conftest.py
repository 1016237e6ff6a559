"""The product as it is installed: images from the Dockerfiles, the operator in the cluster."""

import uuid
from collections.abc import Iterator

import pytest

from support.cluster import Cluster
from support.load import Load
from support.product import Operator, make
from support.stub_model import StubModel, start


@pytest.fixture(scope="session")
def operator(cluster: Cluster) -> Operator:
    """The operator, installed in the cluster."""
    make("install")
    return Operator(cluster)


@pytest.fixture
def stopped_operator(operator: Operator) -> Iterator[Operator]:
    """The operator, stopped for one test."""
    operator.scale(0)
    yield operator
    operator.scale(1)


@pytest.fixture
def load() -> Iterator[Load]:
    """Questions sent all the time, to be started by the test."""
    load = Load()
    yield load
    load.stop()


@pytest.fixture(scope="session")
def stub_model(cluster: Cluster, operator: Operator) -> Iterator[StubModel]:
    """A model server that does as it is told, in a namespace of its own."""
    name = f"test-stub-{uuid.uuid4().hex[:8]}"
    cluster.kubectl("create", "namespace", name)
    yield start(cluster, name, operator.image())
    cluster.kubectl("delete", "namespace", name, "--wait=false")


@pytest.fixture
def stub(stub_model: StubModel) -> StubModel:
    """The model server, answering everything."""
    stub_model.reset()
    return stub_model
