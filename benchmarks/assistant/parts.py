"""What is measured, part by part."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, replace
from functools import partial

from benchmarks.assistant.answers import TEXT, Behaviour
from benchmarks.assistant.cells import Cell, Figures, cells, summary
from benchmarks.assistant.load import Job
from benchmarks.assistant.processes import Server, exchange
from benchmarks.assistant.stage import Stage
from benchmarks.assistant.ways import DIRECT, Way
from benchmarks.figures import median, percentile

PACED = Cell(tokens=64, delay=0.0, stream=True, clients=128, gap=0.02)
"""128 streams at once, a piece every 20 ms."""

STREAMS_EACH = 2
"""Streams that each client has to its end: no rate is told of them."""

AT_ONCE = 128
"""Questions that a pod takes at once where nothing is said."""

PEAK = Cell(tokens=1, delay=0.5, stream=False, clients=AT_ONCE)
"""As many clients as there is room for, with a model that is slow enough to fill it."""

SLOW_READERS = 64
LEAVERS = 10
LONG = Behaviour(tokens=4000, words=200)
"""An answer of 5 MB: more than the buffers of the system take."""

RESTING = 0.05
"""Processor seconds a second of a process that waits."""


def started(stage: Stage, times: int) -> list[Figures]:
    """Start each server alone, in turn; return seconds to health and ready, and its memory."""
    found = []
    for _ in range(times):
        for way in stage.ways:
            if way.name == DIRECT:
                continue
            stage.upstream.behave(Behaviour())
            server = way.start(stage.folder)
            try:
                port = way.probe_port or way.port
                health, ready = server.until_ok(port, way.health), server.until_ok(port, way.ready)
                cpu = server.cpu_seconds()
                time.sleep(1)
                memory = server.memory()
            finally:
                server.stop()
            found.append({
                "way": way.name, "health": health, "ready": ready, "cpu_seconds": cpu,
                "rss": memory.rss, "pss": memory.pss,
            })  # fmt: skip
    return found


def requests(
    stage: Stage, rounds: int, seconds: float, delays: Sequence[float], clients: Sequence[int]
) -> list[Figures]:
    """Return the turns of all ways in all settings, a round after the other."""
    found = []
    for number in range(rounds):
        for cell in cells(delays, clients):
            for way in _in_turn(stage.ways, number):
                if cell.stream and not way.streams:
                    continue
                turn = stage.turn(way, cell, seconds=seconds, warm_seconds=0.3)
                found.append({"way": way.name, "cell": cell.name, **asdict(cell), **turn})
    return found


def streams(stage: Stage, rounds: int, seconds: float) -> list[Figures]:
    """Return the turns of 128 clients that each have a stream open all the time."""
    found = []
    for number in range(rounds):
        for way in _in_turn(stage.ways, number):
            if way.streams:
                turn = stage.turn(
                    way, PACED, seconds=seconds, warm_seconds=0.0, answers_each=STREAMS_EACH
                )
                found.append({"way": way.name, "ideal": PACED.ideal, **turn})
    return found


def slow_readers(stage: Stage) -> list[Figures]:
    """Return what others wait for, and the probes, while some read nothing of long answers."""
    found = []
    one = Cell(tokens=1, delay=0.0, stream=False, clients=4)
    for way in stage.ways:
        if way.name == DIRECT or not way.streams:
            continue
        alone = stage.turn(way, one, seconds=2, warm_seconds=0.3)
        stage.upstream.behave(LONG)
        holding = Job(
            port=way.port, request=way.request(stream=True), expect=(), kind="hold",
            clients=SLOW_READERS,
        )  # fmt: skip
        asked = stage.upstream.counts()["asked"]
        stage.clients.do(holding)
        _until(partial(_has_asked, stage, asked + SLOW_READERS))
        began = time.monotonic()
        _until(partial(_rests, stage.servers[way.name]), within=60)
        filled = time.monotonic() - began
        beside = stage.turn(way, one, seconds=4, warm_seconds=0.3)
        probes = _probe_times(way)
        held = _in_flight(way)
        stage.clients.do(replace(holding, kind="release"))
        found.append({
            "way": way.name, "alone_p50": alone["p50"], "alone_p99": alone["p99"],
            "p50": beside["p50"], "p99": beside["p99"], "failures": beside["failures"],
            "probe_p50": median(probes), "probe_p99": percentile(probes, 0.99), "held": held,
            "filled": filled,
        })  # fmt: skip
        time.sleep(1)
    return found


def overload(stage: Stage, seconds: float) -> list[Figures]:
    """Return what a pod still does with ten times the clients that it has room for."""
    found = []
    for way in stage.ways:
        if not way.probe_port:
            continue
        peak = stage.turn(way, PEAK, seconds=min(seconds, 10.0), warm_seconds=1.0)
        crowd = replace(PEAK, clients=10 * AT_ONCE)
        # Who is always refused is not waited for: the time is what is given.
        job = replace(
            crowd.job(way, TEXT.read_text(), seconds=seconds, warm_seconds=2.0, answers_each=0),
            takes_a_no=True,
        )
        with ThreadPoolExecutor(1) as pool:
            asking = pool.submit(stage.clients.do, job)
            probes: dict[int, list[float]] = {way.port: [], way.probe_port: []}
            while not asking.done():
                for port, times in probes.items():
                    times.append(_probe_time(port, way.health))
                time.sleep(0.1)
        result = asking.result()
        rate = summary(result, None)["rate"]
        found.append({
            "way": way.name, "peak": peak["rate"], "rate": rate,
            "share": rate / peak["rate"] if rate and peak["rate"] else None,
            "p99": percentile(result.times, 0.99) if result.times else None,
            "refused": len(result.refused),
            "refused_p50": median(result.refused) if result.refused else None,
            "refused_p99": percentile(result.refused, 0.99) if result.refused else None,
            "health_p50": median(probes[way.port]), "health_p99": percentile(
                probes[way.port], 0.99),
            "probe_p50": median(probes[way.probe_port]), "probe_p99": percentile(
                probes[way.probe_port], 0.99),
            "failures": result.failures, "lives": stage.servers[way.name].is_alive(),
        })  # fmt: skip
    return found


def leavers(stage: Stage) -> list[Figures]:
    """Return how long after a client's leaving the stub saw its call closed."""
    found = []
    cases = {
        "before the first piece": (True, Behaviour(tokens=50, delay=20)),
        "in mid-stream": (True, Behaviour(tokens=2000, gap=0.02)),
        "before a whole answer": (False, Behaviour(tokens=50, delay=20)),
    }
    for name, (stream, behaviour) in cases.items():
        for way in stage.ways:
            if stream and not way.streams:
                continue
            stage.upstream.behave(behaviour)
            before = len(stage.upstream.counts()["cut"])
            job = Job(
                port=way.port, request=way.request(stream=stream), expect=(), kind="leave",
                clients=LEAVERS, leave_after=0.2,
            )  # fmt: skip
            left = stage.clients.do(job).left
            _until(partial(_has_cut, stage, before + LEAVERS), within=5)
            cut = sorted(_cut(stage)[before:])
            waits = [c - mine for c, mine in zip(cut, left, strict=False)]
            found.append({
                "case": name, "way": way.name, "left": LEAVERS, "seen": len(cut),
                "worst": max(waits, default=None),
            })  # fmt: skip
    return found


def memory(stage: Stage) -> list[Figures]:
    """Return what each server uses after all of its work, and used at most."""
    return [{"way": name, **asdict(server.memory())} for name, server in stage.servers.items()]


def _in_turn(ways: Sequence[Way], number: int) -> Sequence[Way]:
    """Return the ways, every other round in the other order."""
    return ways if number % 2 == 0 else ways[::-1]


def _has_asked(stage: Stage, number: int) -> bool:
    asked: int = stage.upstream.counts()["asked"]
    return asked >= number


def _rests(server: Server) -> bool:
    """Tell whether a process did next to nothing for a second: all that it sends to is full."""
    before = server.cpu_seconds()
    time.sleep(1)
    return server.cpu_seconds() - before < RESTING


def _has_cut(stage: Stage, number: int) -> bool:
    return len(_cut(stage)) >= number


def _cut(stage: Stage) -> list[float]:
    cut: list[float] = stage.upstream.counts()["cut"]
    return cut


def _until(met: Callable[[], bool], *, within: float = 20) -> bool:
    """Wait for a condition; what does not come to pass is a finding, not a fault."""
    ends = time.monotonic() + within
    while not met():
        if time.monotonic() > ends:
            return False
        time.sleep(0.05)
    return True


def _probe_times(way: Way) -> list[float]:
    return [_probe_time(way.probe_port or way.port, way.health) for _ in range(100)]


def _probe_time(port: int, path: str) -> float:
    """Return the milliseconds of a probe, also of one that nobody answers in time."""
    begin = time.perf_counter()
    with suppress(OSError):
        exchange(port, "GET", path)
    return (time.perf_counter() - begin) * 1000


def _in_flight(way: Way) -> float | None:
    """Return how many questions an assistant says that it works on."""
    if not way.probe_port:
        return None
    for line in exchange(way.probe_port, "GET", "/metrics").decode().splitlines():
        if line.startswith("va_assistant_questions_in_flight "):
            return float(line.split()[1])
    return None
