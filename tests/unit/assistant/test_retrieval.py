"""How passages are found: always the same ones, and in no more time than a question is worth."""

import random
import time
from collections.abc import Callable, Iterable

import pytest

from va_assistant import concepts
from va_assistant.asking import MOST_TERMS, asked
from va_assistant.retrieval import MOST_ALIKE, Found, Index
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


def index_of(text: str) -> Index:
    return Index([ContextFile(name="a.md", text=text)])


def test_of_many_words_that_begin_alike_a_few_are_meant() -> None:
    endings = [chr(97 + at // 26) + chr(97 + at % 26) for at in range(2 * MOST_ALIKE)]
    index = index_of(" ".join(f"Das zifferblatt{ending}er." for ending in endings))
    found = index.search(asked("zifferblatt?", stems=False))
    assert sum(hit.own > 0 for hit in found.hits) == MOST_ALIKE


def test_a_question_of_slips_about_a_text_of_slips_is_studied_in_time() -> None:
    chance = random.Random(3)

    def word() -> str:
        return "a" + "".join(chance.choices("aeioulnrst", k=8))

    text = ".\n\n".join(" ".join(word() for _ in range(12)) for _ in range(2**20 // 122))
    index = index_of(text)
    question = " ".join(f"{word()}q" for _ in range(2 * MOST_TERMS))
    started = time.process_time()
    index.search(asked(question))
    # A third of a second here; 40 s where each word is compared with all others.
    assert time.process_time() - started < 5
