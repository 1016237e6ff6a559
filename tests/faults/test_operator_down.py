"""The operator is not there while people go on; what it missed is made up for at its start."""

import time
import uuid
from collections.abc import Callable

import pytest

from support.api_objects import Objects
from support.builders import OPENAI, a_config_map, a_manifest, referring
from support.cluster import Cluster, Manifest
from support.operator_process import OperatorProcess

Make = Callable[..., OperatorProcess]

EACH = 3
"""Assistants to which the same thing happens."""
HAPPENINGS = (
    "left", "changed", "scaled", "suspended", "fed", "deleted", "replaced",
    "emptied", "bent", "stripped",
)  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def _one_operator(no_other_operator: None) -> None:
    """Only the operator that a test starts may act."""


def names(happening: str) -> list[str]:
    return [f"{happening}-{number}" for number in range(EACH)]


def resources(names: list[str], kind: str) -> list[str]:
    return [f"{kind}/{name}" for name in names]


def listed(items: list[Manifest]) -> Manifest:
    return {"apiVersion": "v1", "kind": "List", "items": items}


def source(text: str) -> Manifest:
    body = a_config_map("handbook", data={"cv.md": text})
    return {**body, "metadata": {"name": "handbook"}}


def an_assistant(name: str, text: str = "first", **spec: object) -> Manifest:
    return a_manifest(name, text=text, **{"replicas": 0, "model": OPENAI, **spec})


def text_of(found: dict[str, Manifest], name: str) -> str:
    """Return what the Deployment's pods would answer from."""
    volumes = found[f"Deployment {name}"]["spec"]["template"]["spec"]["volumes"]
    [revision] = [v["configMap"]["name"] for v in volumes if v["name"] == "revision"]
    data = found.get(f"ConfigMap {revision}", {}).get("data", {})
    return "".join(value for key, value in data.items() if key.startswith("context."))


def test_all_that_happened_meanwhile_is_made_up_for_at_once(
    objects: Objects, an_operator: Make, recorded: Callable[..., None]
) -> None:
    operator = an_operator().start()
    objects.create(source("first"))
    everyone = [name for happening in HAPPENINGS for name in names(happening)]
    fed = {name: {"context": referring("handbook")} for name in names("fed")}
    objects.kubectl(
        "apply", "-f", "-", body=listed([an_assistant(n, **fed.get(n, {})) for n in everyone])
    )
    objects.settled(everyone)
    uids = {name: body["metadata"]["uid"] for name, body in objects.everything().items()}
    operator.kill()

    _go_on_without(objects)

    begun = time.monotonic()
    operator.start()
    recorded("operator started: it has seen everything", recovery=time.monotonic() - begun)
    alive = [*everyone, *names("new")]
    alive = [name for name in alive if name not in names("deleted")]
    texts = {
        **dict.fromkeys(alive, "first"),
        **dict.fromkeys([*names("changed"), *names("fed"), *names("replaced")], "second"),
    }
    pods = {**dict.fromkeys(alive, 0), **dict.fromkeys(names("scaled"), 2)}

    def caught_up() -> bool:
        now = objects.everything()
        return all(
            f"Service {name}" in now
            and f"Deployment {name}" in now
            and text_of(now, name) == texts[name]
            and now[f"Deployment {name}"]["spec"]["replicas"] == pods[name]
            and now[f"VirtualAssistant {name}"]["status"].get("observedGeneration")
            == now[f"VirtualAssistant {name}"]["metadata"]["generation"]
            for name in alive
        )

    objects.until(caught_up, within=30)
    took = time.monotonic() - begun
    recorded("operator down while people go on", times=len(everyone), recovery=took)

    objects.quiet()
    _nothing_is_orphaned(objects, alive)
    now = objects.everything()
    for name in names("left"):
        for kind in ("Deployment", "Service"):
            assert now[f"{kind} {name}"]["metadata"]["uid"] == uids[f"{kind} {name}"]
        assert now[f"Deployment {name}"]["metadata"]["generation"] == 1, "left alone"
    for name in names("stripped"):
        labels = now[f"Deployment {name}"]["metadata"]["labels"]
        assert labels["app.kubernetes.io/instance"] == name
        assert labels["team"] == "blue", "what others added stays"


def _go_on_without(objects: Objects) -> None:
    """Do to each group of assistants, or to their children, what it is named after."""
    objects.create(source("second"))
    objects.kubectl(
        "apply", "-f", "-",
        body=listed([
            *(an_assistant(name) for name in names("new")),
            *(an_assistant(name, "second") for name in names("changed")),
            *(an_assistant(name, replicas=2) for name in names("scaled")),
            *(an_assistant(name, replicas=3, suspend=True) for name in names("suspended")),
        ]),
    )  # fmt: skip
    gone = [*names("deleted"), *names("replaced")]
    objects.kubectl("delete", *resources(gone, "va"), "--timeout=30s")
    objects.until(
        lambda: not any(f"Deployment {name}" in objects.everything() for name in gone), within=60
    )
    objects.kubectl(
        "apply", "-f", "-", body=listed([an_assistant(n, "second") for n in names("replaced")])
    )
    objects.kubectl(
        "delete",
        *resources(names("emptied"), "service"),
        *resources(names("emptied"), "deployment"),
    )
    revisions = ",".join(names("emptied"))
    objects.kubectl("delete", "configmap", "-l", f"app.kubernetes.io/instance in ({revisions})")
    objects.kubectl("scale", *resources(names("bent"), "deployment"), "--replicas=4")
    objects.kubectl(
        "label", "--overwrite", *resources(names("stripped"), "deployment"),
        "app.kubernetes.io/instance-", "app.kubernetes.io/managed-by-", "team=blue",
    )  # fmt: skip


def _nothing_is_orphaned(objects: Objects, alive: list[str]) -> None:
    """Check that everything of ours has an owner that exists."""
    there = objects.everything()
    owners = {
        body["metadata"]["uid"]: body["metadata"]["name"]
        for body in there.values()
        if body["kind"] == "VirtualAssistant"
    }
    assert sorted(owners.values()) == sorted(alive)
    for kind in ("deployments", "services", "configmaps"):
        for body in objects.list(kind):
            [owner] = body["metadata"]["ownerReferences"]
            assert owner["uid"] in owners, f"{kind} {body['metadata']['name']} is orphaned"


def test_a_namespace_full_of_assistants_goes_without_an_operator(
    cluster: Cluster, an_operator: Make, recorded: Callable[..., None]
) -> None:
    doomed = f"test-{uuid.uuid4().hex[:8]}"
    cluster.kubectl("create", "namespace", doomed)
    operator = an_operator(namespaces=doomed).start()
    objects = Objects(cluster, doomed)
    everyone = names("doomed")
    objects.kubectl("apply", "-f", "-", body=listed([an_assistant(name) for name in everyone]))
    objects.settled(everyone)
    operator.kill()

    begun = time.monotonic()
    cluster.kubectl("delete", "namespace", doomed, "--timeout=60s")
    recorded("namespace deleted without an operator", recovery=time.monotonic() - begun)
