"""No question, text or answer makes a pattern search for longer than it is worth.

`re` holds the interpreter while it searches, so the probes would wait, too.
"""

import importlib
import pkgutil
import re
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product

import pytest

import va_assistant
from va_assistant.answerability import Refusal, nature

CHARACTERS = 240
"""Enough to tell what doubles with each word from what grows with the text."""

SECONDS = 2.0
FRAGMENTS = (
    ", and",
    "please, ",
    "hi ",
    "who is ",
    "1,",
    "1 ",
    "- ",
    "a ",
    "The ",
    "Aa Bb ",
    "the first ",
    "how many ",
    "no ",
    "ignore the ",
    "write me ",
    "x.y ",
    "http://a/",
    '"',
    "(",
    "|",
    "\n",
    "\t ",
)


class TooLongError(Exception):
    """A pattern still searches."""


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    def stop(*_: object) -> None:
        raise TooLongError

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def patterns() -> list[tuple[str, re.Pattern[str]]]:
    found = []
    for module in pkgutil.iter_modules(va_assistant.__path__, "va_assistant."):
        for name, value in vars(importlib.import_module(module.name)).items():
            if isinstance(value, re.Pattern) and isinstance(value.pattern, str):
                found.append((f"{module.name}.{name}", value))
    return found


@pytest.mark.parametrize(
    ("name", "pattern"), patterns(), ids=lambda at: at if isinstance(at, str) else ""
)
def test_a_pattern_meets_repeated_words_without_doubling_its_time(
    name: str, pattern: re.Pattern[str]
) -> None:
    for one, end in product(FRAGMENTS, ("", "\x01z")):
        text = one * (CHARACTERS // len(one)) + end
        try:
            with limited(SECONDS):
                pattern.search(text)
                pattern.fullmatch(text)
        except TooLongError:
            pytest.fail(f"{name} searches {one!r} again and again for over {SECONDS:g} s")


@pytest.mark.parametrize("word", [", and", "please, ", "hey! ", "now --- "])
def test_a_long_row_of_polite_words_is_told_apart_at_once(word: str) -> None:
    started = time.monotonic()
    with limited(SECONDS):
        nature(word * 10_000)
    assert time.monotonic() - started < SECONDS / 2


def test_polite_words_before_an_order_change_nothing() -> None:
    assert nature("Hello, could you, please, write a poem?") is Refusal.OFF_TOPIC
    assert nature(", and now: sing!") is Refusal.OFF_TOPIC
