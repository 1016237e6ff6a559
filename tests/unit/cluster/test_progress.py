import io
import time

import pytest

from va_cluster import progress
from va_cluster.progress import Progress, duration


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.44, "0.4 s"), (12.4, "12 s"), (59.4, "59 s"), (243, "4 min 03 s"), (359.7, "6 min 00 s")],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_a_log_gets_lines_at_the_start_and_the_end() -> None:
    stream = io.StringIO()
    with Progress(stream).step("Building kind"):
        pass
    assert stream.getvalue() == "Building kind ...\nBuilding kind: done in 0.0 s\n"


def test_a_failure_is_said() -> None:
    stream = io.StringIO()
    with pytest.raises(RuntimeError), Progress(stream).step("Building kind"):
        raise RuntimeError
    assert stream.getvalue().endswith("Building kind: failed after 0.0 s\n")


def test_a_long_step_is_reported_while_it_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "PLAIN_PERIOD", 0.15)
    stream = io.StringIO()
    reporter = Progress(stream)
    with reporter.step("One"), reporter.step("Two"):
        time.sleep(0.5)
    still = [line for line in stream.getvalue().splitlines() if line.startswith("  still: ")]
    assert 1 <= len(still) <= 3
    assert still[0].startswith("  still: One (0.")
    assert "; Two (0." in still[0]


def test_a_terminal_shows_one_line_that_changes() -> None:
    stream = Terminal()
    reporter = Progress(stream)
    with reporter.step("Building kind"):
        time.sleep(0.25)
        reporter.say("A note")
    written = stream.getvalue()
    assert "Building kind (0." in written
    assert "\r" in written
    assert written.endswith("Building kind: done in 0.2 s\n") or "done in 0.3 s" in written
    assert "..." not in written
