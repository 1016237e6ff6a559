"""What a way of answering is, for those who ask and those who answer."""

from collections.abc import Callable

from benchmarks.answers.cases import Case
from benchmarks.answers.judging import Said

Ask = Callable[[Case], Said]
"""Asks one question; raises `AskFailed`."""


class AskFailed(Exception):
    """No answer came, but an error."""
