"""What the operator makes of an assistant, and what it does when somebody changes that."""

import json
from collections.abc import Callable, Iterator

import pytest

from support.api_objects import Objects
from support.builders import OPENAI, a_manifest

NAMED = ("deployment", "service", "pdb", "networkpolicy")


@pytest.fixture
def namespace(watched: Iterator[str]) -> str:
    """The next of the namespaces that the module's operator watches."""
    return next(watched)


def test_an_assistant_gets_all_its_children(objects: Objects) -> None:
    objects.apply(a_manifest(model=OPENAI))
    objects.settled()

    assistant = objects.get("va")
    [revision] = objects.list("configmaps")
    named = {kind: objects.get(kind) for kind in NAMED}
    for child in (revision, *named.values()):
        assert child["metadata"]["ownerReferences"] == [
            {
                "apiVersion": "virtualassistant.dev/v1alpha1",
                "kind": "VirtualAssistant",
                "name": "ada",
                "uid": assistant["metadata"]["uid"],
                "controller": True,
                "blockOwnerDeletion": False,
            }
        ]
    status = assistant["status"]
    assert revision["metadata"]["name"] == f"ada-{status['revision']['desired']}"
    assert status["nodePort"] == named["service"]["spec"]["ports"][0]["nodePort"]
    assert status["context"]["bytes"] == 20
    assert {condition["type"] for condition in status["conditions"]} == {
        "Ready", "Available", "Progressing", "ContextResolved", "ModelReachable", "Degraded",
        "Stalled",
    }  # fmt: skip
    assert "finalizers" not in assistant["metadata"]


def test_pods_are_made_in_a_namespace_that_restricts_them(objects: Objects) -> None:
    objects.apply(a_manifest())
    objects.until(lambda: len(objects.list("pods")) == 2)


def test_a_name_of_63_characters_works(objects: Objects) -> None:
    name = "a" * 63
    objects.apply(a_manifest(name))
    objects.settled([name])
    objects.until(lambda: len(objects.list("pods")) == 2)


@pytest.mark.parametrize("kind", [*NAMED, "configmap"])
def test_a_deleted_child_comes_back(kind: str, objects: Objects) -> None:
    objects.apply(a_manifest(replicas=2 if kind == "pdb" else 0))
    objects.settled()
    [child] = objects.list(kind)
    name, uid = child["metadata"]["name"], child["metadata"]["uid"]

    objects.kubectl("delete", kind, name)
    objects.until(lambda: objects.uid(kind, name) not in {None, uid})


def test_an_edited_number_of_a_port_heals_and_keeps_the_node_port(objects: Objects) -> None:
    objects.apply(a_manifest(replicas=0))
    objects.settled()
    [port] = objects.get("service")["spec"]["ports"]
    edit = [{"op": "replace", "path": "/spec/ports/0/port", "value": 8080}]
    objects.kubectl("patch", "service", "ada", "--type=json", "-p", json.dumps(edit))

    objects.until(lambda: objects.get("service")["spec"]["ports"] == [port])
    assert objects.wait_for(reason="ScaledToZero")


def test_a_disruption_budget_is_there_for_two_pods_and_more(objects: Objects) -> None:
    objects.apply(a_manifest(replicas=2))
    objects.get("pdb")

    objects.kubectl("scale", "va/ada", "--replicas=1")
    objects.until(lambda: objects.find("pdb") is None)
    objects.quiet()
    objects.kubectl("scale", "va/ada", "--replicas=2")
    objects.get("pdb")


def test_ways_out_of_every_kind_are_taken_as_they_are_sent(objects: Objects) -> None:
    blocks = ("10.1.2.3/8", "2001:DB8:0:1::/64", "1:2:3:4:5:6:7:8/128", "::/0")
    egress = [*({"cidr": cidr, "ports": [443]} for cidr in blocks), {"namespace": "models"}]
    objects.apply(a_manifest(replicas=0, networkPolicy={"egress": egress}))
    objects.settled()

    spec = objects.get("networkpolicy")["spec"]
    assert spec["policyTypes"] == ["Ingress", "Egress"]
    assert [rule["to"][0]["ipBlock"]["cidr"] for rule in spec["egress"][1:-1]] == list(blocks)

    objects.kubectl("patch", "va/ada", "--type=json", "-p",
                    '[{"op":"remove","path":"/spec/networkPolicy"}]')  # fmt: skip
    objects.until(lambda: "egress" not in objects.get("networkpolicy")["spec"])


EDITS: dict[str, tuple[tuple[str, ...], Callable[[Objects], bool]]] = {
    "an image": (
        ("set", "image", "deployment/ada", "assistant=evil:1"),
        lambda objects: objects.template()["assistant"]["image"] != "evil:1",
    ),
    "the replicas of the Deployment": (
        ("scale", "deployment/ada", "--replicas=7"),
        lambda objects: objects.get("deployment")["spec"]["replicas"] == 2,
    ),
    "a probe": (
        (
            "patch", "deployment/ada", "--type=json", "-p",
            '[{"op":"remove","path":"/spec/template/spec/containers/0/readinessProbe"}]',
        ),
        lambda objects: "readinessProbe" in objects.template()["assistant"],
    ),
    "a label": (
        ("label", "--overwrite", "deployment/ada", "app.kubernetes.io/name=x"),
        lambda objects: (
            objects.get("deployment")["metadata"]["labels"]["app.kubernetes.io/name"]
            == "virtual-assistant"
        ),
    ),
    "the label by which it is watched": (
        ("label", "deployment/ada", "app.kubernetes.io/managed-by-"),
        lambda objects: len(objects.list("deployments")) == 1,
    ),
    "the owner": (
        ("patch", "service/ada", "--type=merge", "-p", '{"metadata":{"ownerReferences":null}}'),
        lambda objects: bool(objects.get("service")["metadata"].get("ownerReferences")),
    ),
    "the port of the Service": (
        (
            "patch", "service/ada", "--type=json", "-p",
            '[{"op":"replace","path":"/spec/ports/0/targetPort","value":9}]',
        ),
        lambda objects: objects.get("service")["spec"]["ports"][0]["targetPort"] == "http",
    ),
    "the selector of the Service": (
        ("patch", "service/ada", "--type=merge", "-p", '{"spec":{"selector":{"x":"y"}}}'),
        lambda objects: "x" not in objects.get("service")["spec"]["selector"],
    ),
    "how many pods may be away": (
        ("patch", "pdb/ada", "--type=merge", "-p", '{"spec":{"maxUnavailable":2}}'),
        lambda objects: objects.get("pdb")["spec"]["maxUnavailable"] == 1,
    ),
    "who is let in": (
        ("patch", "networkpolicy/ada", "--type=merge", "-p", '{"spec":{"ingress":[{}]}}'),
        lambda objects: len(objects.get("networkpolicy")["spec"]["ingress"]) == 2,
    ),
}  # fmt: skip


def test_edited_fields_are_healed(objects: Objects) -> None:
    objects.apply(a_manifest(replicas=2))
    objects.settled()

    for edit, healed in EDITS.values():
        objects.kubectl(*edit)
        objects.until(lambda healed=healed: healed(objects), within=10)
    objects.quiet()


def test_what_others_add_stays(objects: Objects) -> None:
    objects.apply(a_manifest(replicas=1))
    objects.settled()
    sidecar = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "ada", "annotations": {"mesh": "on"}},
        "spec": {
            "template": {
                "spec": {
                    "containers": [
                        {"name": "mesh", "image": "mesh:1"},
                        {"name": "assistant", "env": [{"name": "MESH", "value": "1"}]},
                    ]
                }
            }
        },
    }
    objects.kubectl("apply", "--server-side", "--field-manager=mesh", "-f", "-", body=sidecar)
    objects.kubectl("label", "deployment/ada", "service/ada", "team=blue")
    objects.quiet()

    objects.kubectl("scale", "va/ada", "--replicas=0")
    objects.until(lambda: objects.get("deployment")["spec"]["replicas"] == 0)
    found = objects.get("deployment")
    assert found["metadata"]["labels"]["team"] == "blue"
    assert found["metadata"]["annotations"]["mesh"] == "on"
    assert set(objects.template()) == {"assistant", "mesh"}
    assert {"name": "MESH", "value": "1"} in objects.template()["assistant"]["env"]
    assert objects.get("service")["metadata"]["labels"]["team"] == "blue"


def test_the_node_port_stays_through_all_changes(objects: Objects) -> None:
    objects.apply(a_manifest(replicas=0))
    objects.settled()
    before = objects.get("service")["spec"]["ports"][0]["nodePort"]

    objects.apply(a_manifest(replicas=0, service={"port": 8080}))
    objects.until(lambda: objects.get("service")["spec"]["ports"][0]["port"] == 8080)
    assert objects.get("service")["spec"]["ports"][0]["nodePort"] == before


def test_a_type_of_service_can_be_changed_and_changed_back(objects: Objects) -> None:
    for type_ in ("NodePort", "ClusterIP", "LoadBalancer", "NodePort"):
        objects.apply(a_manifest(replicas=0, service={"type": type_}))
        objects.until(
            lambda type_=type_: (objects.find("service") or {}).get("spec", {}).get("type") == type_
        )
    objects.settled()


def test_scaling_the_assistant_scales_its_pods(objects: Objects) -> None:
    objects.apply(a_manifest(replicas=0))
    objects.settled()
    objects.kubectl("scale", "va/ada", "--replicas=3")
    objects.until(lambda: objects.get("deployment")["spec"]["replicas"] == 3)


def test_an_autoscaler_sets_the_replicas_and_nobody_sets_them_back(objects: Objects) -> None:
    """Kubernetes' own: below its minimum it acts without any metrics."""
    objects.apply(a_manifest(replicas=1))
    objects.settled()
    target = {"apiVersion": "virtualassistant.dev/v1alpha1", "kind": "VirtualAssistant"}
    cpu = {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}
    objects.create(
        {
            "apiVersion": "autoscaling/v2",
            "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": "ada"},
            "spec": {
                "scaleTargetRef": {**target, "name": "ada"},
                "minReplicas": 2,
                "maxReplicas": 3,
                "metrics": [{"type": "Resource", "resource": cpu}],
            },
        }
    )
    objects.until(lambda: objects.get("deployment")["spec"]["replicas"] == 2, within=60)
    objects.settled()
    before = objects.get("va")["status"]["revision"]["desired"]
    patch = '{"spec": {"instructions": "Be short."}}'
    objects.kubectl("patch", "va/ada", "--type=merge", "-p", patch)
    objects.until(lambda: objects.get("va")["status"]["revision"]["desired"] != before)
    objects.settled()
    assert objects.get("deployment")["spec"]["replicas"] == 2

    autoscaler = objects.get("hpa")
    assert autoscaler["status"]["desiredReplicas"] == 2
    able = {c["type"]: c["status"] for c in autoscaler["status"]["conditions"]}
    assert able["AbleToScale"] == "True"
    selector = objects.get("va")["status"]["selector"]
    assert "app.kubernetes.io/instance=ada" in selector


def test_suspending_takes_the_pods_and_leaves_the_rest(objects: Objects) -> None:
    objects.apply(a_manifest(replicas=1))
    objects.until(lambda: objects.list("pods"))
    objects.kubectl("patch", "va/ada", "--type=merge", "-p", '{"spec":{"suspend":true}}')

    objects.wait_for(reason="Suspended")
    objects.until(lambda: not objects.list("pods"), within=60)
    assert objects.find("service")

    objects.kubectl("patch", "va/ada", "--type=merge", "-p", '{"spec":{"suspend":false}}')
    objects.until(lambda: objects.list("pods"))


def test_an_assistant_that_is_made_anew_at_once_gets_its_own_children(objects: Objects) -> None:
    objects.apply(a_manifest(replicas=0))
    objects.settled()
    objects.kubectl("delete", "va/ada", "--wait=true")
    objects.apply(a_manifest(replicas=0, text="another"))

    uid = objects.get("va")["metadata"]["uid"]
    for kind in ("deployment", "service"):
        objects.until(
            lambda kind=kind: (
                (found := objects.find(kind))
                and found["metadata"]["ownerReferences"][0]["uid"] == uid
                and "deletionTimestamp" not in found["metadata"]
            ),
            within=60,
        )
    objects.quiet()


def test_an_image_that_cannot_be_had_is_told(objects: Objects) -> None:
    objects.apply(a_manifest(replicas=1, model=OPENAI))
    if not objects.kubectl("get", "nodes", "-o", "name"):
        play_the_kubelet(objects)

    found = objects.wait_for(reason="ImagePullFailed", within=60)
    assert "Container 'assistant' of pod 'ada-" in found["message"]
    objects.wait_for("Available", reason="ImagePullFailed")


def play_the_kubelet(objects: Objects) -> None:
    """Say of a pod what a kubelet says, on a cluster that has none."""
    [pod] = objects.until(lambda: objects.list("pods"))
    waiting = {"reason": "ImagePullBackOff", "message": "ErrImagePull: no such host"}
    container = {
        "name": "assistant",
        "image": "x",
        "imageID": "",
        "ready": False,
        "restartCount": 0,
        "state": {"waiting": waiting},
    }
    patch = json.dumps({"status": {"containerStatuses": [container]}})
    name = f"pod/{pod['metadata']['name']}"
    objects.kubectl("patch", name, "--subresource=status", "--type=merge", "-p", patch)
