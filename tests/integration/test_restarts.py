"""An operator that ends at any moment, is not there, or is there twice."""

import json
import socket
import urllib.request
from collections.abc import Callable

import pytest

from support.api_objects import Objects
from support.builders import OPENAI, a_manifest
from support.cluster import until
from support.operator_process import OperatorProcess

Make = Callable[..., OperatorProcess]

MANY = [f"ada-{number}" for number in range(20)]


def a_crowd() -> str:
    items = [a_manifest(name, text=f"I am {name}.", replicas=0, model=OPENAI) for name in MANY]
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": items})


def test_a_restart_writes_nothing(objects: Objects, an_operator: Make) -> None:
    operator = an_operator().start()
    objects.cluster.kubectl("-n", objects.namespace, "apply", "-f", "-", stdin=a_crowd())
    objects.settled(MANY)
    before = objects.quiet()

    operator.stop()
    operator.start()
    assert objects.quiet(seconds=3) == before
    assert "applied" not in operator.log().rpartition("synced: 20")[2]


def test_an_idle_operator_writes_nothing(objects: Objects, operator: OperatorProcess) -> None:
    objects.apply(a_manifest(replicas=0))
    objects.settled()
    before = objects.quiet()
    assert objects.quiet(seconds=5) == before


@pytest.mark.parametrize("seen", [1, 10])
def test_an_operator_that_is_killed_in_the_middle_leaves_nothing_half_done(
    seen: int, objects: Objects, an_operator: Make
) -> None:
    operator = an_operator(workers="2").start()
    objects.cluster.kubectl("-n", objects.namespace, "apply", "-f", "-", stdin=a_crowd())
    until(lambda: len(objects.list("services")) >= seen, within=30)
    operator.kill()

    operator.start()
    objects.settled(MANY)
    for kind in ("deployments", "services", "configmaps"):
        assert len(objects.list(kind)) == len(MANY)
    for assistant in objects.list("va", ""):
        status = assistant["status"]
        name = assistant["metadata"]["name"]
        assert objects.find("configmap", f"{name}-{status['revision']['desired']}")
        assert status["nodePort"]


def test_what_changed_while_nobody_looked_is_made_up_for(
    objects: Objects, an_operator: Make
) -> None:
    operator = an_operator().start()
    objects.apply(*(a_manifest(name, replicas=0) for name in ("changed", "edited", "deleted")))
    objects.settled(["changed", "edited", "deleted"])
    operator.stop()

    objects.apply(a_manifest("new", replicas=0), a_manifest("changed", replicas=3))
    objects.kubectl("scale", "deployment/edited", "--replicas=5")
    objects.kubectl("delete", "service", "edited")
    objects.kubectl("delete", "va", "deleted")
    objects.until(lambda: not objects.find("deployment", "deleted"), within=60)

    operator.start()
    objects.settled(["new", "changed", "edited"])
    assert objects.get("deployment", "changed")["spec"]["replicas"] == 3
    objects.until(lambda: objects.get("deployment", "edited")["spec"]["replicas"] == 0)
    objects.until(lambda: objects.find("service", "edited"))
    assert objects.find("deployment", "deleted") is None


def test_an_assistant_that_is_deleted_without_an_operator_leaves_nothing(
    objects: Objects, an_operator: Make
) -> None:
    operator = an_operator().start()
    objects.apply(a_manifest(replicas=1))
    objects.settled()
    operator.stop()

    objects.kubectl("delete", "va", "ada", "--timeout=20s")
    for kind in ("deployments", "services", "configmaps", "pods"):
        objects.until(lambda kind=kind: not objects.list(kind), within=60)


def test_an_assistant_that_is_deleted_under_an_operator_leaves_nothing(
    objects: Objects, operator: OperatorProcess
) -> None:
    objects.apply(a_manifest(replicas=1))
    objects.get("service")
    objects.kubectl("delete", "va", "ada")

    for kind in ("deployments", "services", "configmaps", "pods"):
        objects.until(lambda kind=kind: not objects.list(kind), within=60)
    objects.quiet()
    assert not objects.list("deployments")


def test_two_operators_do_each_other_no_harm(objects: Objects, an_operator: Make) -> None:
    an_operator().start()
    an_operator().start()
    objects.apply(a_manifest(replicas=0))
    objects.settled()
    objects.kubectl("scale", "deployment/ada", "--replicas=4")
    objects.until(lambda: objects.get("deployment")["spec"]["replicas"] == 0)
    objects.until(lambda: not objects.list("pods"))

    before = objects.quiet()
    assert objects.quiet(seconds=3) == before


def test_health_is_told(objects: Objects, an_operator: Make) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    an_operator(health_port=str(port)).start()

    with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answer:
        assert (answer.status, answer.read()) == (200, b"ok\n")
