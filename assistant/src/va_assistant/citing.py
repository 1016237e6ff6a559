"""The lines that a sentence of a large model rests on: rather none than a wrong one; pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from va_assistant.concepts import mates
from va_assistant.passages import Sentence
from va_assistant.statements import Statement, terms_in

MOST_LINES = 2
"""Lines that one sentence may rest on."""

SHORT_NUMBER = 3
"""Digits from which a number alone shows that a line is meant."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line as it is compared."""

    sentence: Sentence
    own: frozenset[str]
    """Its terms."""

    content: frozenset[str]
    """Those, and the terms of what stands above it."""


@lru_cache(maxsize=4096)
def line_of(sentence: Sentence, stems: bool, language: str) -> Line:
    """Return a line with its terms; lines are asked about again."""
    own = terms_in(sentence.text, stems=stems, language=language)
    around = " ".join((*sentence.headings, sentence.intro))
    return Line(sentence, own, own | terms_in(around, stems=stems, language=language))


def cited(
    told: Statement, asked: frozenset[str], lines: Sequence[Line], *, stems: bool
) -> tuple[Sentence, ...]:
    """Return the lines that a sentence rests on; `asked` are the terms of the question.

    A line has a fact of the sentence that the question does not have, and, where that is but a
    small number, a word beside it. Where there is no such line, it has most of the words.
    """
    facts = {term for clause in told.clauses for fact in clause.facts for term in fact.terms}
    words = {term for clause in told.clauses for term in clause.words}
    left = {term for term in facts - asked if _distinguishes(term, lines)}
    chosen: list[Sentence] = []
    for _ in range(MOST_LINES if left else 0):
        best, best_score = None, 0.0
        for place, line in enumerate(lines):
            if left.isdisjoint(line.own):
                continue
            shared, about = left & line.own, words & line.content
            is_weak = all(term.isdigit() and len(term) < SHORT_NUMBER for term in shared)
            score = 2 * len(shared) + len(about) - 0.01 * place
            if (about or not is_weak) and score > best_score:
                best, best_score = line, score
        if best is None:
            break
        chosen.append(best.sentence)
        left -= best.content
    if chosen or not words:
        return tuple(chosen)
    stated = words | facts
    said = [sum(_is_said(term, line.content, stems) for term in stated) for line in lines]
    most = max(said, default=0)
    return (lines[said.index(most)].sentence,) if 2 * most > len(stated) else ()


def _distinguishes(term: str, lines: Sequence[Line]) -> bool:
    """Tell whether few of the lines have a term: the name in a title is above all of them."""
    having = sum(term in line.content for line in lines)
    return having <= max(3, len(lines) / 2)


def _is_said(term: str, content: frozenset[str], stems: bool) -> bool:
    return term in content or (stems and not mates(term).isdisjoint(content))
