"""Running the command line inside of the test, against a cluster in a dict."""

from __future__ import annotations

import io
import os
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from unittest import mock

from va_cli.endpoints import Endpoint
from va_cli.failures import Failure, NotAllowed, NotFound
from va_cli.main import main

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from va_cli.cluster import Cluster

NOWHERE = "http://127.0.0.1:9"
"""Where nobody listens."""


@dataclass(frozen=True)
class Run:
    """What a run of the program left behind."""

    code: int
    out: str
    err: str

    @property
    def error_lines(self) -> list[str]:
        """The last three lines on stderr, which tell a failure."""
        return self.err.splitlines()[-3:]


def run_va(
    *arguments: str,
    cluster: Cluster | None = None,
    piped: str | bytes | None = None,
    environment: Mapping[str, str] | None = None,
    program: str = "/usr/local/bin/va",
    terminal: bool = False,
) -> Run:
    """Run `va` with these arguments; without `piped` nothing can be read.

    No conversation is kept, unless the environment says where. With `terminal` the
    output goes to one, of an unknown width.
    """

    def open_cluster(kubeconfig: str, context: str | None) -> Cluster:
        assert cluster is not None, "no cluster was to be needed"
        return cluster

    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in "12")
    if terminal:
        out.isatty = lambda: True  # type: ignore[method-assign]
    stdin = _stdin(piped)
    # A kubeconfig that exists, whatever is in it: the fake does not read it.
    surroundings = {"KUBECONFIG": os.devnull, **(environment or {})}
    if "XDG_STATE_HOME" not in surroundings:
        surroundings["VA_NO_HISTORY"] = "1"
    with (
        stdin,
        mock.patch.multiple(sys, stdin=stdin, stdout=out, stderr=err, argv=[program]),
        mock.patch.dict(os.environ, surroundings, clear=True),
    ):
        code = main(arguments, open_cluster=open_cluster)
    return Run(code, _written(out), _written(err))


def an_assistant(name: str = "ada", namespace: str = "default", **status: Any) -> dict[str, Any]:
    """Return a VirtualAssistant that answers, but for what `status` says."""
    return {
        "apiVersion": "virtualassistant.dev/v1alpha1",
        "kind": "VirtualAssistant",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "uid": f"uid-of-{name}",
            "generation": 3,
            "creationTimestamp": "2026-01-01T00:00:00Z",
        },
        "spec": {"replicas": 2, "context": {"files": []}},
        "status": {
            "observedGeneration": 3,
            "conditions": [a_condition("Ready", "True", "Answering")],
            "readyReplicas": 2,
            "updatedReplicas": 2,
            "selector": f"app.kubernetes.io/instance={name}",
            "revision": {"desired": "3f2a91c0de", "serving": "3f2a91c0de"},
            "context": {
                "bytes": 447,
                "tokens": 120,
                "estimatedTokens": 149,
                "window": 4000,
                "windowPercent": 3,
                "given": "Whole",
                "files": [{"name": "cv.md", "digest": "0123456789ab"}],
            },
            "models": [{"name": "gpt-5-mini", "state": "Ready"}],
            **status,
        },
    }


def a_condition(kind: str, status: str, reason: str, message: str = "") -> dict[str, Any]:
    """Return one condition."""
    return {
        "type": kind,
        "status": status,
        "reason": reason,
        "message": message,
        "lastTransitionTime": "2026-01-01T00:00:00Z",
        "observedGeneration": 3,
    }


@dataclass
class FakeCluster:
    """A cluster in lists; what is in `forbidden` may not be read."""

    items: Sequence[dict[str, Any]] = ()
    proxy_url: str = NOWHERE
    """Where the service proxy leads."""

    proxy_token: str = ""
    """With which the API server knows the user."""

    default_namespace: str = "default"
    pod_items: Sequence[dict[str, Any]] = ()
    event_items: Sequence[dict[str, Any]] = ()
    node_items: Sequence[dict[str, Any]] = ()
    deployment_items: Sequence[dict[str, Any]] = ()
    forbidden: frozenset[str] = frozenset()
    failure: Failure | None = None
    """What every request ends with."""

    selectors: list[str | None] = field(default_factory=list)
    reads: list[str] = field(default_factory=list)

    def assistant(self, namespace: str, name: str) -> dict[str, Any]:
        self._read("assistant")
        for item in self.items:
            if item["metadata"]["name"] == name and item["metadata"]["namespace"] == namespace:
                return item
        raise NotFound("There is no such assistant.", why=f"'{name}'", next_step="{va} list -A")

    def assistants(
        self, namespace: str | None, *, selector: str | None = None
    ) -> Sequence[dict[str, Any]]:
        self._read("assistants")
        self.selectors.append(selector)
        return [i for i in self.items if namespace in {None, i["metadata"]["namespace"]}]

    def pods(self, namespace: str, selector: str) -> Sequence[dict[str, Any]]:
        self._read("pods")
        return self.pod_items

    def warnings(self, namespace: str) -> Sequence[dict[str, Any]]:
        self._read("events")
        return self.event_items

    def nodes(self) -> Sequence[dict[str, Any]]:
        self._read("nodes")
        return self.node_items

    def deployments(self, selector: str) -> Sequence[dict[str, Any]]:
        self._read("deployments")
        return self.deployment_items

    def version(self) -> str:
        self._read("version")
        return "v1.34.4"

    def service_proxy(self, namespace: str, name: str) -> Endpoint:
        return Endpoint(
            via="the API server's service proxy",
            url=self.proxy_url,
            headers={"Authorization": self.proxy_token} if self.proxy_token else {},
            authorization_is_taken=True,
        )

    def _read(self, what: str) -> None:
        self.reads.append(what)
        if self.failure:
            raise self.failure
        if what in self.forbidden:
            raise NotAllowed("You may not do this.", why=f"{what} is forbidden", next_step="…")


def _stdin(piped: str | bytes | None) -> io.TextIOWrapper:
    if piped is None:
        return io.TextIOWrapper(open(os.devnull, "rb"))  # noqa: PTH123
    data = piped.encode() if isinstance(piped, str) else piped
    return io.TextIOWrapper(io.BytesIO(data))


def _written(stream: io.TextIOWrapper) -> str:
    buffer = stream.buffer
    assert isinstance(buffer, io.BytesIO)
    return buffer.getvalue().decode()
