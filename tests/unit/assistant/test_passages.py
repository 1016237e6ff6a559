"""Texts cut into what can be cited."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from va_assistant.passages import Sentence, passages_of
from va_assistant.revision import ContextFile
from va_assistant.sentences import LONGEST_PIECE, sentences_in


def sentences(text: str) -> list[Sentence]:
    passages = passages_of([ContextFile(name="a.md", text=text)])
    return [sentence for passage in passages for sentence in passage.sentences]


def shown(text: str) -> list[tuple[int, str]]:
    return [(sentence.line, sentence.text) for sentence in sentences(text)]


def test_a_paragraph_is_cut_into_sentences_with_their_lines() -> None:
    text = "Ada is an engineer. She lives in\nBergen, Norway. Dr. Berg knows her.\n"
    assert shown(text) == [
        (1, "Ada is an engineer."),
        (1, "She lives in Bergen, Norway."),
        (2, "Dr. Berg knows her."),
    ]


def test_headings_stand_above_what_is_below_them() -> None:
    [sentence] = sentences("# Ada\n\n## Work\n\n### Old\n\n## Home\n\nBergen.\n")
    assert sentence.headings == ("Ada", "Home")
    assert sentence.line == 9


def test_a_heading_that_tells_something_can_be_cited() -> None:
    heading, below = sentences("# Engineer, Acme (2015-2020)\n\nBuilt bridges.\n")
    assert (heading.line, heading.text) == (1, "Engineer, Acme (2015-2020)")
    assert heading.is_heading
    assert not below.is_heading


def test_items_are_sentences_below_the_line_that_opens_their_list() -> None:
    opener, cut, wash = sentences("Our fees:\n\n- Cut: 20 EUR\n- Wash: 10 EUR\n  on Mondays\n")
    assert (cut.line, cut.text, cut.intro) == (3, "Cut: 20 EUR", opener.text)
    assert (wash.line, wash.text) == (4, "Wash: 10 EUR on Mondays")
    assert cut.in_list


def test_a_row_is_told_with_the_names_of_its_columns() -> None:
    [row] = sentences("| Item | Half day | Day |\n|---|---|---|\n| Canoe | 28 | 45 |\n")
    assert row.text == "Canoe; Half day: 28; Day: 45"
    assert row.cells == "Canoe; 28; 45"
    assert row.line == 3


def test_a_question_stays_with_its_answer() -> None:
    for text in (
        "**Do you ship?** We do.\n",
        "**Do you ship?**\nWe do.\n",
        "Do you ship?\n\nWe do.\n",
        "Q: Do you ship?\nA: We do.\n",
        "## Do you ship?\n\nWe do.\n",
    ):
        answer = sentences(text)[-1]
        assert (answer.text, answer.intro) == ("We do.", "Do you ship?"), text
        assert not answer.is_question


def test_lines_of_fields_and_addresses_are_not_joined() -> None:
    assert shown("Phone: 555\nMail: a@b.example\n") == [(1, "Phone: 555"), (2, "Mail: a@b.example")]
    assert len(shown("Harbour Street 5\n5020 Bergen\n")) == 2


def test_marks_of_markdown_are_not_shown() -> None:
    [(_, text)] = shown("See **the** [site](https://a.example/x) and `code`.\n")
    assert text == "See the site (https://a.example/x) and code."


def test_an_abbreviation_ends_no_sentence() -> None:
    found = [text for _, text in sentences_in("Prof. J. Berg pays approx. 5 EUR. He left.")]
    assert found == ["Prof. J. Berg pays approx. 5 EUR.", "He left."]


def test_a_long_block_is_cut_between_sentences() -> None:
    text = "This is a sentence of some length. " * 60
    passages = passages_of([ContextFile(name="a.md", text=text)])
    assert len(passages) > 1
    assert all(p.sentences[-1].text.endswith(".") for p in passages)


@given(st.text(alphabet="aB1 .?!:|-#*\n>[]()Q", max_size=300))
def test_every_sentence_of_any_text_has_a_line_of_it(text: str) -> None:
    count = text.count("\n") + 1
    assert all(1 <= sentence.line <= count and sentence.text for sentence in sentences(text))


def test_a_line_that_begins_in_bold_is_the_title_of_what_follows() -> None:
    title, below = sentences("**Tech lead, Acme** (2021 to today)\nLeads a team of five.\n")
    assert title.text == "Tech lead, Acme (2021 to today)"
    assert below.intro == title.text


def test_the_bold_words_that_open_an_item_are_its_topic() -> None:
    first, second = sentences("- **Mill** is old. The manager is Ada.\n")
    assert (first.topic, second.topic) == ("Mill", "Mill")
    assert first.statement == second.statement


def test_a_text_may_say_once_in_which_money_its_numbers_are() -> None:
    assert all(s.has_currency for s in sentences("Prices are in euros.\n\nA helmet costs 3.\n"))
    assert not any(s.has_currency for s in sentences("We live in euro-land.\n\nThree helmets.\n"))


ENDLESS = 2**16


@pytest.mark.parametrize(
    "text",
    [
        "# a" + " " * ENDLESS + "x",
        "." * ENDLESS,
        "[" * ENDLESS,
        "[a](" * (ENDLESS // 4),
        "e.g. " * (ENDLESS // 5),
        "A. b. " * (ENDLESS // 6),
        "1 May May " * (ENDLESS // 10),
        "| a\n" * (ENDLESS // 4),
        "|" + "-" * ENDLESS + "|\n|" + "-" * ENDLESS + "x|",
        "**a\n" * (ENDLESS // 4),
        "a\n" * (ENDLESS // 2),
    ],
    ids=lambda text: text[:8],
)
def test_a_text_without_end_or_rest_is_read_in_time(text: str) -> None:
    started = time.process_time()
    sentences(text)
    # A third of a second at the most here; what looks ahead from everywhere takes minutes.
    assert time.process_time() - started < 5


def test_a_sentence_without_end_is_cut_between_its_words() -> None:
    text = "\n".join(f"word{number:04}" for number in range(300))
    found = sentences(text)
    assert all(len(sentence.text) <= LONGEST_PIECE for sentence in found)
    assert " ".join(sentence.text for sentence in found).split() == text.split()
    assert all(sentence.line == int(sentence.text[4:8]) + 1 for sentence in found)


def test_a_row_of_many_columns_is_cut_and_stays_a_row() -> None:
    cells = [f"cell{number:03}" for number in range(300)]
    found = sentences("| " + " | ".join(cells) + " |\n| a | b |\n")
    long_ones = [sentence for sentence in found if sentence.line == 1]
    assert len(long_ones) > 1
    assert all(sentence.in_list and len(sentence.text) <= LONGEST_PIECE for sentence in long_ones)
    assert " ".join(sentence.text for sentence in long_ones) == "; ".join(cells)
