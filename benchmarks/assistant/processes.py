"""The processes of the benchmark: started on their cores, each ended by its own id."""

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.assistant.answers import Behaviour
from benchmarks.assistant.load import Job, Result
from benchmarks.usage import Usage, cpu_seconds, usage

ROOT = Path(__file__).resolve().parents[2]
SERVER_CORE = "0"
"""The one core of whoever is measured."""

START_SECONDS = 60.0


class DidNotStart(Exception):
    """A server was not there in time; the message has the end of its log."""


def other_cores() -> str:
    """Return the cores of the clients and of the stub, as `taskset` wants them."""
    last = (os.cpu_count() or 1) - 1
    return "1" if last <= 1 else f"1-{last}"


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port: int = sock.getsockname()[1]
        return port


@dataclass(frozen=True, kw_only=True)
class Server:
    """A process that serves HTTP, with its children and its log."""

    process: "subprocess.Popen[bytes]"
    log: Path
    started_at: float

    @classmethod
    def start(
        cls,
        command: Sequence[str],
        *,
        log: Path,
        cores: str = SERVER_CORE,
        environment: Mapping[str, str] | None = None,
    ) -> "Server":
        """Start it on its cores."""
        with log.open("wb") as out:
            process = subprocess.Popen(
                ["taskset", "--cpu-list", cores, *command], cwd=ROOT, stdout=out, stderr=out,
                env={**os.environ, **(environment or {})},
            )  # fmt: skip
        return cls(process=process, log=log, started_at=time.monotonic())

    def until_ok(self, port: int, path: str) -> float:
        """Wait until a GET is answered with 200; return the seconds since the start."""
        while time.monotonic() - self.started_at < START_SECONDS:
            if self.process.poll() is not None:
                break
            if status_of(port, path) == 200:
                return time.monotonic() - self.started_at
            time.sleep(0.005)
        raise DidNotStart(f"{path}: {self.log.read_text(errors='replace')[-2000:]}")

    def cpu_seconds(self) -> float:
        """Return the processor time of the process and its children so far."""
        return sum(map(cpu_seconds, self._tree()))

    def memory(self) -> Usage:
        """Return what the process and its children use together."""
        found = [asdict(usage(pid)) for pid in self._tree()]
        return Usage(**{name: sum(each[name] for each in found) for name in found[0]})

    def is_alive(self) -> bool:
        """Tell whether it has not ended."""
        return self.process.poll() is None

    def stop(self) -> None:
        """End it: politely, and after five seconds not."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(timeout=10)

    def _tree(self) -> list[int]:
        found = [self.process.pid]
        for pid in found:
            for children in Path(f"/proc/{pid}/task").glob("*/children"):
                found += [int(child) for child in children.read_text().split()]
        return found


class Clients:
    """The process of `load.py`."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            ["taskset", "--cpu-list", other_cores(), sys.executable, "-m",
             "benchmarks.assistant.load"],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def do(self, job: Job) -> Result:
        """Have a job done."""
        assert self._process.stdin is not None  # noqa: S101  # for the type checker
        assert self._process.stdout is not None  # noqa: S101
        self._process.stdin.write(json.dumps(asdict(job)) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise DidNotStart("the clients' process has ended")
        return Result(**json.loads(line))

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait(timeout=10)


class Upstream:
    """The process of `upstream.py`."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._server = Server.start(
            [sys.executable, "-m", "benchmarks.assistant.upstream", str(self.port)],
            log=folder / "upstream.log", cores=other_cores(),
        )  # fmt: skip
        self._server.until_ok(self.port, "/counts")

    @property
    def base_url(self) -> str:
        """What to ask."""
        return f"http://127.0.0.1:{self.port}/v1"

    def behave(self, behaviour: Behaviour) -> None:
        """Have it answer so from now on."""
        exchange(self.port, "POST", "/behaviour", json.dumps(asdict(behaviour)))

    def counts(self) -> dict[str, Any]:
        """Return what became of the requests."""
        counts: dict[str, Any] = json.loads(exchange(self.port, "GET", "/counts"))
        return counts

    def stop(self) -> None:
        """End it."""
        self._server.stop()


def exchange(port: int, method: str, path: str, body: str | None = None) -> bytes:
    """Ask once and return the body, whatever the status."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, path, body)
        return connection.getresponse().read()
    finally:
        connection.close()


def status_of(port: int, path: str) -> int:
    """Return the status of a GET, 0 where nobody answers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()
