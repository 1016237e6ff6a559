"""Which known word an unknown one of a question is taken for."""

from collections.abc import Callable
from itertools import product
from pathlib import Path

import pytest

from va_assistant import spelling
from va_assistant.question_words import Term
from va_assistant.spelling import MOST_COMPARED, MOST_LOOKED_FOR, Spelling, distance
from va_assistant.stemming import stem
from va_assistant.vocabulary import is_word
from va_assistant.vocabulary import meant as vocabulary_meant

SLIPS_OF_PEOPLE = Path(__file__).parents[2] / "support" / "slips.txt"
RARE_WORDS = SLIPS_OF_PEOPLE.with_name("rare_words.txt")
TEXT = "Shoes can be borrowed. The treasurer is Lewis. Bicycles have a thread of 24 mm."
OF_THE_TEXT = {stem(word) for word in ("shoes", "bicycles", "treasurer", "lewis", "thread")}
SPELLING = Spelling([TEXT], stems=True)


def corrected(word: str) -> str:
    term = Term(term=stem(word), weight=1.0, written=word)
    [found] = SPELLING.corrected([term], {"shoe", "bicycle"}.__contains__)
    return found.term


def weight(word: str) -> float:
    term = Term(term=word, weight=1.0, written=word)
    [found] = SPELLING.corrected([term], frozenset().__contains__)
    return found.weight


@pytest.mark.parametrize(
    ("mistyped", "meant"),
    [("tresurer", "treasurer"), ("bicylces", "bicycles"), ("thred", "thread"), ("emial", "email")],
)
def test_a_word_that_nobody_knows_is_the_nearest_one(mistyped: str, meant: str) -> None:
    assert corrected(mistyped) == stem(meant)


@pytest.mark.parametrize(
    ("question", "meant"),
    [
        ("wat is teh tresurer paid", "what is the treasurer paid"),
        ("Do bicylces have a thred?", "Do bicycles have a thread?"),
        ("how many poeple, how quikly", "how many people, how quickly"),
        ("Are showers and shoes borrowed?", "Are showers and shoes borrowed?"),
        ("Where is Lewsi, and who is Notcie?", "Where is lewis, and who is Notcie?"),
        ("Who? Thred or Tresurer?", "Who? thread or treasurer?"),
        ("DO THEY GIVE NOTCIE", "DO THEY GIVE notice"),
        ("is it a@thred.exmaple/notcie or www.notcie.com", None),
        ("is notcie1 or notcie-2 ok", None),
        ("zzyzxqua", None),
        ("what is ⑴shoe, ⑴⑵ or ⒈⒉⒊⒋⒌⒍", None),
        ("Speek's shop", None),
        ("Where is Speek?", None),
        ("is it in mali, or with lego?", None),
    ],
)
def test_a_question_is_respelt_and_keeps_names_that_the_texts_lack(
    question: str, meant: str | None
) -> None:
    assert SPELLING.respelt(question, OF_THE_TEXT.__contains__) == (meant or question)


@pytest.mark.parametrize(
    ("slip", "stem", "word"), [("shiping", "ship", "shipping"), ("befor", "befor", "before")]
)
def test_a_slip_whose_stem_is_known_is_respelt(slip: str, stem: str, word: str) -> None:
    assert SPELLING.respelt(slip, {stem}.__contains__) == word


def test_a_word_of_the_texts_is_none_mistyped() -> None:
    spelling = Spelling(["A notcie is given."], stems=True)
    assert spelling.respelt("notcie", {stem("notcie")}.__contains__) == "notcie"


def test_of_words_equally_near_that_of_the_texts_is_meant() -> None:
    spelling = Spelling(["Bread and beans.", "Bears."], stems=True)
    assert spelling.respelt("beaas", frozenset().__contains__) == "beaas"
    assert spelling.respelt("beaas", {"bean"}.__contains__) == "beans"
    assert spelling.respelt("beaas", {"bear"}.__contains__) == "bears"


SLIPS = {
    "swapped": ("notcie", "notice"),
    "missing": ("quikly", "quickly"),
    "doubled": ("wellcome", "welcome"),
    "in a short word": ("staf", "staff"),
    "alike": ("speek", "speak"),
    "alike, not a vowel": ("distanse", "distance"),
    "of several, the commonest": ("corse", "course"),
    "too short for a letter that sounds alike": ("lino", None),
    "too short for any letter that is missing": ("chai", None),
    "not a common one": ("abdmen", "abdomen"),
    "not a common one, and short": ("abbi", None),
    "nothing is near": ("zzyzxqua", None),
    "a singular whose plural is known": ("acorn", None),
}
RARE = "paypal halal decaf crepe pilates tiler havent espresso hostel maestro kombucha".split()


@pytest.mark.parametrize(
    ("slip", "word"),
    [*SLIPS.values(), *((word, None) for word in RARE)],
)
def test_a_slip_is_taken_for_the_common_word_one_letter_away(slip: str, word: str | None) -> None:
    assert vocabulary_meant(slip) == word


def test_slips_that_people_make_are_put_right_and_words_that_are_rare_are_left() -> None:
    slips = [line.split() for line in SLIPS_OF_PEOPLE.read_text("ascii").splitlines()]
    read = [(SPELLING.respelt(slip, frozenset().__contains__), slip, word) for slip, word in slips]
    assert len([one for one in read if one[0] == one[2]]) >= 0.75 * len(slips)
    assert [one for one in read if one[0] not in one[1:]] == [("stret", "strret", "street")]
    rare = RARE_WORDS.read_text("ascii").split()
    changed = [word for word in rare if SPELLING.respelt(word, frozenset().__contains__) != word]
    assert len(changed) <= 0.04 * len(rare), changed


def test_a_word_longer_than_any_is_not_looked_for() -> None:
    assert vocabulary_meant("x" * 60_000) is None
    assert vocabulary_meant("überaschung") is None


def test_a_common_word_is_not_taken_for_one_of_the_texts() -> None:
    assert corrected("showers") == stem("showers")


def test_a_word_that_is_near_nothing_stays_as_it_is() -> None:
    assert corrected("zzyzxqua") == stem("zzyzxqua")


def test_a_small_word_mistyped_counts_for_nothing() -> None:
    assert weight("thier") == 0.0


def test_common_words_are_known_in_the_plural_too() -> None:
    assert is_word("pharmacist")
    assert is_word("pharmacists")
    assert not is_word("pharmasist")


def test_two_letters_swapped_in_a_small_word_are_no_other_word() -> None:
    assert weight("dose") == 0.0


def counted(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """Count how often two words are compared letter by letter."""
    calls = []

    def compared(one: str, other: str, limit: int) -> int:
        calls.append(other)
        return distance(one, other, limit)

    monkeypatch.setattr(spelling, "distance", compared)
    return lambda: len(calls)


def unknown(*words: str) -> list[Term]:
    return [Term(term=word, weight=1.0, written=word) for word in words]


def test_a_word_is_compared_with_few_of_many_of_the_same_letters(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    words = ["zq" + "".join(letters) for letters in product("rstvw", repeat=6)]
    of_many = Spelling([" ".join(words)], stems=False)
    compared = counted(monkeypatch)
    [found] = of_many.corrected(unknown("zqrrstvwx"), frozenset().__contains__)
    assert found.term in words
    assert 0 < compared() <= MOST_COMPARED


def test_a_slip_that_was_made_before_is_not_looked_for_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fresh = Spelling([TEXT], stems=True)
    compared = counted(monkeypatch)
    first = fresh.corrected(unknown("tresurer"), frozenset().__contains__)
    looked_for = compared()
    assert looked_for > 0
    assert fresh.corrected(unknown("tresurer"), frozenset().__contains__) == first
    assert compared() == looked_for


def test_of_many_slips_only_the_first_ones_are_looked_for() -> None:
    slips = [f"tresurer{'' if at == 0 else chr(96 + at)}" for at in range(MOST_LOOKED_FOR + 1)]
    found = SPELLING.corrected(unknown(*slips), frozenset().__contains__)
    meant = [term.term == stem("treasurer") for term in found]
    assert meant == [True] * MOST_LOOKED_FOR + [False]
