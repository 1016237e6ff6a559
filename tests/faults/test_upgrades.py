"""The API and the operator are exchanged for other versions, while assistants serve."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.api_objects import Objects
from support.asking import wait_until_open
from support.builders import OPENAI, a_manifest
from support.cluster import Manifest
from support.operator_process import OperatorProcess
from support.other_operator import of_an_earlier_commit, with_other_pods
from support.product import OPERATOR_NAMESPACE, Operator
from support.retrying import RetryingLoad
from support.two_nodes import CONTROL_PLANE, CRD, TwoNodes

Make = Callable[..., OperatorProcess]

NEW_FIELDS = {
    "instructions": "Answer in one word.",
    "suspend": True,
    "resources": {"limits": {"memory": "300Mi"}},
}
"""Fields of the spec that the older API lacks, and what they are set to."""
STAMP = "virtualassistant.dev/template"


@pytest.fixture(scope="module")
def cluster(two_nodes: TwoNodes) -> Iterator[TwoNodes]:
    """The cluster whose API may be exchanged; at the end it has this tree's."""
    yield two_nodes
    two_nodes.apply_crd()


def older_api() -> str:
    """Return the CRD as it was before some fields of the spec came."""
    crd: Manifest = yaml.safe_load(CRD.read_text())
    [version] = crd["spec"]["versions"]
    spec = version["schema"]["openAPIV3Schema"]["properties"]["spec"]
    for name in NEW_FIELDS:
        del spec["properties"][name]
    return yaml.safe_dump(crd)


def spec_of(objects: Objects, name: str) -> dict[str, Any]:
    spec: dict[str, Any] = objects.get("va", name)["spec"]
    return spec


@pytest.mark.usefixtures("no_other_operator")
def test_a_newer_api_changes_nothing_by_itself_and_an_older_one_loses_no_object(
    cluster: TwoNodes, objects: Objects, an_operator: Make, recorded: Callable[..., None]
) -> None:
    cluster.apply_crd(older_api())
    operator = an_operator().start()
    many = [f"old-{number}" for number in range(10)]
    items = [a_manifest(name, replicas=0, model=OPENAI) for name in many]
    objects.kubectl("apply", "-f", "-", body={"apiVersion": "v1", "kind": "List", "items": items})
    objects.settled(many)
    uids = {name: body["metadata"]["uid"] for name, body in objects.everything().items()}
    before = objects.quiet(seconds=3)
    newer = json.dumps(a_manifest("old-0", model=OPENAI, replicas=0, instructions="x"))
    command = ("-n", objects.namespace, "apply", "--validate=strict", "-f", "-")
    assert "unknown field" in cluster.refused(*command, stdin=newer)

    begun = time.monotonic()
    cluster.apply_crd()
    assert objects.quiet(seconds=3) == before, "what is old goes on unchanged"
    generations = [objects.get("va", name)["metadata"]["generation"] for name in many]
    assert generations == [1] * len(many)

    objects.create(a_manifest("new", model=OPENAI, replicas=1, **NEW_FIELDS))
    cluster.patch("va", "old-0", objects.namespace, {"spec": NEW_FIELDS})
    objects.settled([*many, "new"])
    for name in ("new", "old-0"):
        assert NEW_FIELDS.items() <= spec_of(objects, name).items()
        found = objects.get("deployment", name)["spec"]
        assert found["replicas"] == 0, "suspended"
        limits = found["template"]["spec"]["containers"][0]["resources"]["limits"]
        assert limits == {"memory": "300Mi"}
    recorded("API upgraded", times=len(many), recovery=time.monotonic() - begun)

    begun = time.monotonic()
    cluster.apply_crd(older_api())
    objects.kubectl("annotate", "va", "--all", "note=written-by-the-older-api")
    objects.settled([*many, "new"])
    there = objects.everything()
    for name in [*many, "new"]:
        assert there[f"VirtualAssistant {name}"]["spec"]["model"]["name"] == OPENAI["name"]
        assert f"Deployment {name}" in there
        assert f"Service {name}" in there
    for name, uid in uids.items():
        assert there[name]["metadata"]["uid"] == uid
    cluster.apply_crd()
    objects.settled([*many, "new"])
    assert len(objects.list("va", "")) == len(many) + 1
    assert operator.log().count("synced: ") == 1, "it went on without a restart"
    recorded("API downgraded and upgraded", times=len(many) + 1, recovery=time.monotonic() - begun)


@pytest.fixture
def load() -> Iterator[RetryingLoad]:
    """A client that waits as long as an answer may take on a busy machine, and asks less often than
    a client may: an earlier API may not know of limits, so none is lifted."""
    load = RetryingLoad("Which animal?", clients=1, pause=1.1, within=60)
    yield load
    load.stop()


@pytest.fixture(scope="module")
def installed(cluster: TwoNodes) -> Iterator[dict[str, str]]:
    """The images that this tree's install uses; at the end it is installed again."""
    cluster.install()
    container = deployed(cluster)["spec"]["template"]["spec"]["containers"][0]
    environment = {found["name"]: found.get("value", "") for found in container["env"]}
    yield {
        "OPERATOR_IMAGE": container["image"],
        "ASSISTANT_IMAGE": environment["VA_OPERATOR_ASSISTANT_IMAGE"],
        "MODEL_IMAGE": environment["VA_OPERATOR_MODEL_IMAGE"],
    }
    cluster.install()


def deployed(cluster: TwoNodes) -> Manifest:
    found = cluster.get("deployment", "virtual-assistant-operator", OPERATOR_NAMESPACE)
    assert found is not None
    return found


def lives(cluster: TwoNodes, namespace: str) -> dict[str, tuple[str, int]]:
    """Return UID and restarts of each pod of the assistants."""
    return {
        pod["metadata"]["name"]: (
            pod["metadata"]["uid"],
            sum(
                status["restartCount"]
                for kind in ("containerStatuses", "initContainerStatuses")
                for status in pod["status"].get(kind, ())
            ),
        )
        for pod in cluster.list("pods", namespace, "app.kubernetes.io/component=assistant")
    }


def serve(cluster: TwoNodes, namespace: str, load: RetryingLoad) -> dict[str, tuple[str, int]]:
    """Let assistants serve under constant questions; return the lives of their pods."""
    cluster.apply(a_manifest("ada", text="The animal is a dog.\n", replicas=1), namespace)
    cluster.apply(a_manifest("bob", text="The animal is a cat.\n", replicas=1), namespace)
    for name in ("ada", "bob"):
        cluster.wait_for(name, namespace, within=300)
    port = (cluster.get("va", "ada", namespace) or {})["status"]["nodePort"]
    url = f"http://{cluster.address(CONTROL_PLANE)}:{port}/"
    wait_until_open(url)
    load.start(url)
    asked(cluster, namespace, load, 3)
    return lives(cluster, namespace)


def asked(cluster: TwoNodes, namespace: str, load: RetryingLoad, more: int) -> None:
    """Wait until some more questions were answered."""
    before = sum(load.tries.values())
    cluster.until(lambda: sum(load.tries.values()) >= before + more, namespace, within=300)


def reconciled_by(cluster: TwoNodes, namespace: str, image: str) -> None:
    """Wait until an operator of this image has seen everything and come to rest."""
    operator = Operator(cluster)
    assert operator.image() == image
    cluster.until(lambda: '"synced: ' in operator.logs(), OPERATOR_NAMESPACE, within=120)
    Objects(cluster, namespace).quiet(seconds=8, within=300)
    for name in ("ada", "bob"):
        cluster.wait_for(name, namespace, within=300)


@pytest.mark.timeout(1500)
def test_an_upgrade_from_the_operator_of_an_earlier_commit_fails_no_question(
    cluster: TwoNodes,
    namespace: str,
    installed: dict[str, str],
    load: RetryingLoad,
    tmp_path: Path,
    recorded: Callable[..., None],
) -> None:
    earlier = of_an_earlier_commit(tmp_path)
    earlier.install(installed)
    before = serve(cluster, namespace, load)
    deployment = cluster.get("deployment", "ada", namespace) or {}
    stamped = STAMP in deployment["metadata"].get("annotations", {})

    begun = time.monotonic()
    cluster.install()
    reconciled_by(cluster, namespace, installed["OPERATOR_IMAGE"])
    took = time.monotonic() - begun
    asked(cluster, namespace, load, 5)
    load.stop()
    now = lives(cluster, namespace)
    rolled = len(before.items() - now.items())
    print(f"upgrade from {earlier.image}: {rolled} of {len(before)} pods changed")
    recorded(
        "operator upgraded from an earlier commit",
        times=sum(load.tries.values()),
        lost=load.lost_after(1),
        recovery=took,
    )
    assert not load.problems
    # An operator from before there were stamps left none to keep the pods by.
    assert not (stamped and rolled), (before, now)


@pytest.mark.timeout(1500)
def test_an_upgrade_to_an_operator_with_other_pods_restarts_none(
    cluster: TwoNodes,
    namespace: str,
    installed: dict[str, str],
    load: RetryingLoad,
    tmp_path: Path,
    recorded: Callable[..., None],
) -> None:
    cluster.install()
    before = serve(cluster, namespace, load)
    known, other = "PRE_STOP_SECONDS: Final = 5", "PRE_STOP_SECONDS: Final = 6"
    later = with_other_pods(tmp_path, lambda text: text.replace(known, other))

    begun = time.monotonic()
    later.install(installed)
    reconciled_by(cluster, namespace, later.image)
    took = time.monotonic() - begun
    asked(cluster, namespace, load, 5)
    load.stop()
    recorded(
        "operator upgraded to one with other pods",
        times=sum(load.tries.values()),
        lost=load.lost_after(1),
        recovery=took,
    )
    assert not load.problems
    assert lives(cluster, namespace) == before

    # What people ask for comes with the new pods.
    cluster.patch("va", "bob", namespace, {"spec": {"instructions": "Answer in one word."}})
    cluster.until(
        lambda: lives(cluster, namespace).keys() & before.keys() == {pod_of("ada", before)},
        namespace,
        within=300,
    )
    assert pre_stop(cluster, namespace, "bob") == "6"
    assert pre_stop(cluster, namespace, "ada") == "5"


def pod_of(name: str, pods: dict[str, tuple[str, int]]) -> str:
    [found] = [pod for pod in pods if pod.startswith(f"{name}-")]
    return found


def pre_stop(cluster: TwoNodes, namespace: str, name: str) -> str:
    deployment = cluster.get("deployment", name, namespace) or {}
    [container] = deployment["spec"]["template"]["spec"]["containers"]
    command: list[str] = container["lifecycle"]["preStop"]["exec"]["command"]
    return command[-1]
