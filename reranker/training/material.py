"""The material: texts, questions, and the words of a text that answer; and what pairs it makes.

The texts are cut as the assistant cuts its own, and a question's wrong lines are those that the
assistant's rules find best: what the reranker learns is to do better than these.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from va_assistant.knowledge import Knowledge
from va_assistant.passages import Sentence
from va_assistant.relevance import shown
from va_assistant.revision import ContextFile, Provider, Revision, model_settings

FOLDER = Path(__file__).parent / "texts"
ENOUGH_WORDS = 0.8
"""Share of the marked words that a line must have."""

FOUND = 16
"""Lines of the rules that are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question about a text; lines are numbers in `Text.lines`."""

    text: str
    answers: frozenset[int]
    """Lines that answer; none where the text does not."""

    found: tuple[int, ...]
    """Lines that the rules find, the best first."""

    scores: tuple[float, ...]
    """What the rules give them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A text as a reranker is shown it."""

    name: str
    lines: tuple[str, ...]
    questions: tuple[Question, ...]


def texts(folder: Path = FOLDER) -> Iterator[Text]:
    """Read the material; raises `ValueError` for words that no line has."""
    for file in sorted(folder.glob("*.jsonl")):
        for number, row in enumerate(file.read_text("utf-8").splitlines(), 1):
            yield text_of(f"{file.stem}-{number}", json.loads(row))


def text_of(name: str, row: dict[str, Any]) -> Text:
    """Return one text of the material with its questions."""
    model = model_settings(provider=Provider.EMBEDDED, name="m", base_url=None)
    files = (ContextFile(name=f"{name}.md", text=row["text"]),)
    knowledge = Knowledge(Revision(name=name, instructions=None, files=files, model=model))
    sentences = [one for passage in knowledge.passages for one in passage.sentences]
    numbers = {id(sentence): number for number, sentence in enumerate(sentences)}
    questions = []
    for asked in row["questions"]:
        answers = frozenset(_line_with(words, row["text"], sentences) for words in asked["a"])
        ranked = knowledge.study(asked["q"]).ranked[:FOUND]
        questions.append(
            Question(
                text=asked["q"],
                answers=answers,
                found=tuple(numbers[id(one.hit.sentence)] for one in ranked),
                scores=tuple(one.score for one in ranked),
            )
        )
    return Text(name=name, lines=tuple(map(shown, sentences)), questions=tuple(questions))


def _line_with(words: str, text: str, sentences: list[Sentence]) -> int:
    """Return the sentence that has marked words; of several, the one on their line."""
    line = next(n for n, line in enumerate(text.split("\n"), 1) if words in line)
    sought = _words(words)
    fits = [
        (len(sought & _words(one.text)) / len(sought) - abs(one.line - line), number)
        for number, one in enumerate(sentences)
        if len(sought & _words(one.text)) >= ENOUGH_WORDS * len(sought)
    ]
    if not fits:
        raise ValueError(f"no line has {words!r}")
    return max(fits)[1]


def _words(text: str) -> set[str]:
    return set(re.findall(r"[a-z0-9]+", text.lower()))
