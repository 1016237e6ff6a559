"""A reverse proxy in front of the API server that keeps a record and does harm on request.

    with ApiProxy(cluster.kubeconfig, tmp_path / "proxied.yaml") as proxy:
        operator = OperatorProcess(Cluster(proxy.kubeconfig), namespace, log).start()
        proxy.when(call_to("patch", "services"), Answer(503))
        ...
        assert [call.status for call in proxy.writes()] == [503, 200]

The client speaks plain HTTP on loopback, the proxy TLS to the API server. It acts as the user of
the test's kubeconfig, but where the client brings an `Authorization` header of its own,
which is passed on alone: so a service account's token has its own rights and no more. (kubectl
sends no token over plain HTTP; the operator does.)

Faults are put in by tests while everything runs. `when` meets requests, a watch too, before it is
answered; the methods on watches meet those that are open. Connections that are
upgraded (exec, port-forward) do not pass.
"""

import asyncio
import base64
import json
import ssl
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import unquote

import aiohttp
import yaml
from aiohttp import web
from yarl import URL

Json = dict[str, Any]

READS: Final = frozenset({"get", "list", "watch"})
_HOP_BY_HOP: Final = frozenset(
    {"connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade"}
    | {"proxy-authorization", "proxy-authenticate", "host", "content-length", "accept-encoding"}
)
GOODBYE_SECONDS: Final = 2.0
_VERBS: Final = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


@dataclass(eq=False, repr=False)
class Call:
    """One request, and what became of it.

    ``verb``, ``group``, ``resource`` and ``subresource`` are as RBAC names them (the resource
    is empty for paths like `/version`); times are those of `time.monotonic`.
    """

    verb: str
    path: str
    group: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    query: Mapping[str, str] = field(default_factory=dict)
    body: Json = field(default_factory=dict)
    """What a write carries; {} where that is nothing, or no JSON object."""
    received: float = 0.0
    answered: float | None = None
    """When the answer was passed on; of a watch, when it began; None while there is none."""
    status: int | None = None
    """What the client was told; None when it was told nothing."""
    applied: int | None = None
    """What the API server answered; None when it never heard of it."""
    answer: bytes = b""
    """The API server's answer; of a watch nothing, see `ApiProxy.events`."""

    @property
    def is_write(self) -> bool:
        return self.resource != "" and self.verb not in READS

    @property
    def succeeded(self) -> bool:
        """Whether the API server did what it asked, whatever the client was told."""
        return self.applied is not None and self.applied < 300

    def __str__(self) -> str:
        target = "/".join(p for p in (self.resource, self.name, self.subresource) if p)
        return f"{self.verb} {target or self.path}"

    def __repr__(self) -> str:
        return f"<{self}: {self.status or 'no answer'}>"


Match = Callable[[Call], bool]


def call_to(
    verb: str = "", resource: str = "", name: str = "", *, subresource: str | None = None
) -> Match:
    """Match calls by what is given; a ``subresource`` of "" means the object itself."""

    def matches(call: Call) -> bool:
        return (
            verb in {"", call.verb}
            and resource in {"", call.resource}
            and name in {"", call.name}
            and subresource in {None, call.subresource}
        )

    return matches


def a_write(call: Call) -> bool:
    """Match whatever changes something."""
    return call.is_write


def anything(call: Call) -> bool:
    return True


@dataclass(frozen=True)
class Pass:
    """No fault: the call goes through. To let the first calls pass before a fault."""


@dataclass(frozen=True)
class Answer:
    """Answer by itself. ``applied``: only after the API server did what was asked."""

    status: int
    reason: str = ""
    message: str = "said the proxy"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    """Instead of a `Status` object made from status, reason and message."""
    applied: bool = False

    def text(self) -> bytes:
        if self.body is not None:
            return self.body
        status = {"kind": "Status", "apiVersion": "v1", "status": "Failure"}
        told = {"message": self.message, "reason": self.reason, "code": self.status}
        return json.dumps({**status, **told}).encode()


@dataclass(frozen=True)
class Cut:
    """Cut the connection, before the API server hears of it, or when it has answered.

    ``then`` is called before the cut in a thread of its own, such as
    ``operator.kill``: so the client learns nothing before it is dead.
    """

    applied: bool = False
    then: Callable[[], object] | None = None


@dataclass(frozen=True)
class Delay:
    """Pass on after some seconds."""

    seconds: float


@dataclass(frozen=True)
class Hang:
    """Never answer, until the client leaves or `ApiProxy.let_go`. See `ApiProxy.stall` too."""


Fault = Pass | Answer | Cut | Delay | Hang
Change = Callable[[Json], Iterable[Json]]
"""What becomes of a watch event: [] drops it, two of it duplicate it."""


@dataclass(eq=False)
class Rule:
    """A fault that waits for its calls; `met` are those it met. Made by `ApiProxy.when`."""

    match: Match
    fault: Fault
    left: int | None
    """How many times more; None for ever, 0 takes it out."""
    met: list[Call] = field(default_factory=list)


@dataclass(eq=False)
class _Watch:
    call: Call
    response: web.StreamResponse
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    silent: bool = False


@dataclass(frozen=True)
class _Upstream:
    """Where a kubeconfig leads, and as whom."""

    server: str
    tls: ssl.SSLContext
    anonymous_tls: ssl.SSLContext
    token: str

    @classmethod
    def of(cls, kubeconfig: Path) -> Self:
        config = yaml.safe_load(kubeconfig.read_text())
        named = {
            kind: {i["name"]: i for i in config[kind]} for kind in ("contexts", "clusters", "users")
        }
        context = named["contexts"][config["current-context"]]["context"]
        cluster = named["clusters"][context["cluster"]]["cluster"]
        user = named["users"][context["user"]]["user"]
        authority = _read(cluster, "certificate-authority")
        trusted = authority.decode() or None
        tls, anonymous = (ssl.create_default_context(cadata=trusted) for _ in range(2))
        if certificate := _read(user, "client-certificate"):
            with tempfile.NamedTemporaryFile() as pair:
                pair.write(certificate + b"\n" + _read(user, "client-key"))
                pair.flush()
                tls.load_cert_chain(pair.name)
        return cls(cluster["server"].rstrip("/"), tls, anonymous, user.get("token", ""))


def _read(entry: Json, name: str) -> bytes:
    if data := entry.get(f"{name}-data"):
        return base64.b64decode(data)
    return Path(entry[name]).read_bytes() if name in entry else b""


class ApiProxy:
    """A proxy in a thread of its own, as a context manager. All methods may be called any time."""

    def __init__(self, kubeconfig: Path, own_kubeconfig: Path) -> None:
        """Lead to where ``kubeconfig`` leads; write ``own_kubeconfig``, which leads through."""
        self.kubeconfig = own_kubeconfig
        self.calls: list[Call] = []
        """All requests in the order in which they came."""
        self.events: list[tuple[Call, Json]] = []
        """All that the API server sent through watches, with the watch's call."""
        self._upstream = _Upstream.of(kubeconfig)
        self._rules: list[Rule] = []
        self._changes: list[tuple[Match, Change]] = []
        self._watches: list[_Watch] = []
        self._lock = threading.Lock()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="api-proxy")
        self._free = asyncio.Event()
        self._runner: web.AppRunner | None = None
        self._sessions: list[aiohttp.ClientSession] = []

    def __enter__(self) -> Self:
        self._thread.start()
        self.port: int = self._run(self._start())
        self.kubeconfig.write_text(self.kubeconfig_text())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._run(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def kubeconfig_text(self, token: str = "") -> str:
        """Return a kubeconfig that leads through the proxy, as the bearer of a token if given."""
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "kind-virtual-assistant-proxied",
            "contexts": [
                {
                    "name": "kind-virtual-assistant-proxied",
                    "context": {"cluster": "proxy", "user": "proxied"},
                }
            ],
            "clusters": [{"name": "proxy", "cluster": {"server": f"http://127.0.0.1:{self.port}"}}],
            "users": [{"name": "proxied", "user": {"token": token} if token else {}}],
        }
        text: str = yaml.safe_dump(config)
        return text

    # What there was.

    def find(self, match: Match) -> list[Call]:
        """Return the calls that match, in the order in which they came."""
        return [call for call in tuple(self.calls) if match(call)]

    def writes(self, match: Match = anything) -> list[Call]:
        """Return the calls that write, those that failed too."""
        return self.find(lambda call: call.is_write and match(call))

    def forget(self) -> None:
        """Begin the record anew."""
        self.calls, self.events = [], []

    def read(self, path: str) -> Json:
        """Read from the API server behind all faults, unrecorded; {} where there is nothing."""
        found: Json = self._run(self._read(path))
        return found

    # Faults on requests.

    def when(self, match: Match, fault: Fault, *, times: int | None = 1, skip: int = 0) -> Rule:
        """Meet the next calls that match with a fault, ``times`` of them (None: for ever).

        ``skip`` lets as many pass first. Of several rules the one made first that matches acts;
        a `Delay` acts, and the next rule that matches with it.
        """
        if skip:
            self.when(match, Pass(), times=skip)
        rule = Rule(match, fault, times)
        with self._lock:
            self._rules.append(rule)
        return rule

    def clear(self) -> None:
        """Take out all rules and changes of events; what hangs goes on, what is silent stays so."""
        with self._lock:
            self._rules, self._changes = [], []
        self.let_go()

    def let_go(self) -> None:
        """Pass on what hangs."""
        self._run(self._let_go())

    # Faults on watches that are open.

    def watches(self, match: Match = anything) -> list[Call]:
        """Return the watches that are open towards the client, the silent ones too."""
        return [watch.call for watch in tuple(self._watches) if match(watch.call)]

    def stall(self, match: Match = anything) -> int:
        """Make open watches silent for ever, without a sign; new ones are not. Return how many."""
        found = self._open(match)
        for watch in found:
            watch.silent = True
        return len(found)

    def end(self, match: Match = anything) -> int:
        """End open watches as the API server does when their time is over. Return how many."""
        found = self._open(match)
        for watch in found:
            self._loop.call_soon_threadsafe(watch.ended.set)
        return len(found)

    def expire(self, match: Match = anything) -> int:
        """Tell open watches that their version is too old (410), and end them. Return how many."""
        gone = Answer(410, "Expired", "too old resource version").text()
        told = self.inject({"type": "ERROR", "object": json.loads(gone)}, match)
        self.end(match)
        return told

    def inject(self, event: Json, match: Match = anything) -> int:
        """Send an event through open watches, as if it happened now. Return through how many."""
        found = self._open(match)
        for watch in found:
            self._run(_send(watch, [event]))
        return len(found)

    def change_events(self, match: Match, change: Change) -> None:
        """Pass each event of the watches that match through ``change``, until `clear`."""
        with self._lock:
            self._changes.append((match, change))

    # How it works.

    def _open(self, match: Match) -> list[_Watch]:
        return [w for w in tuple(self._watches) if not w.silent and match(w.call)]

    def _run(self, work: Awaitable[Any]) -> Any:
        async def run() -> Any:
            return await work

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result(timeout=30)

    async def _start(self) -> int:
        for tls in (self._upstream.tls, self._upstream.anonymous_tls):
            connector = aiohttp.TCPConnector(limit=0, ssl=tls)
            limits = aiohttp.ClientTimeout(sock_connect=30)
            self._sessions.append(aiohttp.ClientSession(connector=connector, timeout=limits))
        app = web.Application(client_max_size=2**26)
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        port: int = self._runner.addresses[0][1]
        return port

    async def _stop(self) -> None:
        self._free.set()
        for watch in self._watches:
            watch.ended.set()
        assert self._runner is not None
        await self._runner.cleanup()
        for session in self._sessions:
            await session.close()
        await self._say_goodbye()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _say_goodbye(self) -> None:
        """Wait until every connection is closed, as those with TLS are a moment after their end.

        An API server that is away says none: it is not waited for longer than GOODBYE_SECONDS.
        """
        sockets = self._loop._selector.get_map()  # type: ignore[attr-defined]
        with suppress(TimeoutError):
            async with asyncio.timeout(GOODBYE_SECONDS):
                while len(sockets) > 1:  # The loop's own stays.
                    await asyncio.sleep(0.005)

    async def _let_go(self) -> None:
        self._free.set()
        self._free = asyncio.Event()

    def _faults(self, call: Call) -> tuple[float, Fault]:
        """Return for how long to delay a call, and what to do then."""
        delay = 0.0
        with self._lock:
            for rule in self._rules:
                if rule.left == 0 or not rule.match(call):
                    continue
                if rule.left is not None:
                    rule.left -= 1
                rule.met.append(call)
                if not isinstance(rule.fault, Delay):
                    return delay, rule.fault
                delay += rule.fault.seconds
        return delay, Pass()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        sent = await request.read()
        call = _call_of(request, sent)
        self.calls.append(call)
        delay, fault = self._faults(call)
        if delay:
            await asyncio.sleep(delay)
        try:
            return await self._act(request, call, sent, fault)
        except (aiohttp.ClientError, ConnectionError) as error:
            return _cut(request, f"the API server does not answer: {error!r}")

    async def _act(
        self, request: web.Request, call: Call, sent: bytes, fault: Fault
    ) -> web.StreamResponse:
        if isinstance(fault, Hang):
            await self._hang(request)
            if _left(request):
                return _cut(request, "the client left")
        if isinstance(fault, Answer | Cut):
            if fault.applied:
                async with self._ask(request, sent) as upstream:
                    call.answer, call.applied = await upstream.read(), upstream.status
            if isinstance(fault, Answer):
                return _tell(call, fault.status, fault.text(), fault.headers)
            if fault.then is not None:
                await asyncio.to_thread(fault.then)
            return _cut(request, "cut by the test")
        async with self._ask(request, sent) as upstream:
            call.applied = upstream.status
            if call.verb == "watch" and upstream.status == 200:
                return await self._stream(request, call, upstream)
            call.answer = await upstream.read()
            return _tell(call, upstream.status, call.answer, upstream.headers)

    async def _read(self, path: str) -> Json:
        token = self._upstream.token
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with self._sessions[0].get(self._upstream.server + path, headers=headers) as answer:
            text = await answer.text()
            if answer.status not in {200, 404}:
                raise AssertionError(f"{path}: {answer.status}: {text}")
            found: Json = json.loads(text) if answer.status == 200 else {}
            return found

    def _ask(self, request: web.Request, sent: bytes) -> Any:
        headers = {n: v for n, v in request.headers.items() if n.lower() not in _HOP_BY_HOP}
        bears = "Authorization" in request.headers
        if self._upstream.token and not bears:
            headers["Authorization"] = f"Bearer {self._upstream.token}"
        return self._sessions[1 if bears else 0].request(
            request.method,
            URL(self._upstream.server + request.raw_path, encoded=True),
            headers=headers,
            data=sent or None,
            allow_redirects=False,
            skip_auto_headers=("Accept-Encoding", "Content-Type", "User-Agent"),
        )

    async def _hang(self, request: web.Request) -> None:
        free = asyncio.create_task(self._free.wait())
        while not free.done() and not _left(request):
            await asyncio.wait({free}, timeout=0.2)
        free.cancel()

    async def _stream(
        self, request: web.Request, call: Call, upstream: aiohttp.ClientResponse
    ) -> web.StreamResponse:
        watch = await self._open_watch(request, call, upstream.headers["Content-Type"])
        pump = asyncio.create_task(self._pump(watch, upstream))
        ended = asyncio.create_task(watch.ended.wait())
        while not (pump.done() or ended.done() or _left(request)):
            await asyncio.wait({pump, ended}, timeout=0.5, return_when=asyncio.FIRST_COMPLETED)
        for task in (pump, ended):
            task.cancel()
        with suppress(asyncio.CancelledError, aiohttp.ClientError, ConnectionError):
            await pump
        return self._close_watch(watch)

    async def _open_watch(self, request: web.Request, call: Call, content_type: str) -> _Watch:
        response = web.StreamResponse(headers={"Content-Type": content_type})
        response.enable_chunked_encoding()
        await response.prepare(request)
        call.answered, call.status = time.monotonic(), 200
        watch = _Watch(call, response)
        self._watches.append(watch)
        return watch

    def _close_watch(self, watch: _Watch) -> web.StreamResponse:
        self._watches.remove(watch)
        return watch.response

    async def _pump(self, watch: _Watch, upstream: aiohttp.ClientResponse) -> None:
        rest = b""
        async for chunk in upstream.content.iter_any():
            *lines, rest = (rest + chunk).split(b"\n")
            for line in filter(None, lines):
                event = json.loads(line)
                self.events.append((watch.call, event))
                with self._lock:
                    changes = [change for match, change in self._changes if match(watch.call)]
                events = [event]
                for change in changes:
                    events = [after for before in events for after in change(before)]
                await _send(watch, events)
        while watch.silent:  # nobody is told that the connection is over
            await asyncio.sleep(0.2)


async def _send(watch: _Watch, events: Iterable[Json]) -> None:
    for event in events:
        if not watch.silent:
            with suppress(ConnectionError):  # The client left a moment ago.
                await watch.response.write(json.dumps(event).encode() + b"\n")


def _left(request: web.Request) -> bool:
    return request.transport is None or request.transport.is_closing()


def _cut(request: web.Request, why: str) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=502, text=why)  # nobody hears it


def _tell(call: Call, status: int, body: bytes, headers: Mapping[str, str]) -> web.Response:
    call.answered, call.status = time.monotonic(), status
    kept = {n: v for n, v in headers.items() if n.lower() not in _HOP_BY_HOP}
    kept.setdefault("Content-Type", "application/json")
    return web.Response(status=status, body=body, headers=kept)


def _call_of(request: web.Request, sent: bytes) -> Call:
    """Read a request as the API server does before it asks RBAC."""
    call = Call(verb=request.method.lower(), path=request.path, query=dict(request.query))
    call.received = time.monotonic()
    with suppress(ValueError):
        body = json.loads(sent) if sent else {}
        call.body = body if isinstance(body, dict) else {}
    root, _, path = request.raw_path.partition("?")[0].removeprefix("/").partition("/")
    parts = [unquote(part) for part in path.split("/") if part]
    if root == "apis" and len(parts) > 2:
        call.group, parts = parts[0], parts[2:]
    elif root == "api" and len(parts) > 1:
        parts = parts[1:]
    else:
        return call
    if parts[0] == "namespaces" and len(parts) > 2 and parts[2] not in {"status", "finalize"}:
        call.namespace, parts = parts[1], parts[2:]
    call.resource, call.name, call.subresource = (*parts[:3], "", "")[:3]
    if request.method in {"GET", "HEAD"}:
        watching = request.query.get("watch") in {"true", "1"} and not call.name
        call.verb = "watch" if watching else "get" if call.name else "list"
    else:
        call.verb = _VERBS[request.method]
        if call.verb == "delete" and not call.name:
            call.verb = "deletecollection"
    return call
