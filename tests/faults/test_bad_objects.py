"""Objects that no rule would let in today, status of others, names and sizes at the edge."""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import yaml

from support.api_objects import Objects
from support.builders import OPENAI, a_manifest, referring
from support.cluster import Manifest
from support.operator_process import OperatorProcess
from support.two_nodes import CRD, TwoNodes

Make = Callable[..., OperatorProcess]

TEXT = {"name": "ada.md", "inline": "Ada works."}
GOOD: Manifest = {"context": {"files": [TEXT]}, "replicas": 0, "model": OPENAI}
REF = {"configMapRef": {"name": "x", "key": "y"}}
BAD_SPECS: dict[str, Any] = {
    "nothing": {},
    "no-files": {**GOOD, "context": {}},
    "empty-files": {**GOOD, "context": {"files": []}},
    "files-are-text": {**GOOD, "context": {"files": "Ada works."}},
    "files-are-null": {**GOOD, "context": {"files": None}},
    "context-is-a-list": {**GOOD, "context": ["Ada works."]},
    "file-without-text": {**GOOD, "context": {"files": [{"name": "a.md"}]}},
    "file-without-name": {**GOOD, "context": {"files": [{"inline": "Ada works."}]}},
    "file-with-both": {**GOOD, "context": {"files": [{**TEXT, **REF}]}},
    "file-climbs": {**GOOD, "context": {"files": [{**TEXT, "name": "../../etc/passwd"}]}},
    "text-is-a-number": {**GOOD, "context": {"files": [{"name": "a.md", "inline": 5}]}},
    "ref-without-key": {
        **GOOD,
        "context": {"files": [{"name": "a.md", "configMapRef": {"name": "x"}}]},
    },
    "ref-with-more": {
        **GOOD,
        "context": {"files": [{"name": "a.md", "configMapRef": {"name": "x", "key": "y", "z": 1}}]},
    },
    "ref-climbs": {
        **GOOD,
        "context": {"files": [{"name": "a", "configMapRef": {"name": "../secrets/x", "key": "y"}}]},
    },
    "minus-one": {**GOOD, "replicas": -1},
    "a-million": {**GOOD, "replicas": 10**6, "suspend": True},
    "two-as-text": {**GOOD, "replicas": "2"},
    "replicas-null": {**GOOD, "replicas": None},
    "model-is-text": {**GOOD, "model": "gpt-5-mini"},
    "model-without-name": {**GOOD, "model": {"provider": "OpenAI"}},
    "model-of-nobody": {**GOOD, "model": {"provider": "Nobody", "name": "x"}},
    "key-without-key": {**GOOD, "model": {**OPENAI, "apiKeySecretRef": {"name": "x"}}},
    "timeout-is-text": {**GOOD, "model": {**OPENAI, "timeoutSeconds": "60"}},
    "instructions-are-a-map": {**GOOD, "instructions": {"a": "b"}},
    "suspend-is-text": {**GOOD, "suspend": "no"},
    "service-is-text": {**GOOD, "service": "NodePort"},
    "service-of-no-type": {**GOOD, "service": {"type": "Carrier"}},
    "port-is-text": {**GOOD, "service": {"port": "http"}},
    "port-out-of-range": {**GOOD, "service": {"nodePort": 99999}},
    "annotations-are-numbers": {**GOOD, "service": {"annotations": {"a": 1}}},
    "resources-are-text": {**GOOD, "resources": "small"},
    "resources-are-nonsense": {**GOOD, "resources": {"limits": {"memory": "much"}}},
    "resources-are-null": {**GOOD, "resources": {"limits": None}},
    "0-begins-with-a-digit": GOOD,
    "with.dots": GOOD,
    "long-" + "g" * 90: GOOD,
}


@pytest.fixture(scope="module")
def cluster(two_nodes: TwoNodes) -> Iterator[TwoNodes]:
    """The cluster whose API may be exchanged; at the end it has this tree's."""
    yield two_nodes
    two_nodes.apply_crd()


@pytest.fixture(scope="module", autouse=True)
def _one_operator(no_other_operator: None) -> None:
    """Only the operator that a test starts may act."""


def lenient_api() -> str:
    """Return the CRD with no rule for the spec and for names."""
    crd: Manifest = yaml.safe_load(CRD.read_text())
    [version] = crd["spec"]["versions"]
    del version["subresources"]["scale"]  # it has a rule of its own for `replicas`
    schema = version["schema"]["openAPIV3Schema"]
    schema.pop("x-kubernetes-validations", None)
    schema["properties"]["spec"] = {"x-kubernetes-preserve-unknown-fields": True}
    return yaml.safe_dump(crd)


def an_object(name: str, spec: Any) -> Manifest:
    return {**a_manifest(name), "spec": spec}


def test_objects_from_before_a_rule_harm_nobody(
    cluster: TwoNodes, objects: Objects, an_operator: Make, recorded: Callable[..., None]
) -> None:
    cluster.apply_crd(lenient_api())
    items = [an_object(name, spec) for name, spec in BAD_SPECS.items()]
    objects.kubectl("create", "-f", "-", body={"apiVersion": "v1", "kind": "List", "items": items})
    cluster.apply_crd()

    operator = an_operator().start()
    begun = time.monotonic()
    objects.apply(a_manifest("good", replicas=0, model=OPENAI))
    objects.until(
        lambda: objects.find("deployment", "good") and objects.find("service", "good"), within=30
    )
    took = time.monotonic() - begun
    objects.settled(["good"])
    recorded("bad objects from before a rule", times=len(items), recovery=took)
    unforeseen = [line for line in operator.log().splitlines() if "unforeseen" in line]
    assert not unforeseen

    # What is made good is served, and what is not can be deleted.
    objects.kubectl("patch", "va/minus-one", "--type=merge", "-p", '{"spec": {"replicas": 0}}')
    objects.settled(["minus-one"])
    objects.kubectl("delete", "va", "--all", "--timeout=60s")
    for kind in ("deployments", "services", "configmaps"):
        objects.until(lambda kind=kind: not objects.list(kind), within=60)


LIES: dict[str, Manifest] = {
    "observedGeneration": {"observedGeneration": 10**9},
    "no conditions": {"conditions": []},
    "all is well": {
        "conditions": [
            {
                "type": type_,
                "status": "True",
                "reason": "BecauseISaySo",
                "message": "",
                "lastTransitionTime": "1970-01-01T00:00:00Z",
            }
            for type_ in ("Ready", "Available", "Progressing", "ContextResolved", "ModelReachable")
        ]
    },
    "replicas": {"replicas": 77, "readyReplicas": 99, "updatedReplicas": 10**6},
    "selector": {"selector": "app=other"},
    "url": {"url": "http://evil.example/"},
    "nodePort": {"nodePort": 1},
    "revision": {"revision": {"desired": "nonsense", "serving": "nonsense"}},
    "context": {"context": {"bytes": -5, "tokens": 7, "files": []}},
    "models": {"models": [{"name": "other", "state": "Ready", "lastError": "none"}]},
    "nothing": {},
}


@pytest.mark.parametrize("lie", LIES)
def test_a_status_that_somebody_else_wrote_becomes_true_again(
    lie: str, objects: Objects, an_operator: Make
) -> None:
    operator = an_operator().start()
    objects.apply(a_manifest(replicas=0, model=OPENAI))
    objects.settled()
    before = without_times(objects.get("va")["status"])

    how = "replace" if lie == "nothing" else "patch"
    if how == "replace":
        body = {key: value for key, value in objects.get("va").items() if key != "status"}
        objects.kubectl("replace", "--subresource=status", "-f", "-", body=body)
    else:
        objects.kubectl(
            "patch", "va/ada", "--subresource=status", "--type=merge",
            "-p", json.dumps({"status": LIES[lie]}),
        )  # fmt: skip

    def true_again() -> bool:
        return without_times(objects.get("va").get("status", {})) == before

    try:
        objects.until(true_again, within=15)
    except AssertionError as error:
        found = without_times(objects.get("va").get("status", {}))
        rest = {
            key: found.get(key) for key in {*found, *before} if found.get(key) != before.get(key)
        }
        raise AssertionError(f"still there: {rest}") from error
    versions = objects.quiet()
    assert objects.quiet(seconds=3) == versions
    assert "unforeseen" not in operator.log()


def without_times(status: Manifest) -> Manifest:
    conditions = {
        condition["type"]: {k: v for k, v in condition.items() if k != "lastTransitionTime"}
        for condition in status.get("conditions", ())
    }
    return {**status, "conditions": conditions}


def test_names_at_the_edge_are_served(objects: Objects, operator: OperatorProcess) -> None:
    objects.apply(a_manifest(replicas=0, model=OPENAI))
    objects.settled()
    revision = objects.get("va")["status"]["revision"]["desired"]
    # The last one is the name of the first one's ConfigMap.
    names = ["a", "a" * 63, "a1-2-3", "kubernetes", "default", "null", "true", f"ada-{revision}"]
    for name in names:
        objects.apply(a_manifest(name, replicas=0, model=OPENAI))
    objects.settled(["ada", *names])
    objects.kubectl("delete", "va", f"ada-{revision}", "--timeout=30s")
    objects.until(lambda: not objects.find("deployment", f"ada-{revision}"), within=60)
    objects.settled(["ada"])
    assert objects.find("configmap", f"ada-{revision}"), "it is ada's"


def test_the_cluster_s_own_service_is_never_taken_over(
    cluster: TwoNodes, an_operator: Make
) -> None:
    objects = Objects(cluster, "default")
    before = objects.get("service", "kubernetes")
    an_operator(namespaces="default").start()
    objects.apply(a_manifest("kubernetes", replicas=0, model=OPENAI))
    try:
        objects.wait_for("Ready", name="kubernetes", reason="NameConflict")
        assert objects.get("service", "kubernetes") == before
    finally:
        objects.kubectl("delete", "va", "kubernetes", "--timeout=30s")
    assert objects.get("service", "kubernetes") == before


def a_source(name: str, text: str) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name},
        "data": {"cv.md": text},
    }


def test_a_context_at_the_limit_of_a_config_map_is_served_or_refused_with_the_numbers(
    objects: Objects, operator: OperatorProcess
) -> None:
    objects.create(a_source("full", "x" * 1_000_000))
    objects.create(a_source("over", "x" * 1_000_001))
    widest = {**OPENAI, "name": "n" * 256}
    objects.apply(
        a_manifest(
            "full", context=referring("full"), model=widest, replicas=0, instructions="😀" * 8192
        ),
        a_manifest("over", context=referring("over"), model=OPENAI, replicas=0),
    )
    objects.wait_for("ContextResolved", name="full", status="True")
    objects.settled(["full"])
    refused = objects.wait_for("ContextResolved", name="over", reason="ContextTooLarge")
    assert "1000001" in refused["message"]

    # A control character takes six bytes in the settings: with these they no longer fit.
    objects.apply(
        a_manifest(
            "escaped", context=referring("full"), model=OPENAI, replicas=0,
            instructions="\x01" * 8192,
        )
    )  # fmt: skip
    told = objects.wait_for("Ready", name="escaped", within=30)
    assert told["reason"] in {"ContextTooLarge", "Refused"}, told
    assert objects.find("deployment", "escaped") is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [("x" * 102_400, None), ("Ada\0 works.", "ContextNotText"), (" \n\t", "ContextEmpty")],
    ids=["100 KiB", "NUL", "blank"],
)
def test_inline_text_at_the_edge(
    text: str, reason: str | None, objects: Objects, operator: OperatorProcess
) -> None:
    objects.create(a_manifest(text=text, model=OPENAI, replicas=0))
    if reason is None:
        objects.wait_for("ContextResolved", status="True")
        revision = objects.get("va")["status"]["revision"]["desired"]
        assert objects.get("configmap", f"ada-{revision}")["data"]["context.ada.md"] == text
    else:
        objects.wait_for("ContextResolved", reason=reason)


def test_what_looks_like_a_variable_is_text(objects: Objects, operator: OperatorProcess) -> None:
    hostile = "$(VA_ASSISTANT_REVISION) $$(HOME) ${HOME} `id` &anchor *anchor <<: {{.}}\r\n---\n"
    objects.create(
        a_manifest(
            text=hostile,
            instructions=hostile,
            replicas=0,
            model={**OPENAI, "name": "$(HOME)", "apiKeySecretRef": {"name": "k", "key": "a..b"}},
            service={"annotations": {"example.com/x": hostile}},
        )
    )
    objects.settled()
    revision = objects.get("va")["status"]["revision"]["desired"]
    data = objects.get("configmap", f"ada-{revision}")["data"]
    assert json.loads(data["settings.json"])["instructions"] == hostile
    assert json.loads(data["settings.json"])["model"]["name"] == "$(HOME)"
    assert data["context.ada.md"] == hostile.replace("\r\n", "\n")
    assert objects.get("service")["metadata"]["annotations"]["example.com/x"] == hostile
    for container in objects.template().values():
        for variable in container["env"]:
            assert "$(" not in variable["value"], variable


def test_a_finalizer_of_others_is_left_alone_and_the_children_stay_until_it_goes(
    objects: Objects, operator: OperatorProcess
) -> None:
    body = a_manifest(replicas=0, model=OPENAI)
    body["metadata"]["finalizers"] = ["example.com/keep"]
    objects.create(body)
    objects.settled()
    objects.kubectl("delete", "va", "ada", "--wait=false")
    objects.until(lambda: "deletionTimestamp" in objects.get("va")["metadata"])
    objects.kubectl("scale", "deployment/ada", "--replicas=2")
    objects.quiet(seconds=3)
    assert objects.get("deployment")["spec"]["replicas"] == 2, "what is being deleted is left alone"
    assert objects.get("va")["metadata"]["finalizers"] == ["example.com/keep"]

    objects.kubectl("patch", "va/ada", "--type=merge", "-p", '{"metadata": {"finalizers": null}}')
    for kind in ("va", "deployments", "services", "configmaps"):
        objects.until(
            lambda kind=kind: not objects.list(kind, "" if kind == "va" else OURS), within=60
        )


OURS = "app.kubernetes.io/managed-by=virtual-assistant-operator"


def test_an_assistant_whose_owner_is_nobody_goes_and_leaves_nothing(
    objects: Objects, operator: OperatorProcess
) -> None:
    body = a_manifest(replicas=0, model=OPENAI)
    body["metadata"]["ownerReferences"] = [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "name": "nobody",
            "uid": "00000000-0000-0000-0000-000000000000",
        }
    ]
    objects.create(body)
    objects.until(lambda: objects.find("va") is None, within=60)
    for kind in ("deployments", "services", "configmaps"):
        objects.until(lambda kind=kind: not objects.list(kind), within=60)
    objects.quiet(seconds=3)
    assert not objects.list("deployments")


SHARING = 200
BOUND_SECONDS = 2
"""What a new assistant may take to get its children while many others follow one event."""


@pytest.mark.timeout(900)
def test_one_text_of_many_assistants_does_not_starve_another_one(
    objects: Objects, an_operator: Make, recorded: Callable[..., None]
) -> None:
    an_operator().start()
    objects.create(a_source("handbook", "first"))
    names = [f"sharing-{number}" for number in range(SHARING)]
    items = [
        a_manifest(
            name,
            context=referring("handbook"),
            replicas=0,
            model=OPENAI,
            service={"type": "ClusterIP"},
        )
        for name in names
    ]
    objects.kubectl("apply", "-f", "-", body={"apiVersion": "v1", "kind": "List", "items": items})
    objects.settled(names)

    def time_of_a_new_one(name: str) -> float:
        begun = time.monotonic()
        objects.create(a_manifest(name, replicas=0, model=OPENAI))
        objects.until(lambda: objects.find("deployment", name))
        objects.until(lambda: objects.find("service", name))
        return time.monotonic() - begun

    quiet = time_of_a_new_one("eve")
    objects.quiet()
    revisions = len(objects.list("configmaps"))
    begun = time.monotonic()
    objects.create(a_source("handbook", "second"))
    busy = time_of_a_new_one("bob")
    followed = len(objects.list("configmaps")) - revisions - 1
    objects.until(lambda: len(objects.list("configmaps")) == revisions + SHARING + 1, within=120)
    rest = time.monotonic() - begun
    print(
        f"a new assistant: {quiet:.2f} s when quiet, {busy:.2f} s while {SHARING} follow one text"
        f" ({followed} had followed by then, all after {rest:.1f} s)"
    )
    recorded(f"one text of {SHARING} assistants changed: a new one", recovery=busy)
    recorded(f"one text of {SHARING} assistants changed: all", times=SHARING, recovery=rest)
    assert busy <= max(BOUND_SECONDS, 10 * quiet)
