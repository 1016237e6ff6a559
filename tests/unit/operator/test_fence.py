"""The fence: shut at first, open for what was earned, shut again by itself."""

import math
import time

import pytest

from va_operator.errors import Fenced
from va_operator.fence import Fence, clock


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_no_write_passes_before_it_is_opened() -> None:
    with pytest.raises(Fenced, match="the Lease is not held"):
        Fence().remaining()


def test_it_says_for_how_long_writes_pass_and_shuts_by_itself() -> None:
    time_ = Clock()
    fence = Fence(time_)
    fence.open(107)
    assert fence.remaining() == 7
    time_.now = 106.5
    assert fence.remaining() == 0.5
    time_.now = 107
    with pytest.raises(Fenced):
        fence.remaining()


def test_it_can_be_shut_at_once() -> None:
    fence = Fence(Clock())
    fence.open(107)
    fence.shut()
    with pytest.raises(Fenced):
        fence.remaining()


def test_without_a_lease_it_stays_open() -> None:
    fence = Fence()
    fence.open()
    assert fence.remaining() == math.inf


def test_the_clock_counts_while_the_machine_is_suspended() -> None:
    assert clock() == pytest.approx(time.clock_gettime(time.CLOCK_BOOTTIME), abs=1)
