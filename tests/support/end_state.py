"""What an assistant ended in, without what differs between two runs that did the same."""

import json
import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

from support.api_proxy import ApiProxy, Call
from va_operator.api import API_VERSION, PLURAL

Json = dict[str, Any]

ASSISTANTS = f"/apis/{API_VERSION}/namespaces/{{}}/{PLURAL}"
CHILDREN = {
    "ConfigMap": "/api/v1/namespaces/{}/configmaps",
    "Service": "/api/v1/namespaces/{}/services",
    "Deployment": "/apis/apps/v1/namespaces/{}/deployments",
    "PodDisruptionBudget": "/apis/policy/v1/namespaces/{}/poddisruptionbudgets",
    "NetworkPolicy": "/apis/networking.k8s.io/v1/namespaces/{}/networkpolicies",
}
INSTANCE = "app.kubernetes.io/instance"

_ALLOCATED = frozenset({"clusterIP", "clusterIPs", "nodePort", "healthCheckNodePort", "url"})
_COUNTED = frozenset({"resourceVersion", "generation", "managedFields", "creationTimestamp"})
_VARIABLE = {
    re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"): "UID",
    re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"): "TIME",
    re.compile(r"NAME-[a-z0-9]{6,10}-[a-z0-9]{5}\b"): "POD",
    re.compile(r"(?<=/template\": \")[0-9a-f.]+"): "STAMP",
    re.compile(r"(?<=ReplicaSet \\\")NAME-[a-z0-9]+"): "REPLICA-SET",
}
"""Ids, times, digests of names, and names that Kubernetes makes up."""


@dataclass(frozen=True)
class Watcher:
    """Looks at a namespace behind the proxy's back, and at what passes through it."""

    proxy: ApiProxy
    namespace: str

    def assistant(self, name: str) -> Json:
        return self.proxy.read(f"{ASSISTANTS.format(self.namespace)}/{name}")

    def children(self) -> list[tuple[str, Json]]:
        """Return all children of all assistants, with their kinds."""
        return [
            (kind, body)
            for kind, path in CHILDREN.items()
            for body in self.proxy.read(path.format(self.namespace)).get("items", [])
            if INSTANCE in body["metadata"].get("labels", {})
        ]

    def end_state(self, name: str) -> Json:
        """Return an assistant's spec and status and its children; equal runs give equal ones."""
        return self.end_states((name,))[name]

    def end_states(self, names: tuple[str, ...]) -> dict[str, Json]:
        """Return the same for several assistants, by name; {} for one that is not there."""
        listed = self.proxy.read(ASSISTANTS.format(self.namespace)).get("items", [])
        assistants = {body["metadata"]["name"]: body for body in listed}
        children = self.children()
        return {
            name: _normal({"assistant": assistants[name], **_of(name, children)}, name)
            if name in assistants
            else _of(name, children)
            for name in names
        }

    def writes(self, name: str) -> list[Call]:
        """Return what the operator wrote for an assistant, its events too."""
        return self.proxy.writes(about(name))

    def updates(self, name: str) -> Counter[str]:
        """Return how often each object of an assistant came to be other than it was."""
        last: dict[str, str] = {}
        count: Counter[str] = Counter()
        for call in self.writes(name):
            if not call.succeeded or call.resource == "events":
                continue
            what = str(call).removeprefix(f"{call.verb} ").replace(name, "NAME")
            now = _content(call)
            if last.get(what) != now:
                count[what] += 1
                last[what] = now
        return count

    def events(self, name: str) -> Counter[str]:
        """Return which events were written about an assistant, and how often."""
        return Counter(
            call.body["reason"]
            for call in self.writes(name)
            if call.resource == "events" and call.succeeded
        )


def about(name: str) -> Any:
    """Match the calls that concern an assistant, whose name is no other's beginning."""

    def matches(call: Call) -> bool:
        regarding = call.body.get("involvedObject") or call.body.get("regarding") or {}
        return name in {call.name, regarding.get("name")} or call.name.startswith(f"{name}-")

    return matches


def difference(wanted: Any, there: Any, path: str = "") -> list[str]:
    """Return in what a state differs from the wanted one, leaf by leaf."""
    if isinstance(wanted, dict) and isinstance(there, dict):
        return [
            line
            for name in sorted({*wanted, *there})
            for line in difference(wanted.get(name), there.get(name), f"{path}/{name}")
        ]
    return [] if wanted == there else [f"{path}: {there!r} and not {wanted!r}"]


def without_past(state: Json) -> Json:
    """Return a state without what tells of how it was reached: counts, and earlier revisions."""
    status = state["assistant"]["status"]
    desired = f"ConfigMap NAME-{status['revision']['desired']}"
    kept = {what: body for what, body in state.items() if what[:9] != "ConfigMap"}
    kept[desired] = state[desired]
    past = frozenset({"observedGeneration", "history", "deployment.kubernetes.io/revision"})
    present: Json = _without(kept, past)
    return present


def _of(name: str, children: list[tuple[str, Json]]) -> Json:
    return {
        f"{kind} {body['metadata']['name']}".replace(name, "NAME"): body
        for kind, body in children
        if body["metadata"]["labels"][INSTANCE] == name
    }


def _content(call: Call) -> str:
    if call.verb == "delete":
        return "deleted"
    body = json.loads(call.answer)
    kept = body.get("status") if call.subresource == "status" else {**body, "status": None}
    return json.dumps(_without(kept, _COUNTED), sort_keys=True)


def _normal(state: Json, name: str) -> Json:
    children = {what: {**body, "status": None} for what, body in state.items()}
    children["assistant"] = state["assistant"]
    text = json.dumps(_without(children, _COUNTED | _ALLOCATED), sort_keys=True)
    text = text.replace(name, "NAME").replace(state["assistant"]["metadata"]["uid"], "OWNER")
    for pattern, word in _VARIABLE.items():
        text = pattern.sub(word, text)
    normal: Json = json.loads(text)
    return normal


def _without(value: Any, names: frozenset[str]) -> Any:
    if isinstance(value, dict):
        return {n: _without(v, names) for n, v in value.items() if n not in names}
    if isinstance(value, list):
        return [_without(item, names) for item in value]
    return value
