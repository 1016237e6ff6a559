"""How passages are found: always the same ones, and in no more time than a question is worth."""

from collections.abc import Callable, Iterable

import pytest

from va_assistant import concepts
from va_assistant.asking import asked
from va_assistant.retrieval import Found, Index
from va_assistant.revision import ContextFile

Order = Callable[[Iterable[str]], list[str]]


def backwards(terms: Iterable[str]) -> list[str]:
    return sorted(terms, reverse=True)


def found_with(order: Order, monkeypatch: pytest.MonkeyPatch) -> Found:
    """Look for two words of which one may be `pay` or `fee`, the other `pay` only."""
    with monkeypatch.context() as patch:
        real = concepts.mates
        patch.setattr(concepts, "mates", lambda term: order(real(term)))
        text = "The fee is due before you pay."
        return Index([ContextFile(name="a.md", text=text)]).search(asked("price invoice?"))


def test_words_that_do_equally_well_are_taken_in_one_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # The order of a set is another one in each process.
    (one,) = found_with(sorted, monkeypatch).hits
    (other,) = found_with(backwards, monkeypatch).hits
    assert (one.coverage, one.weakest) == (other.coverage, other.weakest)
