"""The Kubernetes edge, against a server that answers as the API server does."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from support.assistant_stub import SECONDS
from support.certificates import make_authority
from support.cli_run import an_assistant
from va_cli.cluster import ClusterUnreachable, open_cluster
from va_cli.durations import Deadline
from va_cli.endpoints import Target
from va_cli.failures import Failure, NotAllowed, NotFound, WrongUsage
from va_cli.wire import Wire

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ASSISTANTS = "/apis/virtualassistant.dev/v1alpha1/namespaces/hr/virtualassistants"


class ApiServer(ThreadingHTTPServer):
    """Answers each path with what a test put there, and else with 404."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: dict[str, tuple[int, Any]] = {}
        self.authorization: list[str | None] = []


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, ApiServer)
        self.server.authorization.append(self.headers.get("Authorization"))
        status, body = self.server.answers.get(self.path, (404, "404 page not found\n"))
        data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.fixture
def server() -> Iterator[ApiServer]:
    with ApiServer() as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.02,))
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture
def kubeconfig(server: ApiServer, tmp_path: Path) -> str:
    address = f"http://127.0.0.1:{server.server_address[1]}"
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "here",
        "clusters": [
            {"name": "here", "cluster": {"server": address}},
            {"name": "gone", "cluster": {"server": "http://127.0.0.1:9"}},
        ],
        "users": [{"name": "me", "user": {"token": "sesame"}}],
        "contexts": [
            {"name": "here", "context": {"cluster": "here", "user": "me", "namespace": "hr"}},
            {"name": "gone", "context": {"cluster": "gone", "user": "me"}},
        ],
    }
    path = tmp_path / "config"
    path.write_text(yaml.safe_dump(config))
    return str(path)


def status(code: int, message: str, **details: dict[str, str]) -> dict[str, Any]:
    return {"kind": "Status", "apiVersion": "v1", "code": code, "message": message, **details}


def test_objects_are_read_with_the_kubeconfigs_rights(server: ApiServer, kubeconfig: str) -> None:
    server.answers = {
        f"{ASSISTANTS}/ada": (200, an_assistant()),
        f"{ASSISTANTS}?labelSelector=team%3Dhr": (200, {"items": [an_assistant()]}),
        "/apis/virtualassistant.dev/v1alpha1/virtualassistants": (200, {"items": []}),
        "/api/v1/namespaces/hr/pods?labelSelector=a%3Db": (200, {"items": [{"kind": "Pod"}]}),
        "/api/v1/namespaces/hr/events?fieldSelector=type%3DWarning": (200, {"items": None}),
        "/version": (200, {"gitVersion": "v1.34.4"}),
    }
    cluster = open_cluster(kubeconfig, None)
    assert cluster.default_namespace == "hr"
    assert cluster.assistant("hr", "ada") == an_assistant()
    assert cluster.assistants("hr", selector="team=hr") == [an_assistant()]
    assert list(cluster.assistants(None)) == []
    assert cluster.pods("hr", "a=b") == [{"kind": "Pod"}]
    assert list(cluster.warnings("hr")) == []
    assert cluster.version() == "v1.34.4"
    assert set(server.authorization) == {"Bearer sesame"}


def test_the_service_proxy_takes_the_same_way(server: ApiServer, kubeconfig: str) -> None:
    endpoint = open_cluster(kubeconfig, None).service_proxy("hr", "ada")
    assert endpoint.url.endswith("/api/v1/namespaces/hr/services/ada:http/proxy")
    assert endpoint.headers == {"Authorization": "Bearer sesame"}
    assert endpoint.authorization_is_taken


@pytest.mark.parametrize(
    ("answer", "kind", "why"),
    [
        ((401, status(401, "Unauthorized")), NotAllowed, "Unauthorized"),
        ((403, status(403, "you cannot get")), NotAllowed, "you cannot get"),
        ((404, status(404, "not found", details={"name": "ada"})), NotFound, "not found"),
        ((404, "404 page not found\n"), NotFound, "does not know the API"),
        ((400, status(400, "bad selector")), WrongUsage, "bad selector"),
        ((500, "boom"), Failure, "boom"),
        ((503, ""), Failure, "answered 503"),
    ],
)
def test_errors_say_what_they_mean(
    answer: tuple[int, Any], kind: type[Failure], why: str, server: ApiServer, kubeconfig: str
) -> None:
    server.answers = {f"{ASSISTANTS}/ada": answer}
    with pytest.raises(kind, match=why):
        open_cluster(kubeconfig, None).assistant("hr", "ada")


def test_the_name_in_the_certificate_may_be_another_than_the_address(tmp_path: Path) -> None:
    """As behind a tunnel or a load balancer: `tls-server-name`, for the proxy's questions too."""
    name = "kubernetes.example"
    authority = make_authority(tmp_path)
    with ApiServer() as server:
        tls = authority.server_side(name)
        server.socket = tls.wrap_socket(server.socket, server_side=True)
        server.answers = {
            "/version": (200, {"gitVersion": "v1.34.4"}),
            "/api/v1/namespaces/hr/services/ada:http/proxy/health": (200, "ok\n"),
        }
        there = {
            "server": f"https://127.0.0.1:{server.server_address[1]}",
            "certificate-authority": str(authority.file),
            "tls-server-name": name,
        }
        path = tmp_path / "config"
        path.write_text(yaml.safe_dump(a_kubeconfig(there)))
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            cluster = open_cluster(str(path), None)
            assert cluster.version() == "v1.34.4"
            wire = Wire(cluster.service_proxy("hr", "ada"), Target(name="ada", namespace="hr"))
            wire.probe(Deadline.after(SECONDS))
            wire.close()
        finally:
            server.shutdown()
            thread.join()


def a_kubeconfig(cluster: dict[str, str]) -> dict[str, Any]:
    """Return one with a single cluster."""
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "there",
        "clusters": [{"name": "there", "cluster": cluster}],
        "users": [{"name": "me", "user": {"token": "sesame"}}],
        "contexts": [{"name": "there", "context": {"cluster": "there", "user": "me"}}],
    }


def test_what_is_no_api_server_is_told(server: ApiServer, kubeconfig: str) -> None:
    server.answers = {"/version": (200, "<html>")}
    with pytest.raises(ClusterUnreachable):
        open_cluster(kubeconfig, None).version()


def test_a_cluster_that_is_gone_is_told_shortly(kubeconfig: str) -> None:
    with pytest.raises(ClusterUnreachable) as caught:
        open_cluster(kubeconfig, "gone").version()
    assert caught.value.why.startswith("http://127.0.0.1:9: ")
    assert caught.value.why.endswith("Connection refused")
    assert "object at" not in caught.value.why


def test_an_unknown_context_is_named_with_the_known_ones(kubeconfig: str) -> None:
    with pytest.raises(WrongUsage, match="must be one of 'here', 'gone'; got 'there'"):
        open_cluster(kubeconfig, "there")


@pytest.mark.parametrize("text", ["", "{", "a: b", "- 1", "contexts: []\ncurrent-context: x"])
def test_a_broken_kubeconfig_is_told(text: str, tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text(text)
    with pytest.raises(Failure, match=str(path)):
        open_cluster(str(path), None)
