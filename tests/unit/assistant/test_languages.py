"""Numbers, dates and small words of several languages, as answers have them."""

import time

import pytest

from va_assistant.calendars import calendar
from va_assistant.languages import language_of
from va_assistant.statements import Statement, read, terms_in
from va_assistant.words import fold


def facts(sentence: str, language: str) -> list[str]:
    told = read(sentence, stems=language == "en", language=language)
    return [term for clause in told.clauses for fact in clause.facts for term in fact.terms]


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("She lives in Bergen with her dog.", "en"),
        ("Sie wohnt in Bergen.", "de"),
        ("Elle habite à Bergen avec son chien.", "fr"),
        ("Ella trabaja para una empresa de puentes.", "es"),
        ("Lei lavora per una società di ponti.", "it"),
        ("Zij werkt voor een bedrijf in Bergen.", "nl"),
        ("Hun bor i Bergen og har en hund.", "no"),
        ("Ela trabalha para uma empresa do Porto.", "pt"),
        ("Mieszka ona razem z psem.", ""),
        ("彼女はベルゲンに住んでいます。", ""),
    ],
)
def test_the_language_of_a_sentence_is_told_by_its_small_words(text: str, language: str) -> None:
    assert language_of(text) == language


def test_a_short_sentence_is_in_the_language_of_its_question() -> None:
    assert language_of("Zwölf.", "Wie viele sind es?") == "de"
    assert language_of("Musk.", "Who is her boss?") == "en"


@pytest.mark.parametrize(
    ("said", "language", "value"),
    [
        ("twelve people", "en", "12"),
        ("twenty-five people", "en", "25"),
        ("two hundred and forty seats", "en", "240"),
        ("ninety thousand euros", "en", "90000"),
        ("90 thousand euros", "en", "90000"),
        ("eleven million kroner", "en", "11000000"),
        ("nineteen ninety-nine", "en", "1999"),
        ("fünfundzwanzig Leute", "de", "25"),
        ("zweihundertvierzig Plätze", "de", "240"),
        ("dreißig Leute", "de", "30"),
        ("quatre-vingt-dix personnes", "fr", "90"),
        ("vingt et un jours", "fr", "21"),
        ("treinta y cinco personas", "es", "35"),
        ("venticinque persone", "it", "25"),
        ("vijfentwintig mensen", "nl", "25"),
        ("tjuefem personer", "no", "25"),
        ("vinte e cinco pessoas", "pt", "25"),
    ],
)
def test_a_number_in_words_is_read(said: str, language: str, value: str) -> None:
    assert facts(said, language) == [value]


def test_an_article_is_no_number() -> None:
    assert facts("he has one dog", "en") == []
    assert facts("er hat einen Hund", "de") == []


def test_a_text_has_its_numbers_and_dates_in_all_the_ways_they_are_said() -> None:
    assert "25" in terms_in("A team of twenty-five.", stems=True, language="en")
    assert {"4", "march"} <= terms_in("am 4. März", stems=False, language="de")


@pytest.mark.parametrize(
    ("word", "language", "name"),
    [
        ("März", "de", "march"),
        ("samstags", "de", "saturday"),
        ("août", "fr", "august"),
        ("miércoles", "es", "wednesday"),
        ("mars", "en", ""),
    ],
)
def test_months_and_weekdays_are_read(word: str, language: str, name: str) -> None:
    assert calendar(fold(word), language) == name


def denials(sentence: str, language: str = "en") -> list[bool]:
    return [clause.denies for clause in read(sentence, stems=True, language=language).clauses]


def test_a_denial_reaches_to_the_end_of_its_part_of_the_sentence() -> None:
    assert denials("She does not work at Google, but she lives in Oslo.") == [True, False]
    assert denials("No, she lives in Oslo.") == [False, False]
    assert denials("She does not speak French, Spanish or Italian.") == [True, True]
    assert denials("Elle ne travaille pas chez Google.", "fr") == [True]


@pytest.mark.parametrize(
    ("sentence", "language", "names"),
    [
        ("Musk is her boss.", "en", ["musk"]),
        ("Boeing is her employer.", "en", ["boe"]),
        ("Currently she works.", "en", []),
        ("Located near the river.", "en", []),
        ("Google ist ihr Arbeitgeber.", "de", ["google"]),
        ("Kinder zahlen die Hälfte.", "de", []),
        ("Sie arbeitet bei Google.", "de", ["google"]),
        ("Sie spielt Cello in einem Streichquartett.", "de", []),
        ("Son chef est Elon Musk.", "fr", ["elon", "musk"]),
    ],
)
def test_a_name_is_told_from_a_word(sentence: str, language: str, names: list[str]) -> None:
    assert facts(sentence, language) == names


@pytest.mark.parametrize(
    "sentence",
    ["zwanzig" * 8000, "twenty and " * 8000, ", " * 30_000, "1 " * 20_000, "Bergen und " * 8000],
)
@pytest.mark.parametrize("language", ["en", "de"])
def test_no_sentence_takes_long_to_read(sentence: str, language: str) -> None:
    began = time.process_time()
    assert isinstance(read(sentence, stems=False, language=language), Statement)
    assert time.process_time() - began < 2
