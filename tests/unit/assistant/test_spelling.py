"""Which known word an unknown one of a question is taken for."""

import pytest

from va_assistant.question_words import Term
from va_assistant.spelling import Spelling
from va_assistant.stemming import stem
from va_assistant.vocabulary import is_word

TEXT = "Shoes can be borrowed. The treasurer is Lewis. Bicycles have a thread of 24 mm."
SPELLING = Spelling([TEXT], stems=True)


def corrected(word: str) -> str:
    term = Term(term=stem(word), weight=1.0, written=word)
    return SPELLING.corrected(term, {"shoe", "bicycle"}.__contains__).term


@pytest.mark.parametrize(
    ("mistyped", "meant"),
    [("tresurer", "treasurer"), ("bicylces", "bicycles"), ("thred", "thread"), ("emial", "email")],
)
def test_a_word_that_nobody_knows_is_the_nearest_one(mistyped: str, meant: str) -> None:
    assert corrected(mistyped) == stem(meant)


def test_a_common_word_is_not_taken_for_one_of_the_texts() -> None:
    assert corrected("showers") == stem("showers")


def test_a_word_that_is_near_nothing_stays_as_it_is() -> None:
    assert corrected("zzyzxqua") == stem("zzyzxqua")


def test_a_small_word_mistyped_counts_for_nothing() -> None:
    term = Term(term="thier", weight=1.0, written="thier")
    assert SPELLING.corrected(term, frozenset().__contains__).weight == 0.0


def test_common_words_are_known_in_the_plural_too() -> None:
    assert is_word("pharmacist")
    assert is_word("pharmacists")
    assert not is_word("pharmasist")


def test_two_letters_swapped_in_a_small_word_are_no_other_word() -> None:
    term = Term(term="dose", weight=1.0, written="dose")
    assert SPELLING.corrected(term, frozenset().__contains__).weight == 0.0
