"""What the first write of a child and its deletion rely on, asked of a real API server."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

import pytest
from kubernetes.aio import config
from kubernetes.aio.config import load_kube_config

from support.api_objects import Objects
from support.builders import IMAGES, an_assistant, the_revision
from support.cluster import Cluster
from va_operator.api import Manifest, VirtualAssistant, key_of
from va_operator.cluster import ApiServer
from va_operator.context import resolve
from va_operator.desired import BESIDE_PODS
from va_operator.errors import ClusterFailure
from va_operator.kinds import CHILDREN
from va_operator.observed import read_child
from va_operator.owned import same
from va_operator.resources.config_map import build_config_map
from va_operator.resources.deployment import build_deployment

T = TypeVar("T")

BUILDERS: dict[str, Callable[[VirtualAssistant], Manifest | None]] = {
    "ConfigMap": lambda ada: build_config_map(ada, the_revision(ada), resolve(ada, {})),
    "Deployment": lambda ada: build_deployment(ada, the_revision(ada).id, IMAGES),
    **BESIDE_PODS,
}


@pytest.fixture
def child(kind: str, namespace: str) -> Manifest:
    """A child that is sent as it is; without its owner, for lack of whom it would be deleted."""
    wanted = BUILDERS[kind](an_assistant(namespace=namespace))
    assert wanted is not None
    del wanted["metadata"]["ownerReferences"]
    return wanted


@pytest.fixture(autouse=True)
def _way(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lead to the test cluster: the client library looks for a kubeconfig when it is imported."""
    load = partial(load_kube_config, config_file=str(cluster.kubeconfig))
    monkeypatch.setattr(config, "load_kube_config", load)


def ask(question: Callable[[ApiServer], Awaitable[T]]) -> T:
    async def run() -> T:
        api = await ApiServer.connect(in_cluster=False)
        try:
            return await question(api)
        finally:
            await api.close()

    return asyncio.run(run())


@pytest.mark.parametrize("kind", BUILDERS)
def test_a_first_write_where_there_is_nothing_is_ours(child: Manifest) -> None:
    written = read_child(ask(lambda api: api.create(child)))
    assert same(child, written.owned)
    again = read_child(ask(lambda api: api.apply(child, over=written.uid)))
    assert (again.uid, again.generation) == (written.uid, written.generation)


@pytest.mark.parametrize("kind", BUILDERS)
def test_a_first_write_shares_nothing_that_is_there(child: Manifest, objects: Objects) -> None:
    bare = {**child, "metadata": {"name": child["metadata"]["name"]}}
    objects.kubectl("create", "-f", "-", body=bare)

    with pytest.raises(ClusterFailure) as refused:
        ask(lambda api: api.create(child))
    assert (refused.value.status, refused.value.reason) == (409, "Conflict")
    found = ask(lambda api: api.get(CHILDREN[child["kind"]], key_of(child)))
    assert found is not None
    assert read_child(found).owned == {}


@pytest.mark.parametrize("kind", BUILDERS)
def test_a_write_by_force_is_for_the_one_with_the_uid(child: Manifest, objects: Objects) -> None:
    for _ in ("while there is none", "while there is another"):
        with pytest.raises(ClusterFailure) as refused:
            ask(lambda api: api.apply(child, over="00000000-0000-0000-0000-000000000000"))
        assert (refused.value.status, refused.value.reason) == (409, "Replaced")
        objects.kubectl("apply", "-f", "-", body=child)
    found = ask(lambda api: api.get(CHILDREN[child["kind"]], key_of(child)))
    assert found is not None
    assert read_child(found).owned == {}


@pytest.mark.parametrize("kind", ["ConfigMap", "PodDisruptionBudget"])
def test_only_the_one_with_the_uid_is_deleted(child: Manifest) -> None:
    resource, key = CHILDREN[child["kind"]], key_of(child)
    uid = ask(lambda api: api.create(child))["metadata"]["uid"]

    ask(lambda api: api.delete(resource, key, "00000000-0000-0000-0000-000000000000"))
    assert ask(lambda api: api.get(resource, key)) is not None
    ask(lambda api: api.delete(resource, key, uid))
    assert ask(lambda api: api.get(resource, key)) is None
    ask(lambda api: api.delete(resource, key, uid))
