"""The schema itself: everything is described, bounded and read; and what kubectl does with it."""

import json
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
import yaml

from support.builders import IMAGES, a_config_map, a_manifest, an_assistant_body
from support.cluster import ROOT, Cluster, Manifest
from va_operator.api import parse
from va_operator.context import resolve
from va_operator.desired import BESIDE_PODS
from va_operator.history import LENGTH
from va_operator.resources.config_map import build_config_map
from va_operator.resources.deployment import build_deployment
from va_operator.revision import build_revision

CRD = yaml.safe_load((ROOT / "crds" / "virtualassistants.yaml").read_text())
[VERSION] = CRD["spec"]["versions"]
SCHEMA: Manifest = VERSION["schema"]["openAPIV3Schema"]


def properties(schema: Manifest, path: str = "") -> Iterator[tuple[str, Manifest]]:
    """Yield every property below a schema with its path."""
    for name, inner in schema.get("properties", {}).items():
        yield f"{path}.{name}", inner
        yield from properties(inner, f"{path}.{name}")
    if "items" in schema:
        yield f"{path}[]", schema["items"]
        yield from properties(schema["items"], f"{path}[]")
    if isinstance(schema.get("additionalProperties"), dict):
        yield from properties(schema["additionalProperties"], f"{path}.*")


ALL = [(path, inner) for path, inner in properties(SCHEMA) if path != ".metadata"]
SPEC = [(path, inner) for path, inner in ALL if path.startswith(".spec.")]
each = pytest.mark.parametrize(("path", "inner"), ALL, ids=[path for path, _ in ALL])


@each
def test_every_property_is_described_in_a_sentence(path: str, inner: Manifest) -> None:
    assert inner["description"].endswith((".", ".'"))


@each
def test_every_text_list_and_map_has_a_maximum(path: str, inner: Manifest) -> None:
    match inner:
        case {"type": "string", "enum": _} | {"format": "date-time"}:
            pass
        case {"type": "string"} if path not in {".apiVersion", ".kind"}:
            assert "maxLength" in inner
        case {"type": "array"}:
            assert "maxItems" in inner
        case {"additionalProperties": _}:
            assert "maxProperties" in inner
        case {"type": "integer"} if path.startswith(".spec."):
            assert {"minimum", "maximum"} <= set(inner)


@pytest.mark.parametrize(
    "rule",
    [
        rule
        for _, inner in [("", SCHEMA), *ALL]
        for rule in inner.get("x-kubernetes-validations", ())
    ],
    ids=lambda rule: rule["message"][:40],
)
def test_every_rule_says_what_must_be(rule: Manifest) -> None:
    assert "must" in rule["message"]
    assert "`" in rule["message"]


# A field that nothing reads does not exist.

CONFIG_MAPS = {
    name: a_config_map(name, data={key: f"text of {name} {key}" for key in ("k", "l")})
    for name in ("one", "two")
}
MODEL: dict[str, Any] = {
    "provider": "OpenAI",
    "name": "gpt-5-mini",
    "baseURL": "https://x/v1",
    "apiKeySecretRef": {"name": "openai", "key": "apiKey"},
    "caConfigMapRef": {"name": "corporate", "key": "ca.crt"},
    "contextWindow": 10_000,
    "maxTokens": 100,
    "temperature": 1,
    "timeoutSeconds": 60,
}
FULL: dict[str, Any] = {
    "replicas": 2,
    "context": {
        "files": [
            {"name": "a.md", "inline": "text"},
            {"name": "b.md", "configMapRef": {"name": "one", "key": "k"}},
        ],
        "mode": "Auto",
    },
    "answering": {"noAnswerText": "No idea.", "citations": True},
    "instructions": "Be brief.",
    "model": MODEL,
    "fallbacks": [MODEL],
    "service": {"type": "NodePort", "port": 80, "nodePort": 30080, "annotations": {"a": "b"}},
    "limits": {
        "questionBytes": 1000,
        "concurrentQuestions": 8,
        "requestsPerMinutePerClient": 10,
        "requestsPerMinute": 100,
        "trustedProxies": 1,
        "allowedOrigins": ["https://shop.example"],
    },
    "budget": {"tokensPerDay": 1_000_000},
    "auth": {"tokenSecretRef": {"name": "token", "key": "token"}},
    "networkPolicy": {"egress": [{"cidr": "10.0.0.0/8", "ports": [443]}, {"namespace": "models"}]},
    "suspend": False,
    "resources": {"requests": {"cpu": "1"}, "limits": {"memory": "1Gi"}},
    "nodeSelector": {"disk": "ssd"},
    "tolerations": [
        {
            "key": "a",
            "operator": "Equal",
            "value": "b",
            "effect": "NoExecute",
            "tolerationSeconds": 5,
        }
    ],
    "imagePullSecrets": [{"name": "registry"}],
    "priorityClassName": "high",
    "env": [{"name": "TZ", "value": "Europe/Oslo"}],
    "podLabels": {"team": "blue"},
    "podAnnotations": {"mesh": "on"},
}
EMBEDDED: dict[str, Any] = {"resources": {"requests": {"cpu": "1"}, "limits": {"cpu": "1"}}}
"""A model with what only the embedded one has."""
OTHER: dict[str, Any] = {
    ".spec.replicas": 3,
    ".spec.context.files[0].name": "other.md",
    ".spec.context.files[0].inline": "other",
    ".spec.context.files[1].configMapRef.name": "two",
    ".spec.context.files[1].configMapRef.key": "l",
    ".spec.context.mode": "Retrieve",
    ".spec.answering.noAnswerText": "Ask me something else.",
    ".spec.answering.citations": False,
    ".spec.instructions": "Be long.",
    ".spec.model.provider": "Embedded",
    ".spec.model.name": "gpt-5",
    ".spec.model.baseURL": "http://y/v1",
    ".spec.model.apiKeySecretRef.name": "other",
    ".spec.model.apiKeySecretRef.key": "other",
    ".spec.model.caConfigMapRef.name": "other",
    ".spec.model.caConfigMapRef.key": "other",
    ".spec.model.contextWindow": 20_000,
    ".spec.model.maxTokens": 200,
    ".spec.model.temperature": 0,
    ".spec.model.timeoutSeconds": 30,
    ".spec.service.type": "LoadBalancer",
    ".spec.service.port": 8080,
    ".spec.service.nodePort": 30081,
    ".spec.service.annotations": {"c": "d"},
    ".spec.limits.questionBytes": 2000,
    ".spec.limits.concurrentQuestions": 9,
    ".spec.limits.requestsPerMinutePerClient": 0,
    ".spec.limits.requestsPerMinute": 0,
    ".spec.limits.trustedProxies": 0,
    ".spec.limits.allowedOrigins[0]": "https://other.example",
    ".spec.budget.tokensPerDay": 2_000_000,
    ".spec.auth.tokenSecretRef.name": "other",
    ".spec.auth.tokenSecretRef.key": "other",
    ".spec.networkPolicy.egress[0].cidr": "2001:db8::/32",
    ".spec.networkPolicy.egress[0].ports[0]": 8443,
    ".spec.networkPolicy.egress[1].namespace": "others",
    ".spec.suspend": True,
    ".spec.resources.requests": {"cpu": "2"},
    ".spec.resources.limits": {"memory": "2Gi"},
    ".spec.model.resources.requests": {"cpu": "2"},
    ".spec.model.resources.limits": {"cpu": "2"},
    ".spec.nodeSelector": {"disk": "hdd"},
    ".spec.tolerations[0].key": "c",
    ".spec.tolerations[0].operator": "Exists",
    ".spec.tolerations[0].value": "d",
    ".spec.tolerations[0].effect": "NoSchedule",
    ".spec.tolerations[0].tolerationSeconds": 6,
    ".spec.imagePullSecrets[0].name": "other",
    ".spec.priorityClassName": "low",
    ".spec.env[0].name": "LANG",
    ".spec.env[0].value": "UTC",
    ".spec.podLabels": {"team": "red"},
    ".spec.podAnnotations": {"mesh": "off"},
}
OTHER |= {
    path.replace(".spec.model.", ".spec.fallbacks[0]."): value
    for path, value in OTHER.items()
    if path.startswith(".spec.model.")
}


def built(spec: dict[str, Any]) -> list[Manifest]:
    """Build all children of an assistant."""
    assistant = parse({**an_assistant_body(), "spec": spec})
    files = resolve(assistant, CONFIG_MAPS)
    revision = build_revision(assistant, files)
    return [
        build_config_map(assistant, revision, files),
        build_deployment(assistant, revision.id, IMAGES),
        *(build(assistant) or {} for build in BESIDE_PODS.values()),
    ]


def before(path: str) -> dict[str, Any]:
    if path.startswith(".spec.model.resources"):
        return {**FULL, "model": EMBEDDED}
    if path.startswith(".spec.fallbacks[0].resources"):
        return {**FULL, "fallbacks": [EMBEDDED]}
    return FULL


def with_other(path: str) -> dict[str, Any]:
    spec = deepcopy(before(path))
    names = path.removeprefix(".spec.").replace("[", ".").replace("]", "").split(".")
    *folders, leaf = [int(name) if name.isdigit() else name for name in names]
    place: Any = spec
    for folder in folders:
        place = place[folder]
    assert place[leaf] != OTHER[path]
    place[leaf] = OTHER[path]
    return spec


def test_every_field_of_the_spec_is_among_those_that_are_tried() -> None:
    leaves = {path for path, inner in SPEC if "properties" not in inner and "items" not in inner}
    tried = {path.replace("[0]", "[]").replace("[1]", "[]") for path in OTHER}
    assert tried == leaves


@pytest.mark.parametrize("path", OTHER)
def test_every_field_of_the_spec_changes_some_child(path: str) -> None:
    assert built(with_other(path)) != built(before(path))


# What kubectl does with it


STATUS = {
    "observedGeneration": 1,
    "replicas": 2,
    "readyReplicas": 1,
    "selector": "app.kubernetes.io/instance=ada",
    "url": "http://192.0.2.10:30123/",
    "revision": {"desired": "new", "serving": "old"},
    "models": [{"name": "gpt-5-mini", "state": "Ready"}],
    "conditions": [
        {
            "type": type_,
            "status": status,
            "reason": reason,
            "message": "why",
            "lastTransitionTime": "2026-01-01T00:00:00Z",
            "observedGeneration": 1,
        }
        for type_, status, reason in (
            ("Available", "True", "PodsReady"),
            ("Ready", "False", "RollingOut"),
        )
    ],
}


quiet = pytest.mark.usefixtures("no_other_operator")


def with_status(cluster: Cluster, namespace: str, status: Manifest) -> None:
    cluster.kubectl(
        "-n", namespace, "patch", "va", "ada", "--subresource=status", "--type=merge",
        "-p", json.dumps({"status": status}),
    )  # fmt: skip


def served(revision: str = "3f2a91c0de", since: str = "2026-01-01T00:00:00Z") -> Manifest:
    return {"revision": revision, "since": since}


FULL_HISTORY = [served(f"{number:064x}") for number in range(LENGTH)]


@quiet
def test_a_history_as_long_as_it_is_ever_written_is_accepted(
    cluster: Cluster, namespace: str
) -> None:
    cluster.apply(a_manifest(), namespace)
    with_status(cluster, namespace, {"history": FULL_HISTORY})
    assistant = cluster.get("va", "ada", namespace)
    assert assistant is not None
    assert assistant["status"]["history"] == FULL_HISTORY


HISTORIES: dict[str, tuple[list[Manifest], str]] = {
    "one entry too many": ([served(), *FULL_HISTORY], "must have at most 10 items"),
    "an empty revision": ([served("")], "should be at least 1 chars long"),
    "a revision too long": ([served("a" * 65)], "may not be more than 64 bytes"),
    "no moment": ([served(since="yesterday")], "must be of type date-time"),
    "an entry without a revision": ([{"since": "2026-01-01T00:00:00Z"}], "Required value"),
    "an entry without a moment": ([{"revision": "3f2a91c0de"}], "Required value"),
}


@quiet
@pytest.mark.parametrize(("history", "words"), HISTORIES.values(), ids=HISTORIES)
def test_a_history_beyond_its_limits_is_refused(
    history: list[Manifest], words: str, cluster: Cluster, namespace: str
) -> None:
    cluster.apply(a_manifest(), namespace)
    patch = json.dumps({"status": {"history": history}})
    refused = cluster.refused(
        "-n", namespace, "patch", "va", "ada", "--subresource=status", "--type=merge", "-p", patch
    )
    assert "status.history" in refused
    assert words in refused


@quiet
def test_the_columns_show_what_people_look_for(cluster: Cluster, namespace: str) -> None:
    cluster.apply(a_manifest(), namespace)
    with_status(cluster, namespace, STATUS)

    [head, line] = cluster.kubectl("-n", namespace, "get", "va").splitlines()
    assert head.split() == ["NAME", "READY", "REPLICAS", "MODEL", "REVISION", "URL", "AGE"]
    assert line.split()[:-1] == [
        "ada", "False", "1", "gpt-5-mini", "old", "http://192.0.2.10:30123/"
    ]  # fmt: skip
    wide = cluster.kubectl("-n", namespace, "get", "virtualassistant", "-o", "wide")
    assert "RollingOut" in wide
    assert "why" in wide


@quiet
def test_scaling_goes_through_the_scale_subresource(cluster: Cluster, namespace: str) -> None:
    cluster.apply(a_manifest(), namespace)
    with_status(cluster, namespace, STATUS)
    cluster.kubectl("-n", namespace, "scale", "va", "ada", "--replicas=5")

    assistant = cluster.get("va", "ada", namespace)
    assert assistant is not None
    assert assistant["spec"]["replicas"] == 5
    path = f"/apis/virtualassistant.dev/v1alpha1/namespaces/{namespace}/virtualassistants/ada/scale"
    scale = json.loads(cluster.kubectl("get", "--raw", path))
    assert scale["spec"] == {"replicas": 5}
    assert scale["status"] == {"replicas": 2, "selector": "app.kubernetes.io/instance=ada"}


@quiet
def test_scaling_beyond_the_maximum_is_refused(cluster: Cluster, namespace: str) -> None:
    cluster.apply(a_manifest(), namespace)
    words = cluster.refused("-n", namespace, "scale", "va", "ada", "--replicas=101")
    assert "should be less than or equal to 100" in words


@quiet
def test_a_status_is_written_only_as_a_status(cluster: Cluster, namespace: str) -> None:
    cluster.apply({**a_manifest(), "status": {"url": "http://evil/"}}, namespace)
    assistant = cluster.get("va", "ada", namespace)
    assert assistant is not None
    assert assistant["status"] == {"observedGeneration": -1}


@quiet
def test_a_change_of_the_status_is_no_new_generation(cluster: Cluster, namespace: str) -> None:
    cluster.apply(a_manifest(), namespace)
    with_status(cluster, namespace, STATUS)
    assistant = cluster.get("va", "ada", namespace)
    assert assistant is not None
    assert assistant["metadata"]["generation"] == 1


def test_kubectl_explains_every_field(cluster: Cluster) -> None:
    text = cluster.kubectl("explain", "va.spec", "--recursive")
    for path, _ in SPEC:
        assert path.rpartition(".")[2].removesuffix("[]") in text
