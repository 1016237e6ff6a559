import math

from benchmarks.figures import median, per_second, percentile


def test_a_percentile_is_a_value_that_was_measured() -> None:
    values = [float(number) for number in range(100, 0, -1)]
    assert percentile(values, 0.5) == 50
    assert percentile(values, 0.99) == 99
    assert percentile(values, 1.0) == 100
    assert percentile([7.0], 0.99) == 7


def test_nothing_measured_is_not_a_number() -> None:
    assert math.isnan(percentile([], 0.5))
    assert math.isnan(median([]))


def test_moments_are_counted_by_the_second() -> None:
    assert per_second([10.1, 10.2, 11.0, 13.9], begin=10.0) == [2, 1, 0, 1]
    assert per_second([], begin=10.0) == []


def test_a_wider_second_keeps_the_rate() -> None:
    assert per_second([0.0, 0.5, 1.0, 1.5], begin=0.0, width=2.0) == [2]
