"""The form in which words of texts and questions are compared."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from va_assistant.figures import number
from va_assistant.languages import is_english
from va_assistant.spelling import distance
from va_assistant.stemming import stem
from va_assistant.words import terms_of, tokens


@pytest.mark.parametrize(
    "family",
    [
        "manage manages managed managing management",
        "cancel cancels cancelled cancellation",
        "graduate graduated graduation",
        "pay pays paid payment",
        "refund refunds refunded refundable",
        "deliver delivers delivered delivery deliveries",
        "study studies studied studying",
        "price prices priced pricing",
        "hire hires hired hiring",
        "marry marries married wedding",
        "city cities",
        "close closest",
    ],
)
def test_forms_of_one_word_have_one_stem(family: str) -> None:
    assert len({stem(word) for word in family.split()}) == 1


@pytest.mark.parametrize(
    "pair",
    ["paper pap", "number numb", "news new", "class clas", "carry car", "care car", "butter but"],
)
def test_a_word_that_only_looks_like_a_form_is_kept(pair: str) -> None:
    one, other = pair.split()
    assert stem(one) != stem(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("\u20ac1,200.00", "1200 euros"),
        ("1.200,50 \u20ac", "EUR 1200.5"),
        ("5 pm", "17:00"),
        ("9.30 a.m.", "9:30"),
        ("1986-03-04", "4 March 1986"),
        ("04.03.1986", "4 Mar 1986"),
        ("twelve", "12"),
        ("the 3rd", "3"),
        ("20%", "20 percent"),
        ("Mon", "Mondays"),
        ("E-Mail", "email"),
        ("Caf\u00e9", "cafe"),
        ("Ada\u2019s", "Ada"),
    ],
)
def test_ways_to_write_one_thing_are_one(one: str, other: str) -> None:
    assert sorted(terms_of(one)) == sorted(terms_of(other))


@pytest.mark.parametrize(
    ("written", "plain"),
    [("1,000,000", "1000000"), ("1.5", "1.5"), ("007", "7"), ("0.50", "0.5"), ("1.2.3", "1.2.3")],
)
def test_a_number_has_one_form(written: str, plain: str) -> None:
    assert number(written) == plain


def test_may_is_a_month_only_beside_a_date() -> None:
    assert terms_of("in May") == ["may"]
    assert terms_of("12 May 1984") == ["12", "may", "1984"]
    assert terms_of("May I smoke?") == ["smok"]


def test_a_text_in_another_language_is_not_stemmed() -> None:
    german = (
        "Die Werkstatt ist am Montag und am Dienstag von acht bis zwei f\u00fcr Besucher offen."
    )
    assert not is_english([german])
    assert is_english(["The workshop is open to the public and to schools."])
    assert terms_of("Besucher", stems=False) == ["besucher"]


def test_small_words_say_nothing() -> None:
    assert terms_of("what is it that you are") == []


@pytest.mark.parametrize(
    ("one", "other", "away"),
    [("address", "adress", 1), ("receive", "recieve", 1), ("cello", "cello", 0), ("a", "b", 1)],
)
def test_a_misspelling_is_near(one: str, other: str, away: int) -> None:
    assert distance(one, other, 2) == away


def test_what_is_far_is_only_known_to_be_far() -> None:
    assert distance("bicycle", "tricycle", 1) > 1


@given(st.text(max_size=200))
def test_any_text_has_terms(text: str) -> None:
    assert all(terms_of(text))
    assert terms_of(text) == terms_of(text)


_ANY_WORD = """
    The boat costs may May Friday Fridays sun Sun Dec e-mail It's 5 5th 2024 1,200.00 € % 17:30 pm
    p.m. 2024-05-01 1.5.2024 a@b.example WWW.b.example http://b.example 1.2.3
    """.split()


@given(st.lists(st.sampled_from(_ANY_WORD)))
def test_a_text_has_the_terms_of_its_tokens(words: list[str]) -> None:
    text = " ".join(words)
    assert terms_of(text) == [term for token in tokens(text) for term in token.terms]
