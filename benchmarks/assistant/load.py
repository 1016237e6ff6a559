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
from contextlib import suppress
from dataclasses import asdict, dataclass, field

from benchmarks.assistant.crowd import Crowd
from benchmarks.assistant.responses import Response


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
    """How long is measured, at least."""

    answers_each: int = 0
    """Answers that each client has had before it ends: a slow way is measured for longer."""

    warm_seconds: float = 0.0
    """Of the warm-up, at least: it ends when every client has had an answer."""

    patience: float = 60.0
    """Seconds after which a client gives an answer up, and others are waited for no longer."""

    leave_after: float = 0.0
    """Seconds from the question to the client's leaving."""

    takes_a_no: bool = False
    """Whether a client that gets 503 waits as long as `Retry-After` says; without that header it
    is a failure, as it is where this is False."""


@dataclass(kw_only=True)
class Result:
    """What the clients saw; times in milliseconds."""

    seconds: float = 0.0
    """How long was measured, after the warm-up."""

    asked: int = 0
    """Questions in all, with those of the warm-up."""

    times: list[float] = field(default_factory=list)
    """From a question's first byte sent to its answer's last byte, of each good answer whose last
    byte came while it was measured, whenever the question was sent."""

    firsts: list[float] = field(default_factory=list)
    """The same to the first byte of the answer's body."""

    refused: list[float] = field(default_factory=list)
    """From a question's first byte sent to the last byte of a 503 that says when to come back; with
    those of the warm-up."""

    failures: dict[str, int] = field(default_factory=dict)
    """How often what was wrong, from the first question to the last; never empty where nothing
    was answered or refused."""

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
    """Ask with all clients until the time is over; what is under way then is finished.

    What completes within the time counts, whenever it was sent: the server worked for it
    meanwhile. So a way whose answers take longer than the warm-up is not measured too low.
    """
    result = Result()
    request = job.request.encode()
    expect = [text.encode() for text in job.expect]
    failures: Counter[str] = Counter()
    crowd = Crowd(job.clients)
    over = asyncio.Event()
    answers: list[tuple[float, float, float]] = []  # when asked, when begun, when complete

    async def one(number: int) -> None:
        client: Client | None = None
        while not over.is_set():
            sent = time.perf_counter()
            if client is None or client.transport is None:
                client = await Client.connected(job.port)
            result.asked += 1
            try:
                response = await asyncio.wait_for(client.ask(request), job.patience)
            except TimeoutError:
                failures[no_answer(job.patience)] += 1
                crowd.gone(number)
                break
            now = time.perf_counter()
            wait = response.retry_after if job.takes_a_no and response.status == 503 else None
            if wait is not None:
                result.refused.append((now - sent) * 1000)
            elif fault := fault_of(response, expect):
                failures[fault] += 1
            else:
                answers.append((sent, client.first_at, now))
            crowd.had(number)
            if response.closes and client.transport:
                client.transport.close()
                client = None
            if wait is not None:
                with suppress(TimeoutError):
                    await asyncio.wait_for(over.wait(), wait)
        if client and client.transport:
            client.transport.close()

    async with asyncio.TaskGroup() as group:
        for number in range(job.clients):
            group.create_task(one(number))
        await asyncio.gather(asyncio.sleep(job.warm_seconds), crowd.all_had(1, within=job.patience))
        begin = time.perf_counter()
        await asyncio.gather(
            asyncio.sleep(job.seconds), crowd.all_had(job.answers_each, within=job.patience)
        )
        end = time.perf_counter()
        over.set()
    counted = [answer for answer in answers if begin < answer[2] <= end]
    result.seconds = end - begin
    result.times = [(at - sent) * 1000 for sent, _, at in counted]
    result.firsts = [(first - sent) * 1000 for sent, first, _ in counted]
    if not (counted or failures or result.refused):
        failures[no_answer(job.seconds)] = job.clients
    result.failures = dict(failures)
    return result


def no_answer(seconds: float) -> str:
    """Return the failure of a client that waited in vain."""
    return f"no answer within {seconds:g} s"


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
