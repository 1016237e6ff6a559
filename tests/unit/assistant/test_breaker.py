"""When a model is left alone: the circuit and the budget of retries as values."""

from collections.abc import Iterable
from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

from va_assistant.breaker import Admission, Circuit, CircuitState, RetryBudget

CLOSED, HALF_OPEN, OPEN = CircuitState.CLOSED, CircuitState.HALF_OPEN, CircuitState.OPEN


def failed_at(moments: Iterable[float], circuit: Circuit | None = None) -> Circuit:
    """Return a circuit after failures of questions that it has let through."""
    circuit = circuit or Circuit()
    for moment in moments:
        circuit, admission = admitted(circuit, moment)
        circuit = circuit.failed(moment, admission)
    return circuit


def admitted(circuit: Circuit, now: float) -> tuple[Circuit, Admission]:
    found = circuit.admit(now)
    assert found
    return found


@pytest.mark.parametrize("apart", [0, 1, 40, 3600])
def test_five_failures_in_a_row_open_it_however_far_they_are_apart(apart: float) -> None:
    moments = [number * apart for number in range(5)]
    assert failed_at(moments[:4]).state(moments[3]) is CLOSED
    assert failed_at(moments).state(moments[4]) is OPEN


def test_an_answer_between_failures_starts_the_count_anew() -> None:
    assert failed_at([5, 6, 7, 8], failed_at([0, 1, 2, 3]).answered()).state(8) is CLOSED


def test_nothing_is_let_through_for_five_seconds_and_then_one_probe() -> None:
    opened = failed_at([0] * 5)
    assert opened.admit(4.9) is None
    assert opened.rest(4.9) == pytest.approx(0.1)
    assert opened.state(5) is HALF_OPEN
    probing, _ = admitted(opened, 5)
    assert probing.admit(5) is None
    assert probing.admit(60) is None


def test_a_probe_that_is_answered_closes_it() -> None:
    probing, _ = admitted(failed_at([0] * 5), 5)
    assert probing.answered().state(5) is CLOSED
    assert probing.answered().is_calm


def test_a_probe_that_fails_opens_it_for_five_seconds_more() -> None:
    probing, probe = admitted(failed_at([0] * 5), 5)
    again = probing.failed(7, probe)
    assert again.admit(11.9) is None
    assert again.admit(12)


def test_a_probe_that_showed_nothing_makes_room_for_the_next() -> None:
    probing, probe = admitted(failed_at([0] * 5), 5)
    assert probing.released(probe).admit(5)


def test_failures_of_calls_from_before_it_opened_do_not_keep_it_open() -> None:
    _, early = admitted(Circuit(), 0)
    opened = failed_at([0] * 5)
    assert opened.failed(4.9, early) == opened


def test_nor_do_they_end_a_probe_or_count_once_it_has_closed() -> None:
    _, early = admitted(Circuit(), 0)
    probing, _ = admitted(failed_at([0] * 5), 5)
    assert probing.failed(6, early) == probing
    assert probing.released(early) == probing
    assert probing.answered().failed(6, early).is_calm


def test_a_probe_of_before_does_not_end_the_next_one() -> None:
    probing, first = admitted(failed_at([0] * 5), 5)
    next_probing, _ = admitted(probing.failed(6, first), 11)
    assert next_probing.failed(12, first) == next_probing
    assert next_probing.released(first) == next_probing


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
