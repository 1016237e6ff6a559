"""The connection to the API server: the fence before writes, their limits, and what is counted."""

import asyncio
import json
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
import yaml
from aiohttp import web

from va_operator import connection
from va_operator.api import Key
from va_operator.cluster import ApiServer, described
from va_operator.connection import is_fenced
from va_operator.errors import ClusterFailure, Fenced
from va_operator.fence import Fence
from va_operator.kinds import ASSISTANTS, CONFIG_MAPS, PODS

ADA = Key("shop", "ada")
LEASE = Key("system", "virtual-assistant-operator")


@dataclass
class Record:
    """What the server got, and what the client says of it."""

    got: list[tuple[str, str]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    limits: list[str] = field(default_factory=list)
    """How many objects each list asks for."""
    requests: list[tuple[str, str, int]] = field(default_factory=list)
    ends: list[tuple[str, str]] = field(default_factory=list)
    answer: Callable[[], Awaitable[web.StreamResponse]] | None = None

    def requested(self, verb: str, resource: str, code: int, seconds: float) -> None:
        assert seconds >= 0
        self.requests.append((verb, resource, code))

    def watch_ended(self, resource: str, cause: str) -> None:
        self.ends.append((resource, cause))


@asynccontextmanager
async def served(
    record: Record, fence: Fence | None, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[ApiServer]:
    async def handle(request: web.Request) -> web.StreamResponse:
        record.bodies.append(await request.read())
        record.got.append((request.method, request.path))
        if limit := request.query.get("limit"):
            record.limits.append(limit)
        if record.answer is not None:
            return await record.answer()
        return web.json_response({"metadata": {"resourceVersion": "5"}, "items": []})

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()

    async def load(client_configuration: Any) -> None:
        client_configuration.host = f"http://127.0.0.1:{runner.addresses[0][1]}"

    monkeypatch.setattr(connection.config, "load_kube_config", load)
    api = await ApiServer.connect(in_cluster=False, fence=fence, traffic=record)
    try:
        yield api
    finally:
        await api.close()
        await runner.cleanup()


def runs(
    monkeypatch: pytest.MonkeyPatch,
    test: Callable[[ApiServer], Awaitable[None]],
    *,
    record: Record,
    fence: Fence | None = None,
) -> None:
    async def run() -> None:
        async with served(record, fence, monkeypatch) as api, asyncio.timeout(20):
            await test(api)

    asyncio.run(run())


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class NowShut(Fence):
    """Open when a request begins, shut in the moment in which its bytes go out."""

    def __init__(self, looks: int) -> None:
        super().__init__()
        self.open()
        self._looks = looks

    def remaining(self) -> float:
        self._looks -= 1
        if self._looks < 0:
            self.shut()
        return super().remaining()


def an_event() -> dict[str, Any]:
    return {"kind": "Event", "metadata": {"namespace": "shop"}}


def test_no_write_is_sent_through_a_shut_fence(monkeypatch: pytest.MonkeyPatch) -> None:
    record = Record()

    async def test(api: ApiServer) -> None:
        with pytest.raises(Fenced):
            await api.create_event("shop", an_event())
        with pytest.raises(Fenced):
            await api.apply_status(ADA, "uid", {})
        await api.get(CONFIG_MAPS, ADA)

    runs(monkeypatch, test, record=record, fence=Fence())
    assert record.got == [("GET", "/api/v1/namespaces/shop/configmaps/ada")]


@pytest.mark.parametrize("looks", [1, 2])
def test_a_write_is_stopped_in_the_step_in_which_its_bytes_would_go_out(
    looks: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = Record()

    async def test(api: ApiServer) -> None:
        with pytest.raises(ClusterFailure):
            await api.create_event("shop", an_event())

    # The first look is when the request begins; then before the head, then before the body.
    runs(monkeypatch, test, record=record, fence=NowShut(looks))
    assert record.got == []


def test_an_open_fence_looks_three_times_and_lets_a_write_pass(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    record = Record()

    async def test(api: ApiServer) -> None:
        await api.create_event("shop", an_event())

    runs(monkeypatch, test, record=record, fence=NowShut(3))
    assert record.got == [("POST", "/api/v1/namespaces/shop/events")]


def test_an_event_is_changed_by_a_merge_patch(monkeypatch: pytest.MonkeyPatch) -> None:
    record = Record()

    async def test(api: ApiServer) -> None:
        await api.patch_event(ADA, {"count": 2})

    runs(monkeypatch, test, record=record)
    assert record.got == [("PATCH", "/api/v1/namespaces/shop/events/ada")]
    assert json.loads(record.bodies[0]) == {"count": 2}


def test_a_write_that_hangs_is_cut_off_when_the_fence_shuts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def never() -> web.StreamResponse:
        await asyncio.Event().wait()
        raise AssertionError

    async def test(api: ApiServer) -> None:
        loop = asyncio.get_running_loop()
        earned = 5.2  # aiohttp by itself rounds up what is above five seconds
        fence.open(earned)
        begun = loop.time()
        with pytest.raises(ClusterFailure, match="Timeout"):
            await api.create_event("shop", an_event())
        assert earned - 0.1 < loop.time() - begun < earned + 0.3

    fence = Fence(Clock())
    runs(monkeypatch, test, record=Record(answer=never), fence=fence)


def test_a_lease_passes_the_fence_within_its_own_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    record = Record()
    lease = {"metadata": {"name": LEASE.name, "namespace": LEASE.namespace}}

    async def test(api: ApiServer) -> None:
        await api.write_lease(lease, within=2)
        lease["metadata"]["resourceVersion"] = "5"
        await api.write_lease(lease, within=2)
        await api.read_lease(LEASE, within=2)

        async def never() -> web.StreamResponse:
            await asyncio.Event().wait()
            raise AssertionError

        record.answer = never
        begun = asyncio.get_running_loop().time()
        with pytest.raises(ClusterFailure):
            await api.write_lease(lease, within=0.2)
        assert asyncio.get_running_loop().time() - begun < 1

    runs(monkeypatch, test, record=record, fence=Fence())
    path = "/apis/coordination.k8s.io/v1/namespaces/system/leases"
    one = f"{path}/virtual-assistant-operator"
    assert record.got == [("POST", path), ("PUT", one), ("GET", one), ("PUT", one)]


def test_a_lease_that_is_not_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    async def missing() -> web.StreamResponse:
        return web.json_response({"code": 404, "message": "not found"}, status=404)

    async def test(api: ApiServer) -> None:
        assert await api.read_lease(LEASE, within=2) is None

    runs(monkeypatch, test, record=Record(answer=missing))


def test_requests_are_told_with_their_codes(monkeypatch: pytest.MonkeyPatch) -> None:
    record = Record()

    async def test(api: ApiServer) -> None:
        await api.get(CONFIG_MAPS, ADA)
        await api.list(PODS, None, read=dict)

        async def busy() -> web.StreamResponse:
            return web.json_response({}, status=503)

        record.answer = busy
        with pytest.raises(ClusterFailure):
            await api.apply_status(ADA, "uid", {})

    runs(monkeypatch, test, record=record)
    assert record.requests == [
        ("get", "configmaps", 200),
        ("list", "pods", 200),
        ("patch", "virtualassistants/status", 503),
    ]


def test_a_request_without_an_answer_has_no_code(monkeypatch: pytest.MonkeyPatch) -> None:
    record = Record()

    async def test(api: ApiServer) -> None:
        with pytest.raises(Fenced):
            await api.create_event("shop", an_event())
        fence.open()
        record.answer = broken
        with pytest.raises(ClusterFailure):
            await api.create_event("shop", an_event())

    async def broken() -> web.StreamResponse:
        raise asyncio.CancelledError  # cuts the connection

    fence = Fence()
    runs(monkeypatch, test, record=record, fence=fence)
    # What the fence stopped was never a request.
    assert record.requests == [("create", "events", 0)]


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        ("", "ended"),
        ('{"type": "ERROR", "object": {"code": 410}}\n', "expired"),
        ('{"type": "ERROR", "object": {"code": 500}}\n', "failed"),
        ("not JSON\n", "failed"),
    ],
)
def test_the_end_of_a_watch_is_told_with_its_cause(
    line: str, cause: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def events() -> web.StreamResponse:
        return web.Response(text=line)

    async def test(api: ApiServer) -> None:
        try:
            async for _ in api.watch(PODS, None, version="1"):
                pass
        except ClusterFailure:
            pass

    record = Record(answer=events)
    runs(monkeypatch, test, record=record)
    assert record.ends == [("pods", cause)]
    assert record.requests == [("watch", "pods", 200)]


def test_a_watch_that_cannot_be_opened_is_told_as_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(api: ApiServer) -> None:
        with pytest.raises(ClusterFailure):
            async for _ in api.watch(PODS, None, version="1"):
                pass

    async def cut(*_: Any, **__: Any) -> None:
        raise ConnectionResetError

    monkeypatch.setattr(connection.Connection, "send", cut)
    record = Record()
    runs(monkeypatch, test, record=record)
    assert record.ends == [("pods", "failed")]


@pytest.mark.parametrize(("metadata_only", "limit"), [(False, "100"), (True, "500")])
def test_what_is_small_comes_in_larger_pages(
    metadata_only: bool, limit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test(api: ApiServer) -> None:
        await api.list(CONFIG_MAPS, None, read=dict, metadata_only=metadata_only)

    record = Record()
    runs(monkeypatch, test, record=record)
    assert record.limits == [limit]


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/api/v1/pods", ("list", "pods")),
        ("GET", "/api/v1/namespaces/shop/pods", ("list", "pods")),
        ("GET", "/api/v1/namespaces/shop/configmaps/ada", ("get", "configmaps")),
        ("GET", "/api/v1/namespaces/shop/pods/ada:8081/proxy/ready", ("get", "pods/proxy")),
        ("PATCH", "/apis/apps/v1/namespaces/shop/deployments/ada", ("patch", "deployments")),
        ("DELETE", "/api/v1/namespaces/shop/configmaps/ada", ("delete", "configmaps")),
        ("POST", "/api/v1/namespaces/shop/events", ("create", "events")),
        ("PUT", "/apis/coordination.k8s.io/v1/namespaces/s/leases/x", ("update", "leases")),
        ("GET", "/apis", ("get", "discovery")),
        ("GET", "/apis/virtualassistant.dev/v1alpha1", ("get", "discovery")),
        (
            "PATCH",
            "/apis/virtualassistant.dev/v1alpha1/namespaces/shop/virtualassistants/ada/status",
            ("patch", "virtualassistants/status"),
        ),
    ],
)
def test_requests_are_described_as_rbac_names_them(
    method: str, path: str, expected: tuple[str, str]
) -> None:
    assert described(method, path, watch=False) == expected


def test_a_watch_is_a_verb_of_its_own() -> None:
    assert described("GET", "/api/v1/pods", watch=True) == ("watch", "pods")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_all_writes_but_those_of_leases_are_fenced(method: str) -> None:
    assert is_fenced(method, "/api/v1/namespaces/shop/leases/ada")
    assert is_fenced(method, "/apis/apps/v1/namespaces/shop/deployments/ada")
    assert not is_fenced(method, "/apis/coordination.k8s.io/v1/namespaces/system/leases/x")
    assert not is_fenced("GET", "/apis/apps/v1/namespaces/shop/deployments/ada")


OURS, OTHERS = {"name": "virtualassistant.dev"}, {"name": "apps"}
KINDS = [{"name": "virtualassistants"}, {"name": "virtualassistants/status"}]


@pytest.mark.parametrize(
    ("groups", "kinds", "serves"),
    [
        ([OTHERS], None, False),
        ([OTHERS, OURS], None, False),
        ([OTHERS, OURS], [], False),
        ([OTHERS, OURS], KINDS, True),
    ],
    ids=["no such group", "the group is going", "not yet among the group's", "served"],
)
def test_a_kind_is_served_when_discovery_names_it(
    groups: list[Any], kinds: list[Any] | None, serves: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = Record()

    async def answer() -> web.StreamResponse:
        if record.got[-1] == ("GET", "/apis"):
            return web.json_response({"groups": groups})
        assert record.got[-1] == ("GET", "/apis/virtualassistant.dev/v1alpha1")
        if kinds is None:
            return web.json_response({"code": 404}, status=404)
        return web.json_response({"resources": kinds})

    record.answer = answer

    async def test(api: ApiServer) -> None:
        assert await api.serves(ASSISTANTS) == serves

    runs(monkeypatch, test, record=record)


def test_a_list_of_nothing_may_be_null(monkeypatch: pytest.MonkeyPatch) -> None:
    async def nothing() -> web.StreamResponse:
        return web.json_response({"metadata": {"resourceVersion": "5"}, "items": None})

    async def test(api: ApiServer) -> None:
        assert await api.list(CONFIG_MAPS, "shop", read=dict, metadata_only=True) == ([], "5")

    runs(monkeypatch, test, record=Record(answer=nothing))


class Mark:
    """Something in a body that can be watched going."""


def test_a_page_is_gone_before_the_next_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    marks: list[weakref.ref[Mark]] = []
    alive: list[int] = []

    def read(body: dict[str, Any]) -> str:
        body["mark"] = mark = Mark()
        marks.append(weakref.ref(mark))
        return str(body["name"])

    async def page() -> web.StreamResponse:
        alive.append(sum(mark() is not None for mark in marks))
        left = ["", "more", "more"][3 - len(alive)]
        return web.json_response(
            {
                "metadata": {"resourceVersion": "5", "continue": left},
                "items": [{"name": f"{len(alive)}{letter}"} for letter in "ab"],
            }
        )

    async def test(api: ApiServer) -> None:
        names, version = await api.list(CONFIG_MAPS, "shop", read=read)
        assert (names, version) == (["1a", "1b", "2a", "2b", "3a", "3b"], "5")

    runs(monkeypatch, test, record=Record(answer=page))
    assert alive == [0, 0, 0]


@pytest.mark.parametrize("character", ["😀", "\x01", "\x7f", "\x85", "\u2028", "\ufeff", "\\ud83d"])
def test_what_is_applied_is_json_and_yaml_whatever_the_text(
    character: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = {
        "kind": "ConfigMap",
        "metadata": {"namespace": "shop", "name": "ada"},
        "data": {"cv.md": f"{character} é"},
    }
    record = Record()

    async def test(api: ApiServer) -> None:
        await api.apply(manifest)

    runs(monkeypatch, test, record=record)
    [body] = record.bodies
    assert json.loads(body) == manifest
    assert yaml.safe_load(body) == manifest
    assert "é" in body.decode(), "no longer than it must be"


@pytest.mark.parametrize(("there", "patches"), [({}, 1), ({"url": "http://evil.example/"}, 2)])
def test_a_status_is_patched_once_more_only_where_others_wrote_in_it(
    there: dict[str, Any], patches: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    status = {"replicas": 0}
    record = Record()

    async def answer() -> web.StreamResponse:
        return web.json_response({"metadata": {}, "status": {**status, **there}})

    async def test(api: ApiServer) -> None:
        await api.apply_status(ADA, "u", status)

    record.answer = answer
    runs(monkeypatch, test, record=record)
    assert len(record.bodies) == patches
    if patches == 2:
        patch = {"metadata": {"uid": "u"}, "status": {"url": None}}
        assert json.loads(record.bodies[1]) == patch
