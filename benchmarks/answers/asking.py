"""What a way of answering is, for those who ask and those who answer."""

from collections.abc import Callable

from benchmarks.answers.cases import Case
from benchmarks.answers.judging import Said

Ask = Callable[[Case], Said]
"""Asks one question; raises `AskFailed`."""


class AskFailed(Exception):
    """No answer came, but an error."""


class AskLater(AskFailed):
    """No answer now, but perhaps in so many seconds."""

    def __init__(self, said: str, seconds: float) -> None:
        super().__init__(said)
        self.seconds = seconds
