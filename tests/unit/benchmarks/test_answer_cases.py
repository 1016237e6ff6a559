from collections import Counter

import pytest

from benchmarks.answers.cases import (
    RELEASE_SET,
    SETS,
    TEXTS,
    WORK_SETS,
    Choice,
    all_cases,
    parse_cases,
    spread,
    text_names,
)
from benchmarks.answers.judging import has, normal

CASES = all_cases()
PAIRS = ("painter translator", "bakery repair", "campsite residence")


def test_there_are_enough_questions_and_a_third_has_no_answer() -> None:
    assert len(CASES) >= 160
    for name in SETS:
        own = [case for case in CASES if case.set == name]
        assert len(own) >= 80
        share = sum(case.refuses for case in own) / len(own)
        assert share == 0.5 if name == "matched" else 0.32 <= share <= 0.36


def test_wording_does_not_tell_which_text_answers_a_matched_question() -> None:
    asked: dict[tuple[str, str], list[bool]] = {}
    for case in CASES:
        if case.set == "matched":
            (pair,) = (pair for pair in PAIRS if case.text.removesuffix(".md") in pair)
            asked.setdefault((pair, case.ask), []).append(case.refuses)
    assert {tuple(sorted(found)) for found in asked.values()} == {(False, True)}


def test_a_text_has_questions_to_work_with_or_for_releases_only() -> None:
    found = {text: {case.set for case in CASES if case.text == text} for text in text_names()}
    assert {name for name, sets in found.items() if sets == {RELEASE_SET}} == {
        "freelancer.md", "cooperative.md", "desks.md",
    }  # fmt: skip
    assert all(RELEASE_SET not in sets or sets == {RELEASE_SET} for sets in found.values())


def test_every_text_and_every_set_has_questions() -> None:
    assert {case.text for case in CASES} == set(text_names())
    assert {case.set for case in CASES} == set(SETS)


def test_every_text_has_questions_with_and_without_an_answer() -> None:
    found = {(case.text, case.refuses) for case in CASES}
    assert found == {(text, refuses) for text in text_names() for refuses in (True, False)}


def test_questions_for_releases_are_asked_only_where_they_are_named() -> None:
    assert {case.set for case in Choice().of(CASES)} == set(WORK_SETS)
    assert {case.set for case in Choice(sets=(RELEASE_SET,)).of(CASES)} == {RELEASE_SET}


def test_no_question_is_asked_twice_about_a_text() -> None:
    counted = Counter((case.text, case.ask, case.before) for case in CASES)
    assert [case for case, number in counted.items() if number > 1] == []


@pytest.mark.parametrize(
    "case", [case for case in CASES if not case.refuses], ids=lambda case: case.ask
)
def test_what_is_expected_stands_in_the_text(case) -> None:  # type: ignore[no-untyped-def]
    text = normal((TEXTS / case.text).read_text("utf-8"))
    assert [word for word in case.expect.all_of if not has(text, word)] == []
    assert not case.expect.any_of or any(
        has(text, word) for word in case.expect.any_of if word not in {"yes", "no"}
    )


def test_a_limit_takes_questions_from_the_whole_file() -> None:
    assert spread(list("abcdefgh"), 3) == ["a", "c", "f"]  # type: ignore[arg-type, comparison-overlap]
    assert spread(list("ab"), 3) == ["a", "b"]  # type: ignore[arg-type, comparison-overlap]


def test_a_choice_keeps_to_its_sets_and_texts() -> None:
    found = Choice(sets=("dev",), texts=("cv.md",), limit=5).of(CASES)
    assert len(found) == 5
    assert {(case.text, case.set) for case in found} == {("cv.md", "dev")}


@pytest.mark.parametrize(
    "row",
    [
        {"set": "dev", "kind": "plain", "ask": "?"},
        {"set": "test", "kind": "plain", "ask": "?", "refuses": True},
        {"set": "dev", "kind": "plain", "ask": "?", "expect": {"anyOf": [12]}},
        {"set": "dev", "kind": "plain", "ask": "?", "expect": {"noneOf": ["12"]}},
        {"set": "dev", "kind": "plain", "ask": "?", "expect": {"oneOf": ["12"]}},
    ],
    ids=("nothing expected", "unknown set", "a number", "only what must not be", "unknown word"),
)
def test_a_question_that_judges_nothing_is_refused(row: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_cases({"text": "cv.md", "questions": [row]})
