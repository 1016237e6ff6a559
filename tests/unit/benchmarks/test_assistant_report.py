from typing import Any

from benchmarks.assistant.report import report

MACHINE = {
    "at": "2026-01-01 00:00 UTC", "cores": 2, "processor": "a processor", "python": "3.11.2",
    "kernel": "6", "load_before": "0.1",
}  # fmt: skip


def turn(way: str, **fields: Any) -> dict[str, Any]:
    return {
        "way": way, "cell": "0 ms, 1 tokens, whole, 1 clients", "tokens": 1, "delay": 0.0,
        "stream": False, "clients": 1, "gap": 0.0, "count": 500, "failures": {}, "rate": 900.0,
        "p50": 1.0, "p99": 2.0, "worst": 3.0, "first_p50": 1.0, "first_p99": 2.0, "cpu_ms": 1.0,
        **fields,
    }  # fmt: skip


def rows(page: str) -> set[tuple[str, ...]]:
    """Return the cells of every line of a table."""
    lines = (line for line in page.split("\n") if line.startswith("|"))
    return {tuple(cell.strip() for cell in line.strip("|").split("|")) for line in lines}


ONE, MANY = (f"0 ms, 1 tokens, whole, {clients} clients" for clients in (1, 64))


def test_each_goal_names_its_setting_and_stands_beside_litellms() -> None:
    requests = [
        turn("direct", p50=0.1, cpu_ms=None),
        turn("assistant", p50=0.85, cpu_ms=1.25),
        turn("litellm", p50=15.1, rate=60.0, cpu_ms=15.0),
        turn("direct", cell=MANY, clients=64, p50=1.6, cpu_ms=None),
        turn("assistant", cell=MANY, clients=64, rate=900.0, p99=144.0, cpu_ms=0.75),
        turn("litellm", cell=MANY, clients=64, rate=60.0, p99=1440.0, cpu_ms=15.0),
    ]
    peaks = {"assistant": 75.0, "litellm": 1185.0}
    memory = [{"way": way, "peak_rss": peak, "pss": 60.0} for way, peak in peaks.items()]
    start = {"way": "assistant", "health": 0.4, "cpu_seconds": 0.4, "rss": 65.0, "pss": 53.0}
    starts = [{**start, "ready": ready} for ready in (0.4, 0.5, 0.9)]
    parts = {"requests": requests, "memory": memory, "start": starts}
    told = rows(report({"machine": MACHINE, "parts": parts}))
    assert {
        ("p50 added, ms", ONE, "under 1", "0.75", "15", "20"),
        ("processor ms a request", ONE, "under 1.1", "1.25", "15", "12"),
        ("processor ms a request", MANY, "under 1.1", "0.75", "15", "20"),
        ("requests per second per core", MANY, "10 times LiteLLM's", "900", "60", "15"),
        ("p99, ms", MANY, "lower than LiteLLM's", "144", "1440", "10"),
        ("MB under load", "RSS, all of this run", "under 80", "75", "1185", "15.8"),
        ("seconds to ready", "started alone", "under 0.8", "0.5", "", ""),
    } <= told


def test_a_peer_that_answers_nobody_is_told_as_failed_and_is_no_measure() -> None:
    requests = [
        turn("direct"),
        turn("assistant"),
        turn("litellm", rate=None, p50=None, p99=None, failures={"no answer within 60 s": 64}),
    ]
    told = rows(report({"machine": MACHINE, "parts": {"requests": requests}}))
    assert ("requests per second per core", ONE, "10 times LiteLLM's", "900", "", "") in told
    assert ("requests", "litellm", ONE, "no answer within 60 s", "64") in told


def test_where_nothing_failed_nothing_is_said_of_it() -> None:
    page = report({"machine": MACHINE, "parts": {"requests": [turn("direct"), turn("assistant")]}})
    assert "failed" not in page


def test_a_way_that_was_not_measured_is_left_out() -> None:
    streams = [turn("assistant", ideal=1280.0, p99=1400.0, cores=0.5)]
    page = report({"machine": MACHINE, "parts": {"streams": streams}})
    assert "litellm" not in page
    assert "1.09" in page


def test_the_first_question_to_the_embedded_model_stands_apart() -> None:
    asked = {
        "who": "assistant", "first_ms": 900.0, "seconds": 1.2, "tokens": 12.0, "prompt": 800.0,
        "cached": 0.0, "per_second": 40.0, "start": 1.0, "rss": 300.0,
    }  # fmt: skip
    later = {**asked, "first_ms": 40.0, "cached": 780.0}
    found = [{**asked, "question": 0}, *({**later, "question": n} for n in (1, 2))]
    page = report({"machine": MACHINE, "parts": {"embedded": found}})
    first, later_line = (line for line in page.split("\n") if line.startswith("| assistant"))
    assert "900" in first
    assert "780" in later_line


def test_what_is_refused_under_load_is_told_beside_what_is_answered() -> None:
    found = {
        "way": "assistant", "peak": 250.0, "rate": 240.0, "share": 0.96, "p99": 700.0,
        "refused": 60_000, "refused_p50": 3.0, "refused_p99": 1010.0, "health_p50": 4.0,
        "health_p99": 30.0, "probe_p50": 2.0, "probe_p99": 9.0, "failures": {}, "lives": True,
    }  # fmt: skip
    page = report({"machine": MACHINE, "parts": {"overload": [found]}})
    [line] = [line for line in page.split("\n") if line.startswith("| assistant")]
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    assert cells[1:5] == ["250", "240", "0.96", "60000"]
    assert cells[-1] == "yes"
