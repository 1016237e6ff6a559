"""Objects that a real API server must accept, and what it makes of them."""

import json
from typing import Any

import pytest
import yaml

from support.builders import EVERYTHING, a_manifest
from support.cluster import ROOT, Cluster, Manifest

KEY = {"name": "openai", "key": "apiKey"}
CA = {"name": "corporate", "key": "ca.crt"}
NAMED = {"name": "gpt-5-mini", "apiKeySecretRef": KEY}


def created(cluster: Cluster, namespace: str, body: Manifest) -> Manifest:
    answer = cluster.kubectl(
        "-n", namespace, "create", "--dry-run=server", "--validate=strict", "-o", "json",
        "-f", "-", stdin=json.dumps(body),
    )  # fmt: skip
    found: Manifest = json.loads(answer)
    return found


def test_the_smallest_object_gets_its_defaults(cluster: Cluster, a_namespace: str) -> None:
    spec = created(cluster, a_namespace, a_manifest())["spec"]

    assert spec["replicas"] == 2
    assert spec["suspend"] is False
    assert spec["service"] == {"type": "NodePort", "port": 80}
    assert "model" not in spec
    assert "instructions" not in spec


def test_a_model_gets_its_time_limit_and_nothing_else(cluster: Cluster, a_namespace: str) -> None:
    spec = created(cluster, a_namespace, a_manifest(model=NAMED))["spec"]
    assert spec["model"] == {**NAMED, "timeoutSeconds": 60}


def refs(count: int) -> dict[str, Any]:
    files = [
        {"name": f"f{n}", "configMapRef": {"name": "a.b", "key": "..data"[2:]}}
        for n in range(count)
    ]
    return {"context": {"files": files}}


SPECS: dict[str, dict[str, Any]] = {
    "no pods": {"replicas": 0},
    "100 pods": {"replicas": 100},
    "100 KiB inline": {"text": "x" * 102_400},
    "100 KiB inline in two bytes each": {"text": "é" * 51_200},
    "an empty text": {"text": ""},
    "a text of every kind of character": {
        "text": "\ufeff\u202e\u0627\u200b\r\n\t𝄞`$(HOME){{ }}&a *b"
    },
    "a line of 100,000 characters": {"text": "x" * 100_000},
    "32 references": refs(32),
    "no model settings": {"model": {}},
    "no fallbacks": {"fallbacks": []},
    "a fallback for the embedded model": {"fallbacks": [NAMED]},
    "four fallbacks of one name, the last one embedded": {
        "model": NAMED,
        "fallbacks": [NAMED, NAMED, NAMED, {"provider": "Embedded"}],
    },
    "the embedded model by name": {"model": {"provider": "Embedded"}},
    "the embedded model with a window": {"model": {"contextWindow": 8192, "maxTokens": 8191}},
    "a server without a key": {"model": {"name": "llama3", "baseURL": "http://ollama:11434/v1"}},
    "an address of IPv6": {"model": {"name": "llama3", "baseURL": "http://[2001:db8::1]:80/v1"}},
    "an address of IPv6 without a port": {"model": {"name": "x", "baseURL": "https://[::1]"}},
    "an address of IPv4": {"model": {"name": "x", "baseURL": "http://10.96.0.7:8000/v1"}},
    "the last port": {"model": {"name": "x", "baseURL": "http://host:65535/v1"}},
    "a name in the cluster": {
        "model": {"name": "x", "baseURL": "http://ollama.default.svc.cluster.local:11434/v1"}
    },
    "a name with a dot at its end": {"model": {"name": "x", "baseURL": "https://a.example./v1"}},
    "a label of 63 characters": {
        "model": {"name": "x", "baseURL": f"http://{'a' * 63}.Example.COM"}
    },
    "a path with escapes": {
        "model": {"name": "x", "baseURL": "https://h-1.x/openai/v1/deployments/a%20b/~c:d@e,f/"}
    },
    "a path up to the limit": {
        "model": {"name": "x", "baseURL": "http://x/" + "a" * (2048 - len("http://x/"))}
    },
    "a name with slashes": {"model": {**NAMED, "name": "meta-llama/Llama-3.1-8B:free"}},
    "all of a model": {
        "model": {
            **NAMED,
            "provider": "OpenAI",
            "baseURL": "https://eu.api.openai.com/v1",
            "contextWindow": 10_000_000,
            "maxTokens": 1_000_000,
            "temperature": 2,
            "timeoutSeconds": 600,
        }
    },
    "a private CA": {"model": {"name": "x", "baseURL": "https://llm/v1", "caConfigMapRef": CA}},
    "a private CA for OpenAI itself, behind a proxy that looks into TLS": {
        "model": {**NAMED, "caConfigMapRef": CA},
        "fallbacks": [{**NAMED, "caConfigMapRef": CA}],
    },
    "a temperature of zero": {"model": {**NAMED, "temperature": 0}},
    "a fraction of a temperature": {"model": {**NAMED, "temperature": 0.123}},
    "8 KiB of instructions": {"instructions": "x" * 8192},
    "a node port": {"service": {"nodePort": 30080}},
    "a balancer": {"service": {"type": "LoadBalancer", "annotations": {"a.b/c": "d"}}},
    "a service in the cluster only": {"service": {"type": "ClusterIP", "port": 65535}},
    "resources as text and numbers": {
        "resources": {"requests": {"cpu": 1, "memory": "64Mi"}, "limits": {"memory": "1.5Gi"}}
    },
    "resources with an exponent": {"resources": {"requests": {"memory": "1e8"}}},
    "resources without amounts": {"resources": {}},
    "ways out to blocks and namespaces": {
        "networkPolicy": {
            "egress": [
                {"cidr": "0.0.0.0/0", "ports": [443, 65535]},
                {"cidr": "10.96.0.7/32"},
                {"cidr": "::/0"},
                {"cidr": "2001:DB8:0:1::/64"},
                {"cidr": "1:2:3:4:5:6:7:8/128"},
                {"cidr": "1::3:4:5:6:7:8/128"},
                {"namespace": "models", "ports": [11434]},
            ]
        }
    },
    "all limits": {
        "limits": {
            "questionBytes": 256,
            "concurrentQuestions": 1,
            "requestsPerMinutePerClient": 0,
            "requestsPerMinute": 1_000_000,
            "trustedProxies": 8,
            "allowedOrigins": [
                "https://shop.example",
                "http://localhost:3000",
                "http://[2001:db8::1]:80",
                "http://192.0.2.7",
                *(f"https://{n}.example" for n in range(12)),
            ],
        }
    },
    "no limits": {"limits": {}},
    "a budget": {"budget": {"tokensPerDay": 1000}},
    "a large budget": {"budget": {"tokensPerDay": 10**12}},
    "no budget": {"budget": {}},
    "a token": {"auth": {"tokenSecretRef": {"name": "ada-token", "key": "token"}}},
    "no way out": {"networkPolicy": {"egress": []}},
    "32 ways out": {"networkPolicy": {"egress": [{"namespace": "a" * 63}] * 32}},
    "nothing about the network": {"networkPolicy": {}},
    "all that can be said of pods": EVERYTHING,
    "a toleration of everything": {"tolerations": [{"operator": "Exists"}]},
    "labels of every form": {
        "podLabels": {"team": "", "example.com/a_b.c": "A-1"},
        "nodeSelector": {"kubernetes.io/hostname": "node-1"},
    },
}


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
def test_a_spec_is_accepted(spec: dict[str, Any], cluster: Cluster, a_namespace: str) -> None:
    assert created(cluster, a_namespace, a_manifest(**spec))


NAMES = {"63 characters": "a" * 63, "one letter": "a", "digits and hyphens": "a-1-b2"}


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_a_name_is_accepted(name: str, cluster: Cluster, a_namespace: str) -> None:
    assert created(cluster, a_namespace, a_manifest(name))["metadata"]["name"] == name


def test_a_null_is_as_good_as_nothing(cluster: Cluster, a_namespace: str) -> None:
    body = a_manifest(model=None, service=None, replicas=None, suspend=None)
    spec = created(cluster, a_namespace, body)["spec"]
    assert (spec["replicas"], spec["suspend"], spec["service"]["port"]) == (2, False, 80)


SAMPLES = sorted((ROOT / "samples").glob("*.yaml"))


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_every_sample_is_accepted(path: Any, cluster: Cluster, a_namespace: str) -> None:
    for body in yaml.safe_load_all(path.read_text()):
        assert created(cluster, a_namespace, body)["spec"]


def test_there_are_samples() -> None:
    assert {path.name for path in SAMPLES} >= {"embedded.yaml", "openai.yaml"}
