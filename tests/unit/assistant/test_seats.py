"""Room for so many at once, and a short line before the door."""

import threading
import time

from support.serving import wait_for
from va_assistant.seats import LONGEST_LINE, Seats


def test_whoever_finds_no_seat_in_time_is_told_so() -> None:
    seats = Seats(1)
    assert seats.take()
    started = time.monotonic()
    assert not seats.take(wait_seconds=0.05)
    assert 0.04 < time.monotonic() - started < 5


def test_a_seat_that_comes_free_goes_to_who_waits() -> None:
    seats = Seats(1)
    seats.take()
    got: list[bool] = []
    waiting = threading.Thread(target=lambda: got.append(seats.take(wait_seconds=20)))
    waiting.start()
    assert not got
    seats.leave()
    waiting.join(timeout=20)
    assert got == [True]


def test_the_line_is_short_and_one_more_is_told_at_once() -> None:
    seats = Seats(2)
    assert seats.line == 2
    seats.take()
    seats.take()
    done = threading.Event()
    outcomes: list[float] = []

    def hurry() -> None:
        started = time.monotonic()
        assert not seats.take(wait_seconds=20)
        outcomes.append(time.monotonic() - started)
        done.set()

    waiting = [
        threading.Thread(target=seats.take, kwargs={"wait_seconds": 20}, daemon=True)
        for _ in range(2)
    ]
    for thread in waiting:
        thread.start()
    wait_for(lambda: seats.waiting == 2)
    hurry()
    assert outcomes[0] < 5
    seats.leave()
    seats.leave()
    for thread in waiting:
        thread.join(timeout=20)
        assert not thread.is_alive()
    assert seats.waiting == 0


def test_the_line_never_holds_more_threads_than_are_spared_for_it() -> None:
    assert Seats(1000).line == LONGEST_LINE
    assert Seats(8).line == 8
