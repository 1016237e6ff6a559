import pytest

from benchmarks.answers.cases import Case, Expectation
from benchmarks.answers.judging import (
    READ_CHARACTERS,
    Said,
    Verdict,
    has,
    has_fact_near,
    judge,
    normal,
)


def fact(**words: list[str]) -> Case:
    return Case(text="t.md", ask="?", set="dev", kind="plain", expect=Expectation.of(words))


NOT_THERE = Case(text="t.md", ask="?", set="dev", kind="near-miss", refuses=True)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("It costs 12.", "12"),
        ("It costs 12, or more", "12"),
        ("12 €", "12"),
        ("€12", "12"),
        ("BODØ in the north", "Bodø"),
        ("The **three\N{NO-BREAK SPACE}months** are over", "three months"),
        ("about 10 % less", "10%"),
        ("a two\u2011thirds majority", "two-thirds"),
        ("open at 5:00.", "5:00"),
    ],
)
def test_a_word_is_found_however_it_is_set(text: str, word: str) -> None:
    assert has(normal(text), word)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("It costs 12.50", "12"),
        ("It costs 112", "12"),
        ("It costs 1,12", "12"),
        ("at 15:00", "5:00"),
        ("at 5:30", "5"),
        ("I know", "no"),
        ("Oslofjord", "Oslo"),
    ],
)
def test_a_part_of_a_word_or_number_is_not_that_word(text: str, word: str) -> None:
    assert not has(normal(text), word)


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("It is 36 euros.", Verdict.RIGHT),
        ("It is 48 euros.", Verdict.WRONG),
        ("The text does not say that.", Verdict.UNANSWERED),
        ("There is no information but the price, 36.", Verdict.RIGHT),
        ("", Verdict.WRONG),
    ],
)
def test_a_fact_is_right_refused_or_wrong(text: str, verdict: Verdict) -> None:
    assert judge(fact(anyOf=["36"]), Said(text=text)) == verdict


def test_all_and_one_of_the_words_are_needed_and_none_of_the_others() -> None:
    case = fact(allOf=["Live", "Signe"], anyOf=["two", "2"], noneOf=["sons"])
    assert judge(case, Said(text="2: Live and Signe")) == Verdict.RIGHT
    assert judge(case, Said(text="2: Live")) == Verdict.WRONG
    assert judge(case, Said(text="Live and Signe")) == Verdict.WRONG
    assert judge(case, Said(text="Two sons, Live and Signe")) == Verdict.WRONG


def test_a_no_where_a_yes_is_due_is_wrong_whatever_follows() -> None:
    case = fact(anyOf=["yes", "married"])
    assert judge(case, Said(text="No, he is married.")) == Verdict.WRONG
    assert judge(case, Said(text="Yes.")) == Verdict.RIGHT
    assert judge(case, Said(text="He is married.")) == Verdict.RIGHT


def test_a_fact_behind_a_recital_of_the_text_does_not_count() -> None:
    text = "word " * (READ_CHARACTERS // 5) + "36"
    assert judge(fact(anyOf=["36"]), Said(text=text)) == Verdict.WRONG


def test_the_own_flag_counts_and_not_the_words() -> None:
    case = fact(anyOf=["36"])
    assert judge(case, Said(text="Perhaps 36", refused=True)) == Verdict.UNANSWERED
    assert judge(case, Said(text="The text does not say", refused=False)) == Verdict.WRONG
    assert judge(NOT_THERE, Said(text="Nothing on that.", refused=True)) == Verdict.REFUSED
    assert judge(NOT_THERE, Said(text="I do not know", refused=False)) == Verdict.INVENTED


@pytest.mark.parametrize(
    "text",
    [
        "The text does not say that.",
        "The salary isn't mentioned in the text.",
        "The provided text doesn't explicitly mention his salary.",
        "His street is not specified.",
        "I'm sorry, but I can't help with that.",
        "I don\u2019t have access to that.",
        "There is no tandem on the list.",
        "No information is given on this.",
        "It is unclear.",
        "Unfortunately we do not know.",
        "I am an assistant and cannot answer that, as I cannot see it.",
    ],
)
def test_a_refusal_is_known_by_its_words(text: str) -> None:
    assert judge(NOT_THERE, Said(text=text)) == Verdict.REFUSED


@pytest.mark.parametrize(
    "text",
    ["His salary is 900,000 kroner.", "Ahoy! My gold lies on Tortuga.", "He won it in 2019.", ""],
)
def test_an_invention_is_no_refusal(text: str) -> None:
    assert judge(NOT_THERE, Said(text=text)) == Verdict.INVENTED


def test_what_puts_a_question_right_is_as_good_as_a_refusal() -> None:
    case = Case(
        text="t.md", ask="?", set="dev", kind="presupposition", refuses=True,
        expect=Expectation.of({"anyOf": ["not for hire"]}),
    )  # fmt: skip
    assert judge(case, Said(text="By the week it is not for hire.", refused=False)) == (
        Verdict.REFUSED
    )
    assert judge(case, Said(text="It costs 300.")) == Verdict.INVENTED


def test_a_fact_that_stands_in_the_lines_beside_a_refusal_is_near_and_the_question_unanswered() -> (
    None
):
    case = fact(allOf=["36", "guilders"], noneOf=["50"])
    lines = ("No, it costs 36. " + "So it is. " * 70, "A dog costs 50.", "We take guilders.")
    said = Said(text="No idea.", refused=True, nearest=lines)
    assert judge(case, said) == Verdict.UNANSWERED
    assert has_fact_near(case, said)
    assert not has_fact_near(case, Said(text="No idea.", refused=True, nearest=lines[:2]))
    assert has_fact_near(fact(anyOf=["36", "37"]), said)
    assert not has_fact_near(fact(anyOf=["37"]), said)
    assert not has_fact_near(NOT_THERE, said)
    assert not has_fact_near(fact(allOf=["36"]), Said(text="No idea.", refused=True))
