"""When a model is left alone: the circuit and the budget of retries as values."""

from collections.abc import Iterable
from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

from va_assistant.breaker import Circuit, CircuitState, RetryBudget

CLOSED, HALF_OPEN, OPEN = CircuitState.CLOSED, CircuitState.HALF_OPEN, CircuitState.OPEN


def failed_at(moments: Iterable[float], circuit: Circuit | None = None) -> Circuit:
    return reduce(Circuit.failed, moments, circuit or Circuit())


def test_five_failures_within_ten_seconds_open_it() -> None:
    assert failed_at([0, 1, 2, 3]).state(3) is CLOSED
    assert failed_at([0, 1, 2, 3, 9.9]).state(9.9) is OPEN


def test_five_failures_over_a_longer_time_do_not() -> None:
    assert failed_at([0, 3, 6, 9, 12, 15, 18]).state(18) is CLOSED


def test_an_answer_between_failures_starts_the_count_anew() -> None:
    assert failed_at([5, 6, 7, 8], failed_at([0, 1, 2, 3]).answered()).state(8) is CLOSED


def test_nothing_is_let_through_for_five_seconds_and_then_one_probe() -> None:
    opened = failed_at([0] * 5)
    assert opened.admit(4.9) is None
    assert opened.rest(4.9) == pytest.approx(0.1)
    assert opened.state(5) is HALF_OPEN
    probing = opened.admit(5)
    assert probing
    assert probing.admit(5) is None
    assert probing.admit(60) is None


def test_a_probe_that_is_answered_closes_it() -> None:
    probing = failed_at([0] * 5).admit(5)
    assert probing
    assert probing.answered() == Circuit()


def test_a_probe_that_fails_opens_it_for_five_seconds_more() -> None:
    probing = failed_at([0] * 5).admit(5)
    assert probing
    again = probing.failed(7)
    assert again.admit(11.9) is None
    assert again.admit(12)


def test_a_probe_that_showed_nothing_makes_room_for_the_next() -> None:
    probing = failed_at([0] * 5).admit(5)
    assert probing
    assert probing.released().admit(5)


def test_failures_of_calls_from_before_it_opened_do_not_keep_it_open() -> None:
    late = failed_at([1, 2, 3, 4.9], failed_at([0] * 5))
    assert late.admit(5)


def test_each_ten_questions_make_one_retry_and_one_is_there_at_first() -> None:
    spent = RetryBudget().spend()
    assert spent
    assert spent.spend() is None
    for _ in range(9):
        spent = spent.asked()
    assert spent.spend() is None
    assert spent.asked().spend()


def test_a_quiet_time_saves_up_ten_retries_and_no_more() -> None:
    budget: RetryBudget | None = reduce(lambda b, _: b.asked(), range(1000), RetryBudget())
    retries = 0
    while budget := budget and budget.spend():
        retries += 1
    assert retries == 10


@given(st.lists(st.booleans(), max_size=400))
def test_retries_are_never_more_than_a_tenth_of_the_questions_and_the_first(
    wishes: list[bool],
) -> None:
    budget, retries = RetryBudget(), 0
    for wish in wishes:
        budget = budget.asked()
        if wish and (left := budget.spend()):
            budget, retries = left, retries + 1
    assert retries <= 1 + len(wishes) / 10
