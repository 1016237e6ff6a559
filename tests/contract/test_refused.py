"""Objects that a real API server must refuse, with words that say what the field must be."""

import json
from copy import deepcopy
from typing import Any

import pytest

from support.builders import a_manifest
from support.cluster import Cluster, Manifest

KEY = {"name": "openai", "key": "apiKey"}
CA = {"name": "corporate", "key": "ca.crt"}
NAMED = {"name": "gpt-5-mini", "apiKeySecretRef": KEY}
FILE = {"name": "a.md", "inline": "text"}


def files(*items: Any) -> dict[str, Any]:
    return {"context": {"files": list(items)}}


def ref(**given: Any) -> dict[str, Any]:
    return files({"name": "a", "configMapRef": {"name": "a", "key": "k", **given}})


def model(**given: Any) -> dict[str, Any]:
    return {"model": given}


def named(**given: Any) -> dict[str, Any]:
    return {"model": {**NAMED, **given}}


def service(**given: Any) -> dict[str, Any]:
    return {"service": given}


def egress(**given: Any) -> dict[str, Any]:
    return {"networkPolicy": {"egress": [given]}}


def memory(amount: Any) -> dict[str, Any]:
    return {"resources": {"requests": {"memory": amount}}}


def tolerating(**given: Any) -> dict[str, Any]:
    return {"tolerations": [given]}


def variable(name: str) -> dict[str, Any]:
    return {"env": [{"name": name, "value": "x"}]}


def origin(text: str) -> dict[str, Any]:
    return {"limits": {"allowedOrigins": [text]}}


NO_ORIGINS = (
    "*", "null", "", "shop.example", "https://", "https://*", "https://*.shop.example",
    "https://shop.example/", "https://user@shop.example", "ftp://shop.example", "https://a b",
    "https://shop.example\n",
)  # fmt: skip
NO_BLOCKS = (
    "", "10.0.0.1", "10.0.0.0/33", "10.0.0/8", "256.0.0.0/8", "010.0.0.0/8", "10.0.0.0/08",
    "api.openai.com", "::", "::/129", "2001:db8::1::/64", "1:2:3:4:5:6:7/64", ":1::/64",
    "1:2:3:4::5:6:7:8/64", "12345::/64", "::ffff:10.0.0.1/128", "fe80::%eth0/64",
)  # fmt: skip
SPECS: dict[str, tuple[dict[str, Any], str]] = {
    **{f"the origin {text!r}": (origin(text), "`allowedOrigins` must be") for text in NO_ORIGINS},
    "two equal origins": (
        {"limits": {"allowedOrigins": ["https://a", "https://a"]}},
        "Duplicate value",
    ),
    "a long question's limit": (
        {"limits": {"questionBytes": 65_537}},
        "less than or equal to 65536",
    ),
    "no question at all": ({"limits": {"concurrentQuestions": 0}}, "greater than or equal to 1"),
    "less than nothing": ({"limits": {"requestsPerMinute": -1}}, "greater than or equal to 0"),
    "a budget of nothing": ({"budget": {"tokensPerDay": 0}}, "greater than or equal to 1000"),
    "a budget beyond all bills": (
        {"budget": {"tokensPerDay": 10**12 + 1}},
        "less than or equal to 1000000000000",
    ),
    "auth without a Secret": ({"auth": {}}, "spec.auth.tokenSecretRef: Required value"),
    "a token without a key": (
        {"auth": {"tokenSecretRef": {"name": "a"}}},
        "spec.auth.tokenSecretRef.key: Required value",
    ),
    "a token in a folder": (
        {"auth": {"tokenSecretRef": {"name": "a", "key": "../b"}}},
        "`key` must be a key of a Secret",
    ),
    "no context": ({"context": None}, "spec.context: Required value"),
    "no files": ({"context": {}}, "spec.context.files: Required value"),
    "an empty list of files": (files(), "should have at least 1 items"),
    "33 files": (
        files(*({"name": f"f{n}", "inline": "x"} for n in range(33))),
        "must have at most 32 items",
    ),
    "a file without a name": (files({"inline": "x"}), "files[0].name: Required value"),
    "a file with an empty name": (files({**FILE, "name": ""}), "should be at least 1 chars long"),
    "a file with a slash": (
        files({**FILE, "name": "a/b"}),
        "`name` must be a file name of letters, digits, '-', '_' and '.'",
    ),
    "a file with a leading dot": (files({**FILE, "name": ".a"}), "`name` must be a file name"),
    "a file with a space": (files({**FILE, "name": "a b"}), "`name` must be a file name"),
    "a file with an umlaut": (files({**FILE, "name": "ä"}), "`name` must be a file name"),
    "a file with a newline": (files({**FILE, "name": "a\n"}), "`name` must be a file name"),
    "a file name of 201 characters": (
        files({**FILE, "name": "a" * 201}),
        "may not be more than 200 bytes",
    ),
    "two files of one name": (files(FILE, FILE), "Duplicate value"),
    "a file without a source": (
        files({"name": "a"}),
        "each file must have exactly one of `inline` and `configMapRef`",
    ),
    "a file with both sources": (
        files({**FILE, "configMapRef": {"name": "a", "key": "k"}}),
        "each file must have exactly one of `inline` and `configMapRef`",
    ),
    "one inline text above 100 KiB": (
        files({**FILE, "inline": "x" * 102_401}),
        "may not be more than 102400 bytes",
    ),
    "inline texts above 100 KiB in sum": (
        files({"name": "a", "inline": "x" * 60_000}, {"name": "b", "inline": "x" * 60_000}),
        "the `inline` texts must together have at most 102400 bytes (100 KiB)",
    ),
    "inline texts above 100 KiB in bytes only": (
        files({"name": "a", "inline": "é" * 30_000}, {"name": "b", "inline": "é" * 30_000}),
        "the `inline` texts must together have at most 102400 bytes (100 KiB)",
    ),
    "a reference without a key": (
        files({"name": "a", "configMapRef": {"name": "a"}}),
        "configMapRef.key: Required value",
    ),
    "a reference without a name": (
        files({"name": "a", "configMapRef": {"key": "a"}}),
        "configMapRef.name: Required value",
    ),
    "a reference with an empty name": (ref(name=""), "should be at least 1 chars long"),
    "a reference with an empty key": (ref(key=""), "should be at least 1 chars long"),
    "a reference to no ConfigMap's name": (
        ref(name="Not/A-Name"),
        "`name` must be the name of a ConfigMap: lower-case letters, digits, '-' and '.'",
    ),
    "a reference to no ConfigMap's key": (
        ref(key="a/b"),
        "`key` must be a key of a ConfigMap: letters, digits, '-', '_' and '.'",
    ),
    "a text that is a number": (files({"name": "a", "inline": 5}), "must be of type string"),
    "files as an object": ({"context": {"files": {}}}, "must be of type array"),
    "negative replicas": ({"replicas": -1}, "should be greater than or equal to 0"),
    "101 replicas": ({"replicas": 101}, "should be less than or equal to 100"),
    "a million replicas": ({"replicas": 10**6}, "should be less than or equal to 100"),
    "replicas as text": ({"replicas": "2"}, "must be of type integer"),
    "half a replica": ({"replicas": 1.5}, "must be of type integer"),
    "instructions without end": ({"instructions": "x" * 8193}, "may not be more than 8192"),
    "instructions as a list": ({"instructions": []}, "must be of type string"),
    "suspend as text": ({"suspend": "yes"}, "must be of type boolean"),
    "a provider that there is not": (
        model(provider="Bard", name="x"),
        'supported values: "Embedded", "OpenAI"',
    ),
    "OpenAI without a name": (
        model(provider="OpenAI"),
        "`name` must be set where `provider` is 'OpenAI'",
    ),
    "an endpoint without a name": (
        model(baseURL="http://x/v1"),
        "`name` must be set where `baseURL` or `apiKeySecretRef` is",
    ),
    "a key without a name": (
        model(apiKeySecretRef=KEY),
        "`name` must be set where `baseURL` or `apiKeySecretRef` is",
    ),
    "a name for the embedded model": (
        model(provider="Embedded", name="x"),
        "must be left out where `provider` is 'Embedded'",
    ),
    "an endpoint for the embedded model": (
        model(provider="Embedded", baseURL="http://x"),
        "must be left out where `provider` is 'Embedded'",
    ),
    "a key for the embedded model": (
        model(provider="Embedded", apiKeySecretRef=KEY),
        "must be left out where `provider` is 'Embedded'",
    ),
    "OpenAI without a key": (
        model(name="gpt-5-mini"),
        "`apiKeySecretRef` must be set, or a `baseURL` of a server that needs no key",
    ),
    "five fallbacks": ({"model": NAMED, "fallbacks": [NAMED] * 5}, "must have at most 4 items"),
    "a fallback without a key": (
        {"model": NAMED, "fallbacks": [{"name": "x"}]},
        "`apiKeySecretRef` must be set, or a `baseURL` of a server that needs no key",
    ),
    "a fallback at no URL": (
        {"model": NAMED, "fallbacks": [{**NAMED, "baseURL": "x"}]},
        "`baseURL` must be an http",
    ),
    "the embedded model twice": (
        {"model": NAMED, "fallbacks": [{"provider": "Embedded"}, {}]},
        "at most one of `model` and `fallbacks` must be the embedded model",
    ),
    "the embedded model as its own fallback": (
        {"fallbacks": [{"provider": "Embedded"}]},
        "at most one of `model` and `fallbacks` must be the embedded model",
    ),
    "an empty name of a model": (named(name=""), "should be at least 1 chars long"),
    "a name of a model with a newline": (
        named(name="a\nb"),
        "`name` must have no spaces and no characters outside of ASCII",
    ),
    "a name of a model of 257 characters": (named(name="x" * 257), "may not be more than 256"),
    "an endpoint that is no URL": (named(baseURL="api.example.com"), "`baseURL` must be an http"),
    "an endpoint of another scheme": (named(baseURL="ftp://x/v1"), "`baseURL` must be an http"),
    "an endpoint with a password": (named(baseURL="http://a:b@x/v1"), "`baseURL` must be an http"),
    "an endpoint with a query": (named(baseURL="http://x/v1?a=b"), "`baseURL` must be an http"),
    "an endpoint with a newline": (named(baseURL="http://x/v1\n"), "`baseURL` must be an http"),
    "an endpoint with a space": (named(baseURL="http://x /v1"), "`baseURL` must be an http"),
    "an endpoint whose port is a word": (
        named(baseURL="http://host:abc/v1"),
        "`baseURL` must be an http",
    ),
    "an endpoint without its port": (named(baseURL="http://host:/v1"), "`baseURL` must be an http"),
    "an endpoint at port 0": (named(baseURL="http://host:0/v1"), "`baseURL` must be an http"),
    "an endpoint above all ports": (
        named(baseURL="http://host:65536/v1"),
        "`baseURL` must be an http",
    ),
    "an endpoint with a port of six digits": (
        named(baseURL="http://host:100000/v1"),
        "`baseURL` must be an http",
    ),
    "an endpoint with two ports": (
        named(baseURL="http://host:80:81/v1"),
        "`baseURL` must be an http",
    ),
    "an endpoint with a fragment": (named(baseURL="http://x/v1#a"), "`baseURL` must be an http"),
    "an endpoint without a host": (named(baseURL="http:///v1"), "`baseURL` must be an http"),
    "an endpoint with a port only": (named(baseURL="http://:80/v1"), "`baseURL` must be an http"),
    "an endpoint with an empty label": (
        named(baseURL="http://a..x/v1"),
        "`baseURL` must be an http",
    ),
    "an endpoint with an umlaut": (named(baseURL="http://ü.x/v1"), "`baseURL` must be an http"),
    "an endpoint with an umlaut in its path": (
        named(baseURL="http://x/ü"),
        "`baseURL` must be an http",
    ),
    "an endpoint with a hyphen at its end": (
        named(baseURL="http://x-/v1"),
        "`baseURL` must be an http",
    ),
    "an endpoint with a broken escape": (
        named(baseURL="http://x/%zz"),
        "`baseURL` must be an http",
    ),
    "an endpoint of IPv6 without brackets": (
        named(baseURL="http://2001:db8::1/v1"),
        "`baseURL` must be an http",
    ),
    "an endpoint of half an IPv6": (
        named(baseURL="http://[2001:db8::1/v1"),
        "`baseURL` must be an http",
    ),
    "an endpoint of letters in brackets": (
        named(baseURL="http://[host]/v1"),
        "`baseURL` must be an http",
    ),
    "an endpoint with a zone": (
        named(baseURL="http://[fe80::1%25eth0]/v1"),
        "`baseURL` must be an http",
    ),
    "an endpoint with a label of 64 characters": (
        named(baseURL=f"http://{'a' * 64}.x/v1"),
        "`baseURL` must be an http",
    ),
    "an endpoint with a host of 254 characters": (
        named(baseURL=f"http://{'.'.join(['a' * 63] * 3)}.{'a' * 62}/v1"),
        "`baseURL` must be an http",
    ),
    "a key without its Secret": (
        model(name="x", apiKeySecretRef={"key": "a"}),
        "apiKeySecretRef.name: Required value",
    ),
    "a key without its key": (
        model(name="x", apiKeySecretRef={"name": "a"}),
        "apiKeySecretRef.key: Required value",
    ),
    "a Secret that is no name": (
        named(apiKeySecretRef={"name": "A_b", "key": "k"}),
        "`name` must be the name of a Secret",
    ),
    "a key that leaves its folder": (
        named(apiKeySecretRef={"name": "a", "key": "../k"}),
        "`key` must be a key of a Secret",
    ),
    "a key of two dots": (
        named(apiKeySecretRef={"name": "a", "key": ".."}),
        "`key` must be a key of a Secret",
    ),
    "a key that is the folder itself": (
        named(apiKeySecretRef={"name": "a", "key": "."}),
        "`key` must be a key of a Secret",
    ),
    "a CA without TLS": (
        model(name="x", baseURL="http://llm/v1", caConfigMapRef=CA),
        "`caConfigMapRef` must be left out unless the model is asked with TLS",
    ),
    "a CA for the embedded model": (
        model(caConfigMapRef=CA),
        "`caConfigMapRef` must be left out unless the model is asked with TLS",
    ),
    "a CA for a fallback without TLS": (
        {"fallbacks": [{"name": "x", "baseURL": "http://llm/v1", "caConfigMapRef": CA}]},
        "`caConfigMapRef` must be left out unless the model is asked with TLS",
    ),
    "a CA without its ConfigMap": (
        named(caConfigMapRef={"key": "a"}),
        "caConfigMapRef.name: Required value",
    ),
    "a CA without its key": (
        named(caConfigMapRef={"name": "a"}),
        "caConfigMapRef.key: Required value",
    ),
    "a ConfigMap of a CA that is no name": (
        named(caConfigMapRef={"name": "A_b", "key": "k"}),
        "`name` must be the name of a ConfigMap",
    ),
    "a CA that leaves its folder": (
        named(caConfigMapRef={"name": "a", "key": "../k"}),
        "`key` must be a key of a ConfigMap",
    ),
    "a tiny window": (named(contextWindow=511), "should be greater than or equal to 512"),
    "a window beyond all models": (named(contextWindow=10_000_001), "should be less than or"),
    "a window as text": (named(contextWindow="8k"), "must be of type integer"),
    "a window beyond the embedded model": (
        model(contextWindow=8193),
        "`contextWindow` must be at most 8192 for the embedded model",
    ),
    "an answer of no tokens": (named(maxTokens=0), "should be greater than or equal to 1"),
    "an answer as large as the window": (
        named(maxTokens=512, contextWindow=512),
        "`maxTokens` must be less than `contextWindow`",
    ),
    "an answer as large as the embedded model's window": (
        model(maxTokens=8192),
        "`maxTokens` must be less than 8192 for the embedded model",
    ),
    "a temperature below 0": (named(temperature=-0.1), "should be greater than or equal to 0"),
    "a temperature above 2": (named(temperature=2.1), "should be less than or equal to 2"),
    "a temperature as text": (named(temperature="warm"), "must be of type number"),
    "no time at all": (named(timeoutSeconds=0), "should be greater than or equal to 1"),
    "more than ten minutes": (named(timeoutSeconds=601), "should be less than or equal to 600"),
    "a type that there is not": (service(type="ExternalName"), "supported values"),
    "port 0": (service(port=0), "should be greater than or equal to 1"),
    "port 65536": (service(port=65536), "should be less than or equal to 65535"),
    "a node port of 0": (service(nodePort=0), "should be greater than or equal to 1"),
    "a node port where there is none": (
        service(type="ClusterIP", nodePort=30080),
        "`nodePort` must be left out where `type` is 'ClusterIP'",
    ),
    "an annotation that is a number": (service(annotations={"a": 1}), "must be of type string"),
    "an annotation without end": (
        service(annotations={"a": "x" * 4097}),
        "may not be more than 4096",
    ),
    "65 annotations": (
        service(annotations={f"a{n}": "" for n in range(65)}),
        "must have at most 64 items",
    ),
    "an amount that is none": (memory("much"), "should match"),
    "a negative amount": (memory("-1"), "should match"),
    "a negative number": (memory(-1), "should be greater than or equal to 0"),
    "an exponent without bounds": (memory("1e999999999"), "should match"),
    "an amount that is a list": (memory([]), "must be of type integer,string"),
    "an amount of 33 digits": (memory("1" * 33), "may not be more than 32"),
    "resources that are no object": ({"resources": "few"}, "must be of type object"),
    "resources of a model that runs elsewhere": (
        named(resources={"requests": {"cpu": 1}}),
        "`resources` must be left out unless the model is the embedded one",
    ),
    "a node label that is none": (
        {"nodeSelector": {"-disk": "ssd"}},
        "each key must be the name of a label",
    ),
    "a node label's value that is none": ({"nodeSelector": {"disk": "s d"}}, "should match"),
    "a toleration with a value that nothing compares": (
        tolerating(key="a", operator="Exists", value="b"),
        "`value` must be left out where `operator` is 'Exists'",
    ),
    "a toleration without a key": (
        tolerating(value="b"),
        "`key` must be set unless `operator` is 'Exists'",
    ),
    "a toleration of nothing for a time": (
        tolerating(key="a", effect="NoSchedule", tolerationSeconds=5),
        "`tolerationSeconds` must be left out unless `effect` is 'NoExecute'",
    ),
    "a toleration of an effect that there is not": (
        tolerating(key="a", effect="Never"),
        "supported values",
    ),
    "a pull secret without a name": (
        {"imagePullSecrets": [{}]},
        "imagePullSecrets[0].name: Required value",
    ),
    "a pull secret with a bad name": (
        {"imagePullSecrets": [{"name": "A_b"}]},
        "`name` must be the name of a Secret",
    ),
    "a priority class with a bad name": (
        {"priorityClassName": "High"},
        "`priorityClassName` must be the name of a PriorityClass",
    ),
    "a variable with a bad name": (variable("1A"), "`name` must be of letters, digits and '_'"),
    "a variable of the operator's": (variable("VA_ASSISTANT_REVISION"), "begin with 'VA_'"),
    "a variable from a Secret": (
        {"env": [{"name": "A", "valueFrom": {"secretKeyRef": KEY}}]},
        'unknown field "spec.env[0].valueFrom"',
    ),
    "a pod label of the operator's": (
        {"podLabels": {"app.kubernetes.io/instance": "eve"}},
        "no key must begin with `app.kubernetes.io/`",
    ),
    "a pod label that is none": (
        {"podLabels": {"a b": "c"}},
        "each key must be the name of a label",
    ),
    "a pod label's value that is none": ({"podLabels": {"a": "x" * 64}}, "more than 63"),
    "a pod annotation that is none": (
        {"podAnnotations": {"/a": "b"}},
        "each key must be the name of a label",
    ),
    "a way out to nowhere": (
        egress(ports=[443]),
        "each entry of `egress` must have exactly one of `cidr` and `namespace`",
    ),
    "a way out to two": (
        egress(cidr="10.0.0.0/8", namespace="models"),
        "each entry of `egress` must have exactly one of `cidr` and `namespace`",
    ),
    **{
        f"the block {cidr}": (egress(cidr=cidr), "`cidr` must be a block of IPv4 or IPv6 addresses")
        for cidr in NO_BLOCKS
    },
    "a namespace with a capital": (
        egress(namespace="Models"),
        "`namespace` must be the name of a namespace",
    ),
    "a namespace of 64 characters": (egress(namespace="a" * 64), "may not be more than 63"),
    "a namespace without a name": (egress(namespace=""), "should be at least 1 chars long"),
    "a way out to port 0": (egress(cidr="::/0", ports=[0]), "greater than or equal to 1"),
    "a way out to port 65536": (egress(cidr="::/0", ports=[65536]), "less than or equal to 65535"),
    "a way out to no port": (egress(cidr="::/0", ports=[]), "should have at least 1 items"),
    "a way out to 17 ports": (
        egress(cidr="::/0", ports=list(range(1, 18))),
        "must have at most 16 items",
    ),
    "a way out to a port twice": (egress(cidr="::/0", ports=[80, 80]), "Duplicate value"),
    "33 ways out": (
        {"networkPolicy": {"egress": [{"cidr": "::/0"}] * 33}},
        "must have at most 32 items",
    ),
    "an unknown field": ({"colour": "red"}, 'unknown field "spec.colour"'),
    "an unknown field of the model": (named(topK=5), 'unknown field "spec.model.topK"'),
    "an unknown field of the service": (service(host="x"), 'unknown field "spec.service.host"'),
    "an unknown field of a file": (
        files({**FILE, "url": "http://x"}),
        'unknown field "spec.context.files[0].url"',
    ),
}


def refused(cluster: Cluster, namespace: str, body: Manifest) -> str:
    return cluster.refused(
        "-n", namespace, "create", "--dry-run=server", "--validate=strict", "-f", "-",
        stdin=json.dumps(body),
    )  # fmt: skip


@pytest.mark.parametrize(("spec", "words"), SPECS.values(), ids=SPECS)
def test_a_spec_is_refused(
    spec: dict[str, Any], words: str, cluster: Cluster, a_namespace: str
) -> None:
    body = a_manifest(**spec)
    body["spec"] = {name: value for name, value in body["spec"].items() if value is not None}
    assert words in refused(cluster, a_namespace, body)


NAMES = {
    "64 characters": "a" * 64,
    "a digit first": "1ada",
    "a dot": "ada.lovelace",
    "a hyphen last": "ada-",
}


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_a_name_that_no_service_may_have_is_refused(
    name: str, cluster: Cluster, a_namespace: str
) -> None:
    words = "`metadata.name` must be the name of a Service: at most 63 characters"
    assert words in refused(cluster, a_namespace, a_manifest(name))


BODIES: dict[str, tuple[dict[str, Any], str]] = {
    "no spec": ({"spec": None}, "spec: Required value"),
    "an unknown field at the top": ({"specs": {}}, 'unknown field "specs"'),
    "another version": ({"apiVersion": "virtualassistant.dev/v1"}, "no matches for kind"),
}


@pytest.mark.parametrize(("change", "words"), BODIES.values(), ids=BODIES)
def test_a_body_is_refused(
    change: dict[str, Any], words: str, cluster: Cluster, a_namespace: str
) -> None:
    body = {**deepcopy(a_manifest()), **change}
    body = {name: value for name, value in body.items() if value is not None}
    assert words in refused(cluster, a_namespace, body)
