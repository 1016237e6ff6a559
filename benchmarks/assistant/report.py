"""The tables: what was measured, beside what is asked for; pure."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from benchmarks.assistant.cells import Figures, added, failures, middle
from benchmarks.assistant.ways import ASSISTANT, DIRECT, LITELLM, ORIGINAL
from benchmarks.figures import median
from benchmarks.machine import sentence
from benchmarks.tables import table

ORDER = (DIRECT, ASSISTANT, LITELLM, ORIGINAL)


def report(found: Figures) -> str:
    """Return the whole page."""
    parts = found["parts"]
    text = [
        "# What was measured",
        (
            f"{sentence(found['machine'])} Written by `python -m benchmarks.assistant`; "
            "the README says how each figure is made. Times in ms, medians over the rounds."
        ),
    ]
    if "requests" in parts:
        text += [
            "## The goals",
            goals(found),
            "Times: by how many times ours is the better figure.",
        ]
    if "start" in parts:
        text += ["## Start and memory", start_section(parts["start"], parts.get("memory", []))]
    if "requests" in parts:
        turns = parts["requests"]
        text += ["## Processor time and rate", cost_section(turns)]
        text += ["## Added to the direct way", added_section(turns)]
    if "streams" in parts:
        text += [
            "## 128 streams open at once, a piece every 20 ms",
            stream_section(parts["streams"]),
        ]
    if "slow" in parts:
        text += ["## Beside 64 clients that read nothing", slow_section(parts["slow"])]
    if "overload" in parts:
        text += [
            "## Ten times as many clients as there is room for",
            overload_section(parts["overload"]),
        ]
    if "leave" in parts:
        text += ["## Clients that leave", leave_section(parts["leave"])]
    if rows := failed(parts):
        text += ["## What failed", table(("part", "way", "setting", "what", "times"), rows)]
    if "embedded" in parts:
        text += ["## The embedded model", embedded_section(parts["embedded"])]
    return "\n\n".join(text) + "\n"


def goals(found: Figures) -> str:
    """Return each goal with the setting in which it is judged, what was reached, and LiteLLM's."""
    parts = found["parts"]
    turns = parts["requests"]
    lone, busy = _at_once(turns, min), _at_once(turns, max)
    rows: list[tuple[object, ...]] = []
    if lone:
        direct = _own(lone, DIRECT)
        over = [added(_own(lone, way), direct, "p50") for way in (ASSISTANT, LITELLM)]
        rows.append(("p50 added, ms", lone[0]["cell"], "under 1", *_beside(*over)))
    for cell in (lone, busy) if lone != busy else (lone,):
        if cell:
            name = cell[0]["cell"]
            rows.append(("processor ms a request", name, "under 1.1", *_both(cell, "cpu_ms")))
    if busy:
        name = busy[0]["cell"]
        rows += [
            (
                "requests per second per core",
                name,
                "10 times LiteLLM's",
                *_both(busy, "rate", more=True),
            ),
            ("p99, ms", name, "lower than LiteLLM's", *_both(busy, "p99")),
        ]
    memory, starts = parts.get("memory", ()), parts.get("start", ())
    if _own(memory, ASSISTANT):
        rows.append(
            ("MB under load", "RSS, all of this run", "under 80", *_both(memory, "peak_rss"))
        )
    if _own(starts, ASSISTANT):
        rows.append(("seconds to ready", "started alone", "under 0.8", *_both(starts, "ready")))
    streams = parts.get("streams", ())
    if paced := _own(streams, ASSISTANT):
        name = "128 streams, a piece every 20 ms"
        ideal, peer = paced[0]["ideal"], _own(streams, LITELLM)
        shares = [p99 and p99 / ideal for p99 in (middle(own, "p99") for own in (paced, peer))]
        rows += [
            ("p99 of the ideal", name, "within 1.3", *_beside(*shares)),
            ("dropped", name, "none", failures(paced), failures(peer) if peer else "", ""),
        ]
    head = ("what", "setting", "goal", ASSISTANT, LITELLM, "times")
    return table(head, rows)


def start_section(starts: Sequence[Figures], memory: Sequence[Figures]) -> str:
    """Return how soon each server is there and what it takes."""
    loaded = {each["way"]: each for each in memory}
    rows = []
    for way in ORDER:
        if own := _own(starts, way):
            after = loaded.get(way, {})
            rows.append((
                way, *(median(each[name] for each in own) for name in (
                    "health", "ready", "cpu_seconds", "rss", "pss")),
                _number(after.get("peak_rss")), _number(after.get("pss")),
            ))  # fmt: skip
    head = ("way", "s to health", "s to ready", "processor s", "RSS MB idle", "PSS idle",
            "RSS MB under load", "PSS after load")  # fmt: skip
    return table(head, rows)


def cost_section(turns: Sequence[Figures]) -> str:
    """Return what a request costs where the upstream takes no time."""
    rows = []
    for cell in _cells(turns):
        here = [turn for turn in turns if turn["cell"] == cell]
        if here[0]["delay"]:
            continue
        names = ("cpu_ms", "rate", "p50", "p99", "first_p50")
        rows += [
            (cell, way, *(_number(middle(own, name)) for name in names), failures(own))
            for way in ORDER
            if (own := _own(here, way))
        ]
    head = ("upstream and clients", "way", "processor ms", "per s", "p50", "p99",
            "first p50", "failures")  # fmt: skip
    return table(head, rows)


def added_section(turns: Sequence[Figures]) -> str:
    """Return what each way adds to the direct one."""
    rows = []
    for cell in _cells(turns):
        here = [turn for turn in turns if turn["cell"] == cell]
        direct = _own(here, DIRECT)
        for way in ORDER[1:]:
            if own := _own(here, way):
                names = ("p50", "p99", "first_p50", "first_p99")
                rows.append((
                    cell, way, *(_number(added(own, direct, name)) for name in names),
                    _number(middle(own, "rate")), failures(own),
                ))  # fmt: skip
    head = ("upstream and clients", "way", "p50", "p99", "first p50", "first p99",
            "per s", "failures")  # fmt: skip
    return table(head, rows)


def stream_section(turns: Sequence[Figures]) -> str:
    """Return how long the paced streams took, of their ideal."""
    rows = []
    for way in ORDER:
        if own := _own(turns, way):
            ideal = own[0]["ideal"]
            p99 = middle(own, "p99")
            rows.append((
                way, sum(each["count"] for each in own), failures(own),
                _number(middle(own, "p50")), _number(p99), _number(p99 and p99 / ideal),
                _number(middle(own, "first_p50")), _number(middle(own, "cores")),
            ))  # fmt: skip
    head = ("way", "streams", "dropped", "p50", "p99", "p99 of ideal", "first p50", "cores")
    return table(head, rows)


def slow_section(found: Sequence[Figures]) -> str:
    """Return what others waited for."""
    rows = [
        (each["way"], _number(each["filled"]), _number(each["alone_p50"]),
         _number(each["alone_p99"]), _number(each["p50"]), _number(each["p99"]), failures([each]),
         each["probe_p50"], each["probe_p99"], _number(each["held"]))
        for each in found
    ]  # fmt: skip
    head = ("way", "s to fill", "p50 alone", "p99 alone", "p50 beside", "p99 beside", "failures",
            "probe p50", "probe p99", "answers held")  # fmt: skip
    return table(head, rows)


def overload_section(found: Sequence[Figures]) -> str:
    """Return what was still answered, and how the others were refused."""
    rows = [
        (each["way"], _number(each["peak"]), _number(each["rate"]), _number(each["share"]),
         each["refused"],
         _number(each["refused_p50"]), _number(each["refused_p99"]), failures([each]),
         each["health_p50"], each["health_p99"], each["probe_p50"], each["probe_p99"],
         "yes" if each["lives"] else "no")
        for each in found
    ]  # fmt: skip
    head = ("way", "per s with room", "per s under load", "share", "refused", "refused p50",
            "refused p99", "failures", "health p50", "health p99", "probe p50", "probe p99",
            "lives")  # fmt: skip
    return table(head, rows)


def leave_section(found: Sequence[Figures]) -> str:
    """Return how soon the model server was told."""
    rows = [
        (each["case"], each["way"], f"{each['seen']} of {each['left']}", _number(each["worst"]))
        for each in found
    ]
    return table(("left", "way", "calls closed", "worst s"), rows)


def failed(parts: Figures) -> list[tuple[object, ...]]:
    """Return what went wrong where and how often; a way that answers nobody is among them."""
    counted: Counter[tuple[str, str, str, str]] = Counter()
    for part in ("requests", "streams", "slow", "overload"):
        for turn in parts.get(part, ()):
            for what, times in turn["failures"].items():
                counted[part, turn["way"], turn.get("cell", ""), what] += times
    return [(*where, times) for where, times in counted.items()]


def embedded_section(found: Sequence[Figures]) -> str:
    """Return both ways' first and later questions."""
    rows = []
    for who in ("assistant", "llama.cpp"):
        for title, first in (("first question", True), ("later questions", False)):
            own = [e for e in found if e["who"] == who and (e["question"] == 0) is first]
            if own:
                rows.append((
                    who, title, *(_number(middle(own, name)) for name in (
                        "first_ms", "per_second", "seconds", "tokens", "prompt", "cached",
                        "start", "rss")),
                ))  # fmt: skip
    head = ("who", "asked", "first token ms", "tokens per s", "seconds", "tokens", "prompt",
            "of it cached", "s to ready", "RSS MB")  # fmt: skip
    return table(head, rows)


def _own(turns: Iterable[Figures], way: str) -> list[Figures]:
    return [turn for turn in turns if turn["way"] == way]


def _cells(turns: Iterable[Figures]) -> list[str]:
    return list(dict.fromkeys(turn["cell"] for turn in turns))


def _at_once(turns: Sequence[Figures], which: Callable[[Iterable[int]], int]) -> list[Figures]:
    """Return the turns with one token, not streamed and at once, with the fewest or most clients.

    There a server has nothing to do but what it does for each request.
    """
    found = [turn for turn in turns if (turn["tokens"], turn["delay"], turn["stream"]) == (1, 0, 0)]
    return [turn for turn in found if turn["clients"] == which(t["clients"] for t in found)]


def _both(turns: Iterable[Figures], name: str, *, more: bool = False) -> tuple[object, ...]:
    """Return our figure, LiteLLM's, and by how many times ours is better."""
    found = list(turns)
    own, theirs = (middle(_own(found, way), name) for way in (ASSISTANT, LITELLM))
    return _beside(own, theirs, more=more)


def _beside(own: float | None, theirs: float | None, *, more: bool = False) -> tuple[object, ...]:
    """Return the same of two figures, of which less is better, or more."""
    better, worse = (own, theirs) if more else (theirs, own)
    times = better / worse if better and worse and min(better, worse) > 0 else None
    return _number(own), _number(theirs), _number(times)


def _number(value: float | None) -> float | str:
    return "" if value is None else float(value)
