"""The clients: `python -m benchmarks.assistant.load`, one job and one result a line, as JSON.

A process of its own, so that nothing of the benchmark's bookkeeping is in what it measures, and
sockets without a library between, because any HTTP client costs more than some of the servers.
"""

import asyncio
import gc
import json
import socket
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass, field

from benchmarks.assistant.responses import Response

REQUEST_SECONDS = 60.0


@dataclass(frozen=True, kw_only=True)
class Job:
    """Clients that ask one question after the other, each on a connection of its own."""

    port: int
    request: str
    expect: tuple[str, ...]
    """What the body of a good answer holds: the last word, and the mark of a stream's end."""

    kind: str = "ask"
    """`ask`: until the time is over; `hold`: ask once and read nothing until `release`;
    `leave`: ask and leave again, one client after the other."""

    clients: int = 1
    seconds: float = 0.0
    """After a warm-up of `warm_seconds`, which is not in the figures."""

    warm_seconds: float = 0.0
    leave_after: float = 0.0
    """Seconds from the question to the client's leaving."""

    takes_a_no: bool = False
    """Whether a client that gets 503 waits as long as `Retry-After` says; without that header it
    is a failure, as it is where this is False."""


@dataclass(kw_only=True)
class Result:
    """What the clients saw; times in milliseconds."""

    seconds: float = 0.0
    """From the end of the warm-up to the last answer."""

    asked: int = 0
    """Questions in all, with those of the warm-up."""

    times: list[float] = field(default_factory=list)
    """From a question's first byte sent to its answer's last byte."""

    firsts: list[float] = field(default_factory=list)
    """The same to the first byte of the answer's body."""

    refused: list[float] = field(default_factory=list)
    """From a question's first byte sent to the last byte of a 503 that says when to come back."""

    failures: dict[str, int] = field(default_factory=dict)
    left: list[float] = field(default_factory=list)
    """Moments of `time.monotonic` at which clients left."""


class Client(asyncio.Protocol):
    """One connection."""

    transport: asyncio.Transport | None = None

    def __init__(self) -> None:
        self._waiter: asyncio.Future[None] | None = None
        self._response = Response()
        self.first_at = 0.0

    @classmethod
    async def connected(cls, port: int) -> "Client":
        """Return a client with a connection."""
        loop = asyncio.get_running_loop()
        _, client = await loop.create_connection(cls, "127.0.0.1", port)
        return client

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what to write to."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101  # for the type checker
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Take a part of the response."""
        response = self._response
        response.feed(data)
        if response.begun and not self.first_at:
            self.first_at = time.perf_counter()
        if response.whole:
            self._done()

    def connection_lost(self, exc: Exception | None) -> None:
        """End what is under way."""
        del exc
        self.transport = None
        self._response.end()
        self._done()

    def _done(self) -> None:
        if self._waiter and not self._waiter.done():
            self._waiter.set_result(None)

    async def ask(self, request: bytes) -> Response:
        """Send a request and return the response, which is not whole where it was cut."""
        self._response, self.first_at = Response(), 0.0
        self._waiter = asyncio.get_running_loop().create_future()
        if self.transport is None:
            return self._response
        self.transport.write(request)
        await self._waiter
        return self._response


async def ask(job: Job) -> Result:
    """Ask with all clients until the time is over; what is under way then is finished."""
    result = Result()
    request = job.request.encode()
    expect = [text.encode() for text in job.expect]
    failures: Counter[str] = Counter()
    begin = time.perf_counter() + job.warm_seconds
    end = begin + job.seconds
    last = begin

    async def one() -> None:
        nonlocal last
        client: Client | None = None
        while (sent := time.perf_counter()) < end:
            if client is None or client.transport is None:
                client = await Client.connected(job.port)
            result.asked += 1
            try:
                response = await asyncio.wait_for(client.ask(request), REQUEST_SECONDS)
            except TimeoutError:
                failures["no answer in time"] += 1
                break
            now = time.perf_counter()
            wait = response.retry_after if job.takes_a_no and response.status == 503 else None
            if wait is not None:
                result.refused.append((now - sent) * 1000)
            elif fault := fault_of(response, expect):
                failures[fault] += 1
            elif sent >= begin:
                result.times.append((now - sent) * 1000)
                result.firsts.append((client.first_at - sent) * 1000)
                last = max(last, now)
            if response.closes and client.transport:
                client.transport.close()
                client = None
            if wait is not None:
                await asyncio.sleep(min(wait, max(end - now, 0)))
        if client and client.transport:
            client.transport.close()

    await asyncio.gather(*(one() for _ in range(job.clients)))
    result.seconds = last - begin
    result.failures = dict(failures)
    return result


def fault_of(response: Response, expect: list[bytes]) -> str | None:
    """Return what is wrong with a response; None where it is good."""
    if not response.status:
        return "no response"
    if response.status != 200:
        return f"{response.status}: {response.raw_body[:100].decode(errors='replace')}"
    if not response.whole:
        return "cut"
    missing = [text for text in expect if not response.holds(text)]
    return f"without {missing[0].decode()}" if missing else None


async def hold(job: Job) -> list[socket.socket]:
    """Ask with all clients and read nothing of what comes."""
    loop = asyncio.get_running_loop()
    held = []
    for _ in range(job.clients):
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        sock.setblocking(False)
        await loop.sock_connect(sock, ("127.0.0.1", job.port))
        await loop.sock_sendall(sock, job.request.encode())
        held.append(sock)
    return held


async def leave(job: Job) -> Result:
    """Ask and leave again, one client after the other."""
    result = Result()
    loop = asyncio.get_running_loop()
    for _ in range(job.clients):
        with socket.socket() as sock:
            sock.setblocking(False)
            await loop.sock_connect(sock, ("127.0.0.1", job.port))
            await loop.sock_sendall(sock, job.request.encode())
            await asyncio.sleep(job.leave_after)
        result.left.append(time.monotonic())
        result.asked += 1
    return result


def main() -> None:
    """Do the jobs as they come."""
    gc.freeze()
    gc.disable()  # a job is short; what it leaves is collected between two
    held: list[socket.socket] = []
    for line in sys.stdin:
        job = Job(**json.loads(line))
        result = Result()
        if job.kind == "ask":
            result = asyncio.run(ask(job))
        elif job.kind == "leave":
            result = asyncio.run(leave(job))
        elif job.kind == "hold":
            held = asyncio.run(hold(job))
        else:
            for sock in held:
                sock.close()
            held = []
        gc.collect()
        print(json.dumps(asdict(result)), flush=True)


if __name__ == "__main__":
    main()
