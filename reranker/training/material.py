"""The material: texts, questions, and the words of a text that answer.

The texts are cut as the assistant cuts its own, and a question's wrong lines are those that the
assistant's rules find best, and those that an embedding finds near: what the reranker learns is to
do better than these.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from va_assistant.knowledge import Knowledge
from va_assistant.passages import Sentence
from va_assistant.relevance import shown
from va_assistant.revision import ContextFile, Provider, Revision, model_settings

FOLDER = Path(__file__).parent / "texts"
ENOUGH_WORDS = 0.8
"""Share of the marked words that a line must have."""

FOUND = 8
"""Lines of the rules that are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question about a text; lines are numbers in `Text.lines`."""

    text: str
    answers: frozenset[int]
    """Lines that answer; none where the text does not."""

    found: tuple[int, ...]
    """Lines that the rules find, the best first."""

    near: tuple[int, ...] = ()
    """Lines that an embedding finds nearest, the best first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A text as a reranker is shown it."""

    name: str
    ways: tuple[tuple[str, ...], ...]
    """Its lines, as they are shown below their headings, below the last one, and below none."""

    questions: tuple[Question, ...]
    knowledge: Knowledge

    @property
    def sentences(self) -> list[Sentence]:
        """Its sentences, in the order of the lines."""
        return [one for passage in self.knowledge.passages for one in passage.sentences]

    def found(self, question: str) -> tuple[int, ...]:
        """Return the lines that the rules find for a question, the best first."""
        numbers = {id(sentence): number for number, sentence in enumerate(self.sentences)}
        ranked = self.knowledge.study(question).ranked[:FOUND]
        return tuple(numbers[id(one.hit.sentence)] for one in ranked)


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
    text = Text(name=name, ways=(), questions=(), knowledge=knowledge)
    sentences = text.sentences
    ways = (
        tuple(map(shown, sentences)),
        tuple(shown(replace(one, headings=one.headings[-1:])) for one in sentences),
        tuple(shown(replace(one, headings=())) for one in sentences),
    )
    questions = tuple(
        Question(
            text=asked["q"],
            answers=frozenset(_line_with(words, row["text"], sentences) for words in asked["a"]),
            found=text.found(asked["q"]),
        )
        for asked in row["questions"]
    )
    return replace(text, ways=ways, questions=questions)


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
