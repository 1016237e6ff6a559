"""How often may be asked: bounded in every window of time, and fair."""

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from va_assistant.limits import Limits, Rates


def limits(per_client: int = 0, in_all: int = 0, **more: int) -> Limits:
    return Limits(Rates(per_client=per_client, in_all=in_all), **more)


def test_a_minutes_worth_may_come_at_once_and_then_one_at_a_time() -> None:
    counted = limits(per_client=6)
    assert [counted.take("a", 100.0) for _ in range(6)] == [0] * 6
    assert counted.take("a", 100.0) == pytest.approx(10)
    assert counted.take("a", 109.9) == pytest.approx(0.1)
    assert counted.take("a", 110.1) == 0
    assert counted.take("a", 110.2) > 0


def test_one_client_takes_nothing_from_another() -> None:
    counted = limits(per_client=1)
    assert counted.take("a", 0) == 0
    assert counted.take("a", 0) > 0
    assert counted.take("b", 0) == 0


def test_all_together_have_a_limit_too() -> None:
    counted = limits(per_client=2, in_all=3)
    assert [counted.take(client, 0) for client in "aabbc"] == [0, 0, 0, 20, 20]


def test_what_is_refused_counts_for_nothing() -> None:
    counted = limits(per_client=1, in_all=2)
    counted.take("a", 0)
    for _ in range(100):
        assert counted.take("a", 0) > 0
    assert counted.take("b", 0) == 0


def test_zero_is_no_limit_and_remembers_nobody() -> None:
    counted = limits()
    assert not any(counted.take(str(n), 0) for n in range(10_000))
    assert len(counted) == 0


def test_a_clock_that_stands_still_or_goes_back_gives_nothing() -> None:
    counted = limits(per_client=1)
    assert counted.take("a", 100) == 0
    assert counted.take("a", 50) > 0
    assert counted.take("a", 100) > 0
    assert counted.take("a", 161) == 0


def test_the_one_who_asked_last_longest_ago_is_forgotten_first() -> None:
    counted = limits(per_client=1, most_clients=2)
    for client in ("a", "b", "a", "c"):
        counted.take(client, 0)
    assert len(counted) == 2
    assert counted.take("a", 0) > 0
    assert counted.take("b", 0) == 0


def test_a_flood_of_addresses_takes_little_memory() -> None:
    counted = limits(per_client=60, in_all=300)
    tracemalloc.start()
    try:
        for number in range(50_000):
            counted.take(f"192.0.2.{number}", number / 1000)
        used, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert used < 2_000_000


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 20)), max_size=200),
    st.integers(1, 20),
    st.integers(1, 30),
)
def test_no_window_lets_through_more_than_a_minutes_worth_and_its_share(
    asked: list[tuple[str, float]], per_client: int, in_all: int
) -> None:
    counted = limits(per_client=per_client, in_all=in_all)
    now, let_in = 0.0, []
    for client, pause in asked:
        now += pause
        if not counted.take(client, now):
            let_in.append((client, now))
    for start in range(len(let_in)):
        for end in range(start, len(let_in)):
            share = (let_in[end][1] - let_in[start][1]) / 60 + 1
            window = [client for client, _ in let_in[start : end + 1]]
            assert len(window) <= in_all * share + 1e-6
            assert max(map(window.count, "abc")) <= per_client * share + 1e-6


@given(st.integers(1, 1000), st.integers(1, 2000))
def test_whoever_waits_as_long_as_is_said_is_let_in(per_client: int, asked: int) -> None:
    counted = limits(per_client=per_client)
    for _ in range(per_client + asked):
        counted.take("a", 0)
    wait = counted.take("a", 0)
    assert counted.take("a", wait + 1e-6) == 0


def test_what_met_no_room_is_given_back_and_no_more_than_that() -> None:
    counted = limits(per_client=2, in_all=2)
    counted.give_back("a")
    assert [counted.take("a", 0) for _ in range(2)] == [0, 0]
    assert counted.take("a", 0) > 0
    counted.give_back("a")
    assert counted.take("a", 0) == 0
    assert counted.take("a", 0) > 0
