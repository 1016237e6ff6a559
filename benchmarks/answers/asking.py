"""What a way of answering is, for those who ask and those who answer."""

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.answers.cases import Case
from benchmarks.answers.judging import Said

Ask = Callable[[Case], Said]
"""Asks one question; raises `AskFailed`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What stands beside an assistant in a pod."""

    url: str
    """Of the embedded model, without `/v1`."""

    reranker_port: int


NOTHING_BESIDE = Beside(url="http://127.0.0.1:9", reranker_port=9)
"""Where nothing listens: what asks a model all the same fails, and is counted so."""


class AskFailed(Exception):
    """No answer came, but an error."""


class AskLater(AskFailed):
    """No answer now, but perhaps in so many seconds."""

    def __init__(self, said: str, seconds: float) -> None:
        super().__init__(said)
        self.seconds = seconds
