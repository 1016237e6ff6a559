"""Spans of time, as people write and read them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from va_cli.durations import Deadline, age, duration_text, parse_duration

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("60", 60), ("60s", 60), ("1m30s", 90), ("2h", 7200), ("250ms", 0.25), ("1.5m", 90)],
)
def test_a_duration_is_read(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "soon", "0", "0s", "-1s", "1d", "1m 30s", "s", "inf"])
def test_what_is_none_is_refused_with_the_rule(text: str) -> None:
    with pytest.raises(ValueError, match="must be"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (119, "119s"),
        (120, "2m"),
        (125, "2m5s"),
        (600, "10m"),
        (10_799, "179m"),
        (10_800, "3h"),
        (11_000, "3h3m"),
        (40_000, "11h"),
        (172_800, "2d"),
        (180_000, "2d2h"),
        (864_000, "10d"),
        (70_000_000, "2y"),
    ],
)
def test_an_age_is_written_as_kubectl_does(seconds: int, text: str) -> None:
    assert age(NOW - timedelta(seconds=seconds), NOW) == text


def test_an_unknown_age() -> None:
    assert age(None, NOW) == "<unknown>"


def test_a_duration_is_written_shortly() -> None:
    assert [duration_text(s) for s in (0.2, 90, 600)] == ["0.2s", "90s", "10m"]


def test_a_deadline_passes() -> None:
    now = [0.0]
    deadline = Deadline.after(2, clock=lambda: now[0])
    assert (deadline.remaining, deadline.is_over) == (2, False)
    now[0] = 3.0
    assert (deadline.remaining, deadline.is_over) == (0, True)
