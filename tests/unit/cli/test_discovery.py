"""Which ways to an assistant are tried, in which order, and what is said of them."""

from __future__ import annotations

from typing import Any

import pytest

from support.assistant_stub import AssistantStub, Reply
from support.cli_run import NOWHERE, FakeCluster, a_condition, an_assistant, run_va
from va_cli.assistants import parse_assistant
from va_cli.endpoints import node_endpoints, normal_url, published_endpoint


def a_node(*addresses: tuple[str, str], ready: bool = True) -> dict[str, Any]:
    return {
        "status": {
            "addresses": [{"type": kind, "address": address} for kind, address in addresses],
            "conditions": [{"type": "Ready", "status": "True" if ready else "Unknown"}],
        }
    }


def test_the_published_url_goes_first(stub: AssistantStub, cluster: FakeCluster) -> None:
    run = run_va("ask", "ada", "Where?", "-v", cluster=cluster)
    assert run.err == f"va: asking through status.url, {stub.url}\n"
    assert "nodes" not in cluster.reads


def test_another_node_is_tried_where_the_published_one_is_gone(stub: AssistantStub) -> None:
    cluster = FakeCluster(
        [an_assistant(url="http://127.0.0.9:9", nodePort=stub.port)],
        node_items=[a_node(("InternalIP", "127.0.0.1"))],
    )
    run = run_va("ask", "ada", "Where?", "-v", cluster=cluster)
    assert run.code == 0
    assert run.err.splitlines() == [
        "va: status.url: http://127.0.0.9:9: connection refused",
        f"va: asking through node address, {stub.url}",
    ]


def test_the_service_proxy_is_the_last_way(stub: AssistantStub) -> None:
    cluster = FakeCluster(
        [an_assistant(url=NOWHERE, nodePort=9)],
        proxy_url=stub.url,
        forbidden=frozenset({"nodes"}),
    )
    run = run_va("ask", "ada", "Where?", "-v", cluster=cluster)
    assert run.code == 0
    assert run.err.splitlines() == [
        f"va: status.url: {NOWHERE}: connection refused",
        "va: node address: nodes is forbidden",
        f"va: asking through the API server's service proxy, {stub.url}",
    ]


def test_an_assistant_that_answers_with_an_error_has_answered(stub: AssistantStub) -> None:
    stub.health = (503, "text/plain", b"TooBusy: all threads answer\n")
    stub.usual = Reply(refusal=(503, "RateLimited", "429"), retry_after=20)
    with AssistantStub() as other:
        cluster = FakeCluster([an_assistant(url=stub.url)], proxy_url=other.url)
        run = run_va("ask", "ada", "Where?", cluster=cluster)
        assert run.code == 5
        assert "RateLimited" in run.error_lines[1]
        assert other.questions == []


@pytest.mark.parametrize(
    "health",
    [
        (200, "text/html", b"<html>ok</html>"),
        (404, "text/plain", b"404 page not found"),
        (502, "text/html", b"<h1>Bad Gateway</h1>"),
        (301, "text/html", b""),
        (400, "text/plain", b"Client sent an HTTP request to an HTTPS server.\n"),
    ],
)
def test_who_is_no_assistant_is_passed_over_and_never_asked(
    health: tuple[int, str, bytes], stub: AssistantStub
) -> None:
    with AssistantStub(health=health) as stranger:
        cluster = FakeCluster([an_assistant(url=stranger.url)], proxy_url=stub.url)
        assert run_va("ask", "ada", "secret", cluster=cluster).code == 0
        assert stranger.questions == []


def status_answer(code: int, message: str) -> tuple[int, str, bytes]:
    body = f'{{"kind":"Status","apiVersion":"v1","code":{code},"message":"{message}"}}'
    return (code, "application/json", body.encode())


def test_a_service_without_endpoints_is_not_ready() -> None:
    with AssistantStub(health=status_answer(503, "no endpoints available")) as proxy:
        cluster = FakeCluster([an_assistant()], proxy_url=proxy.url)
        run = run_va("ask", "ada", "Where?", cluster=cluster)
    assert run.code == 3
    assert "no endpoints available" in run.error_lines[1]


def test_a_proxy_that_may_not_be_used_is_not_allowed() -> None:
    with AssistantStub(health=status_answer(403, "services/proxy is forbidden")) as proxy:
        cluster = FakeCluster([an_assistant(url=NOWHERE)], proxy_url=proxy.url)
        run = run_va("ask", "ada", "Where?", cluster=cluster)
    assert run.code == 4
    assert run.error_lines == [
        "Error: 'ada' gave no answer.",
        "Why:   services/proxy is forbidden",
        "Next:  kubectl auth can-i create services/proxy",
    ]


def test_the_conditions_explain_better_than_the_connections() -> None:
    ready = a_condition("Ready", "False", "ImagePullFailed", "no such image")
    run = run_va("ask", "q", cluster=FakeCluster([an_assistant(conditions=[ready])]))
    assert run.error_lines[1] == "Why:   ImagePullFailed: no such image"


def test_what_waits_for_the_user_is_not_waited_for() -> None:
    suspended = a_condition("Ready", "False", "Suspended", "no pods")
    manifest = an_assistant(conditions=[suspended])
    manifest["spec"]["suspend"] = True
    cluster = FakeCluster([manifest])
    run = run_va("ask", "q", "--wait", "1h", cluster=cluster)
    assert run.code == 3
    assert "waiting" not in run.err


def test_waiting_reads_the_status_anew(stub: AssistantStub) -> None:
    starting = a_condition("Ready", "False", "Starting", "the first pods start")

    class Awakening(FakeCluster):
        def assistant(self, namespace: str, name: str) -> dict[str, Any]:
            found = super().assistant(namespace, name)
            return found if len(self.reads) < 2 else an_assistant(url=stub.url)

    cluster = Awakening([an_assistant(conditions=[starting])])
    run = run_va("ask", "ada", "q", "--wait", "30s", cluster=cluster)
    assert run.code == 0
    assert run.err == "va: waiting: Starting: the first pods start\n"


def test_waiting_takes_another_way_where_the_one_that_answered_cannot_serve(
    stub: AssistantStub,
) -> None:
    """The first is full, and by the second try the status names another pod's address."""
    with AssistantStub(usual=Reply(refusal=(503, "TooBusy", "full"), retry_after=0)) as full:

        class Moving(FakeCluster):
            def assistant(self, namespace: str, name: str) -> dict[str, Any]:
                found = super().assistant(namespace, name)
                return found if len(self.reads) < 2 else an_assistant(url=stub.url)

        cluster = Moving([an_assistant(url=full.url)])
        run = run_va("ask", "ada", "q", "--wait", "5s", cluster=cluster)
        assert run.code == 0
        assert (full.questions, stub.questions) == (["q"], ["q"])


def test_an_answer_is_asked_for_as_it_is_for_compressed_it_would_not_come_in_pieces(
    stub: AssistantStub, cluster: FakeCluster
) -> None:
    assert run_va("ask", "ada", "q", cluster=cluster).code == 0
    assert stub.asked[0].headers["Accept-Encoding"] == "identity"


def endpoints(manifest: dict[str, Any], *nodes: dict[str, Any]) -> list[str]:
    return [endpoint.url for endpoint in node_endpoints(parse_assistant(manifest), nodes)]


def test_node_addresses_go_from_far_to_near_and_ready_ones_first() -> None:
    found = endpoints(
        an_assistant(nodePort=30080),
        a_node(("InternalIP", "10.0.0.1"), ("ExternalIP", "192.0.2.1"), ready=False),
        a_node(("Hostname", "n2"), ("InternalIP", "10.0.0.2"), ("ExternalIP", "192.0.2.2")),
    )
    assert found == [
        "http://192.0.2.2:30080",
        "http://192.0.2.1:30080",
        "http://10.0.0.2:30080",
        "http://10.0.0.1:30080",
    ]


def test_the_published_address_is_not_tried_twice() -> None:
    manifest = an_assistant(nodePort=30080, url="http://10.0.0.1:30080")
    node = a_node(("InternalIP", "10.0.0.1"), ("InternalIP", "fd00::1"))
    assert endpoints(manifest, node) == ["http://[fd00::1]:30080"]


def test_a_large_cluster_is_not_tried_node_by_node() -> None:
    nodes = [a_node(("InternalIP", f"10.0.0.{i}")) for i in range(100)]
    assert len(endpoints(an_assistant(nodePort=30080), *nodes)) == 4


def test_without_a_node_port_there_are_no_node_addresses() -> None:
    assert endpoints(an_assistant(), a_node(("InternalIP", "10.0.0.1"))) == []


def test_without_a_url_nothing_is_published() -> None:
    assert published_endpoint(parse_assistant(an_assistant())) is None


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("node:30080", "http://node:30080"),
        ("https://node/ada/", "https://node/ada"),
        ("[fd00::1]:8000", "http://[fd00::1]:8000"),
    ],
)
def test_a_url_is_normal(text: str, url: str) -> None:
    assert normal_url(text) == url
