"""Ten times as many questions as a pod takes at once: it answers those that it can, and lives.

`python -m benchmarks.assistant --parts overload` does the same for a minute with the defaults.
"""

import os
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from support.openai_stub import Stub, Turn
from support.serving import Served, fetch, serve, wait_for
from va_assistant.seats import LONGEST_LINE, WAIT_SECONDS
from va_assistant.server import SPARE_THREADS

SEATS = 4
QUESTION = "Which instrument is it, a cello?"
ANSWER_SECONDS = 0.2


@dataclass
class Crowd:
    """Clients that ask all the time, until they are told to stop."""

    served: Served
    answered: int = 0
    refusals: list[tuple[float, str | None]] = field(default_factory=list)
    """How long each refused question took, and its `Retry-After`."""

    others: list[str] = field(default_factory=list)
    stopping: threading.Event = field(default_factory=threading.Event)

    def ask(self) -> None:
        while not self.stopping.is_set():
            begin = time.monotonic()
            try:
                reply = self.served.ask(QUESTION)
            except OSError as error:
                self.others.append(repr(error))
                continue
            if reply.status == 200:
                self.answered += 1
            elif reply.status == 503 and reply.text.startswith("TooBusy: "):
                wait = reply.headers.get("Retry-After")
                self.refusals.append((time.monotonic() - begin, wait))
                self.stopping.wait(float(wait or 0) / 4)
            else:
                self.others.append(f"{reply.status} {reply.text}")


@contextmanager
def crowd(served: Served, clients: int) -> Iterator[Crowd]:
    """Yield clients that have begun to ask; they end with the block."""
    found = Crowd(served)
    threads = [threading.Thread(target=found.ask) for _ in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield found
    finally:
        found.stopping.set()
        for thread in threads:
            thread.join()


def rate(of: Crowd, answers: int) -> float:
    """Return the answers a second, over the next so many."""
    start, begin = of.answered, time.monotonic()
    wait_for(lambda: of.answered >= start + answers, 60)
    return answers / (time.monotonic() - begin)


def health_seconds(served: Served, port: int) -> float:
    begin = time.monotonic()
    assert fetch(port, "GET", "/health", None, {}).status == 200
    return time.monotonic() - begin


def test_under_ten_times_the_load_the_surplus_is_told_at_once_and_the_rest_is_answered(
    stub: Stub, tmp_path: Path
) -> None:
    stub.default = Turn(delay=ANSWER_SECONDS)
    limits = {"VA_ASSISTANT_MAX_QUESTIONS": str(SEATS)}
    with serve(tmp_path, stub, environment=limits) as served:
        served.wait_until_ready()
        with crowd(served, SEATS) as alone:
            peak = rate(alone, 20)
        with crowd(served, 10 * SEATS) as many:
            wait_for(lambda: len(many.refusals) > 10 * SEATS)
            under_load = rate(many, 40)
            waits = [
                health_seconds(served, port)
                for _ in range(20)
                for port in (served.port, served.probe_port)
            ]
            ready = served.probe("/ready").status
            threads = len(os.listdir(f"/proc/{served.process.pid}/task"))  # noqa: PTH208
        wait_for(lambda: "questions_in_flight 0.0" in served.probe("/metrics").text)
        assert served.ask(QUESTION).status == 200
        assert served.process.poll() is None
    assert not alone.refusals
    assert not many.others
    assert under_load > 0.7 * peak, (under_load, peak)
    seconds, retry_after = zip(*many.refusals, strict=True)
    assert set(retry_after) == {"1"}
    # The line before the door is as long as there are seats; the others do not wait at all.
    assert statistics.median(seconds) < WAIT_SECONDS / 2
    assert max(seconds) < WAIT_SECONDS + 2
    assert statistics.median(waits) < 0.05
    assert ready == 200
    assert threads < SEATS + LONGEST_LINE + SPARE_THREADS + 8
    assert "Traceback" not in served.log()
