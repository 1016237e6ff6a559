"""The API server or its etcd is gone for a while; the operator is not restarted for it."""

import time
from collections.abc import Callable

import pytest

from support.api_objects import Objects
from support.builders import OPENAI, a_manifest
from support.cluster import Manifest
from support.operator_process import OperatorProcess
from support.two_nodes import TwoNodes
from va_operator.lease import LEASE_SECONDS

Make = Callable[..., OperatorProcess]

MANY = [f"ada-{number}" for number in range(20)]
GOAL_SECONDS = 10
"""Between the moment when the API server is ready again and the last write."""


@pytest.fixture(scope="module")
def cluster(two_nodes: TwoNodes) -> TwoNodes:
    """The cluster whose control plane may come to harm."""
    return two_nodes


@pytest.fixture(scope="module", autouse=True)
def _one_operator(no_other_operator: None) -> None:
    """Only the operator that a test starts may act."""


def crowd(text: str) -> Manifest:
    items = [a_manifest(name, text=text, replicas=0, model=OPENAI) for name in MANY]
    return {"apiVersion": "v1", "kind": "List", "items": items}


def changed(found: dict[str, Manifest], name: str, text: str) -> bool:
    """Tell whether an assistant's Deployment mounts the revision that holds a text."""
    deployment = found.get(f"Deployment {name}")
    if deployment is None:
        return False
    [revision] = [
        volume["configMap"]["name"]
        for volume in deployment["spec"]["template"]["spec"]["volumes"]
        if volume["name"] == "revision"
    ]
    return text in found.get(f"ConfigMap {revision}", {}).get("data", {}).get("context.ada.md", "")


@pytest.mark.parametrize("seconds", [5, 30])
@pytest.mark.parametrize("component", ["kube-apiserver", "etcd"])
def test_what_was_under_way_and_what_comes_next_is_done_soon_after_it_is_back(
    component: str,
    seconds: float,
    cluster: TwoNodes,
    objects: Objects,
    namespace: str,
    an_operator: Make,
    recorded: Callable[..., None],
) -> None:
    operator = an_operator(lease_namespace=namespace).start()  # as it is installed
    objects.kubectl("apply", "-f", "-", body=crowd("first"))
    objects.settled(MANY)
    uids = {name: body["metadata"]["uid"] for name, body in objects.everything().items()}

    objects.kubectl("apply", "-f", "-", body=crowd("second"))
    with cluster.away(component, seconds):
        pass
    back = cluster.wait_until_it_answers()
    objects.kubectl("delete", "service", MANY[0], "--wait=false")
    objects.kubectl("scale", f"deployment/{MANY[1]}", "--replicas=3")
    objects.kubectl("delete", "va", MANY[2], "--wait=false")
    objects.apply(a_manifest("new", text="third", replicas=0, model=OPENAI))
    rest = [name for name in MANY if name != MANY[2]]

    def converged() -> bool:
        now = objects.everything()
        return (
            all(changed(now, name, "second") for name in rest)
            and changed(now, "new", "third")
            and all(f"Service {name}" in now for name in (*rest, "new"))
            and now[f"Service {MANY[0]}"]["metadata"]["uid"] != uids[f"Service {MANY[0]}"]
            and now[f"Deployment {MANY[1]}"]["spec"]["replicas"] == 0
            and all(
                now[f"VirtualAssistant {name}"]["status"].get("observedGeneration")
                == now[f"VirtualAssistant {name}"]["metadata"]["generation"]
                for name in (*rest, "new")
            )
        )

    objects.until(converged, within=90)
    took = time.monotonic() - back
    recorded(f"{component} killed for {seconds} s", recovery=took)

    objects.quiet(seconds=3)
    now = objects.everything()
    for name in rest:
        assert now[f"Deployment {name}"]["metadata"]["uid"] == uids[f"Deployment {name}"]
        # Created and changed once; the scaled one was scaled and healed as well.
        writes = 4 if name == MANY[1] else 2
        assert now[f"Deployment {name}"]["metadata"]["generation"] == writes, name
    assert operator.log().count("synced: ") == 1, "it went on without a restart"
    if seconds > LEASE_SECONDS:
        assert "nothing is written until" in operator.log(), "the Lease outlived it"
        assert operator.log().count("leading: ") >= 2, "renewed after all"
    assert took <= GOAL_SECONDS, operator.log()[-6000:]
