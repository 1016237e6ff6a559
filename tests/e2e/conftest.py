"""The product as it is installed: images from the Dockerfiles, the operator in the cluster."""

import uuid
from collections.abc import Iterator
from itertools import cycle

import pytest

from support.certificates import Authority, make_authority
from support.cluster import Cluster
from support.load import Load
from support.product import Operator, make
from support.stub_model import StubModel, start


@pytest.fixture(scope="session")
def operator(cluster: Cluster) -> Iterator[Operator]:
    """The operator, installed in the cluster; at the end it is as `make install` left it."""
    make("install")
    operator = Operator(cluster)
    # Settled pods are asked every 30 s by default: right for people, long for a test.
    operator.set(VA_OPERATOR_SETTLED_QUESTION_SECONDS="3")
    yield operator
    operator.set(VA_OPERATOR_SETTLED_QUESTION_SECONDS=None)


_NODE_PORTS = cycle(range(30001, 30031))


@pytest.fixture
def node_port() -> int:
    """A node port that leads to this machine, and that no test had lately."""
    return next(_NODE_PORTS)


@pytest.fixture
def load() -> Iterator[Load]:
    """Questions sent all the time, to be started by the test."""
    load = Load()
    yield load
    load.stop()


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """The private CA of the model server."""
    return make_authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def stub_model(cluster: Cluster, operator: Operator, authority: Authority) -> Iterator[StubModel]:
    """A model server that does as it is told, in a namespace of its own."""
    name = f"test-stub-{uuid.uuid4().hex[:8]}"
    cluster.kubectl("create", "namespace", name)
    yield start(cluster, name, operator.image(), authority=authority)
    cluster.kubectl("delete", "namespace", name, "--wait=false")


@pytest.fixture
def stub(stub_model: StubModel) -> StubModel:
    """The model server, answering everything."""
    stub_model.reset()
    return stub_model
