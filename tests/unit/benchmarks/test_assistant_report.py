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


def test_the_goals_are_told_with_what_was_reached() -> None:
    requests = [
        turn("direct", p50=0.1, cpu_ms=None),
        turn("assistant", p50=0.85, cpu_ms=0.75),
        turn("litellm", p50=12.0, rate=60.0, cpu_ms=15.0),
    ]
    page = report({"machine": MACHINE, "parts": {"requests": requests}})
    rows = {tuple(cell.strip() for cell in line.strip("|").split("|")) for line in page.split("\n")}
    assert ("p50 added, one client", "under 1 ms", "0.75") in rows
    assert ("processor ms a request", "under 1.1", "0.75") in rows
    assert ("requests a second, of LiteLLM's", "at least 10 times", "15") in rows
    assert ("the same by processor time", "at least 10 times", "20") in rows


def test_a_peer_without_an_answer_is_not_what_others_are_measured_by() -> None:
    requests = [turn("direct"), turn("assistant"), turn("litellm", rate=0.0, p50=None, p99=None)]
    page = report({"machine": MACHINE, "parts": {"requests": requests}})
    [line] = [line for line in page.split("\n") if "a second, of LiteLLM" in line]
    assert line.rstrip(" |").endswith("at least 10 times")


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
