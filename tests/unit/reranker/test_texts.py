"""What the reranker learns from says what it is meant to say."""

import json
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
FILES = sorted((ROOT / "reranker/training/texts").glob("*.jsonl"))
ASKED_OF_IT = sorted((ROOT / "benchmarks/answers/texts").glob("*.md"))


def rows(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_words_that_answer_stand_on_one_line_of_the_text(file: Path) -> None:
    for row in rows(file):
        lines = row["text"].split("\n")
        for question in row["questions"]:
            for words in question["a"]:
                assert sum(words in line for line in lines) == 1, (row["title"], question)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_of_five_questions_two_have_an_answer(file: Path) -> None:
    asked = [question for row in rows(file) for question in row["questions"]]
    assert 0.35 < sum(bool(question["a"]) for question in asked) / len(asked) < 0.45


def test_none_of_the_texts_is_one_that_it_is_judged_by() -> None:
    learnt = {
        line.strip()
        for file in FILES
        for row in rows(file)
        for line in row["text"].split("\n")
        if len(line) > 40
    }
    assert len(learnt) > 5000
    for text in ASKED_OF_IT:
        judged = {line.strip() for line in text.read_text("utf-8").splitlines()}
        assert not learnt & judged, text.name
