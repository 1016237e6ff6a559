"""The questions, what is expected of their answers, and the files they are in."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent
TEXTS = HERE / "texts"
QUESTIONS = HERE / "questions"
WORK_SETS = ("dev", "held-out", "practice", "matched")
"""All were looked at while the answers were improved; `practice` has texts of other kinds, and in
`matched` the wording of a question does not tell whether it has an answer."""

RELEASE_SET = "unseen"
"""About texts of its own, and counted at releases only: the answers are not improved by it."""

SETS = (*WORK_SETS, RELEASE_SET)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """The words of a right answer, in the form of the acceptance questions."""

    all_of: tuple[str, ...] = ()
    any_of: tuple[str, ...] = ()
    none_of: tuple[str, ...] = ()

    @classmethod
    def of(cls, data: Mapping[str, list[str]]) -> "Expectation":
        """Read it from a questions file; raises `ValueError` where it expects nothing."""
        if unknown := data.keys() - {"allOf", "anyOf", "noneOf"}:
            raise ValueError(f"unknown in an expectation: {sorted(unknown)}")
        words = {name: tuple(data.get(name, ())) for name in ("allOf", "anyOf", "noneOf")}
        if not all(isinstance(word, str) for found in words.values() for word in found):
            raise ValueError(f"a number or a yes without quotes in {dict(data)}")
        if not words["allOf"] + words["anyOf"]:
            raise ValueError(f"nothing is expected by {dict(data)}")
        return cls(all_of=words["allOf"], any_of=words["anyOf"], none_of=words["noneOf"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A question about a text.

    One that the text does not answer `refuses`; if it expects words all the same, an answer
    with them puts right what the question took for granted, and is as good as a refusal.
    """

    text: str
    """Name of the file in `texts/`."""

    ask: str
    before: tuple[tuple[str, str], ...] = ()
    """Earlier questions and their answers."""

    set: str
    kind: str
    """How it is worded, or in which way it has no answer."""

    refuses: bool = False
    expect: Expectation | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Which of the questions are asked."""

    sets: tuple[str, ...] = WORK_SETS
    texts: tuple[str, ...] = field(default_factory=lambda: text_names())
    limit: int | None = None
    """Questions of each text, spread evenly over the file; all without it."""

    def of(self, cases: Iterable[Case]) -> list[Case]:
        """Return those that are asked, text after text."""
        found = []
        for text in self.texts:
            own = [case for case in cases if case.text == text and case.set in self.sets]
            found += own if self.limit is None else spread(own, self.limit)
        return found


def spread(cases: list[Case], limit: int) -> list[Case]:
    """Return so many, at even distances: the kinds stand together in a file."""
    count = min(limit, len(cases))
    return [cases[number * len(cases) // count] for number in range(count)]


def parse_cases(data: Mapping[str, Any]) -> list[Case]:
    """Return the questions of one file; raises `ValueError` for one that expects nothing."""
    return [_case(data["text"], row) for row in data["questions"]]


def _case(text: str, row: Mapping[str, Any]) -> Case:
    case = Case(
        text=text,
        ask=row["ask"],
        before=tuple((asked, answered) for asked, answered in row.get("before", ())),
        set=row["set"],
        kind=row["kind"],
        refuses=row.get("refuses", False),
        expect=Expectation.of(row["expect"]) if "expect" in row else None,
    )
    if case.set not in SETS or not (case.refuses or case.expect):
        raise ValueError(f"neither fact nor refusal, or no such set: {row}")
    return case


def all_cases() -> list[Case]:
    """Read the questions about all texts."""
    return [
        case
        for file in sorted(QUESTIONS.glob("*.yaml"))
        for case in parse_cases(yaml.safe_load(file.read_text("utf-8")))
    ]


def text_names() -> tuple[str, ...]:
    """Return the names of the texts."""
    return tuple(sorted(file.name for file in TEXTS.glob("*.md")))
