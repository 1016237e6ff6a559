"""The servers, the stub and the clients while they run, and one turn of a way."""

import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.assistant.answers import TEXT
from benchmarks.assistant.cells import ANSWERS_EACH, Cell, Figures, summary
from benchmarks.assistant.processes import Clients, Server, Upstream
from benchmarks.assistant.ways import DIRECT, Way, ways


@dataclass(frozen=True)
class Stage:
    """All that runs."""

    upstream: Upstream
    clients: Clients
    ways: Sequence[Way]
    servers: dict[str, Server]
    folder: Path

    def turn(
        self,
        way: Way,
        cell: Cell,
        *,
        seconds: float,
        warm_seconds: float,
        answers_each: int = ANSWERS_EACH,
    ) -> Figures:
        """Measure one way in one setting, until the time is over and each client was answered."""
        self.upstream.behave(cell.behaviour)
        job = cell.job(
            way, TEXT.read_text(), seconds=seconds, warm_seconds=warm_seconds,
            answers_each=answers_each,
        )  # fmt: skip
        server = self.servers.get(way.name)
        if server is None:
            return summary(self.clients.do(job), None) | {"cores": None}
        before, begin = server.cpu_seconds(), time.monotonic()
        result = self.clients.do(job)
        spent = server.cpu_seconds() - before
        return summary(result, spent) | {"cores": spent / (time.monotonic() - begin)}

    def start_all(self) -> None:
        """Start every server and wait until each is ready."""
        for way in self.ways:
            if way.name != DIRECT:
                server = self.servers[way.name] = way.start(self.folder)
                server.until_ok(way.probe_port or way.port, way.ready)

    def stop_all(self) -> None:
        """End every server."""
        while self.servers:
            self.servers.popitem()[1].stop()


@contextmanager
def stage(names: list[str]) -> Iterator[Stage]:
    """Set up the stub and the clients for some ways; no server runs yet."""
    with tempfile.TemporaryDirectory(prefix="va-bench-") as name:
        folder = Path(name)
        upstream = Upstream(folder)
        clients = Clients()
        found = Stage(upstream, clients, ways(upstream.port, folder, names), {}, folder)
        try:
            yield found
        finally:
            found.stop_all()
            clients.stop()
            upstream.stop()
