"""Mistyped words of a question, taken for those that are meant; pure."""

import re
from collections.abc import Callable, Iterable
from dataclasses import replace

from va_assistant import concepts, vocabulary
from va_assistant.question_words import LIGHT_WEIGHT, Term, plain_words, says_little
from va_assistant.words import STOP_WORDS, fold, terms_of

LONG_WORD = 7
"""Letters from which two may be wrong, not one."""

_MISTYPED = (
    (re.compile(r"(?i)^(?:wen|whn|hwen|whne|wehn)\b"), "when"),
    (re.compile(r"(?i)^(?:wat|waht|wht|hwat|whta|wath)(s?)\b"), r"what\1"),
    (re.compile(r"(?i)^(?:wich|whcih|wihch|whihc|witch)\b"), "which"),
    (
        re.compile(
            r"(?i)^(?:wher|whre|were|wehre|hwere|wheer)\b(?= (?:is|are|do|does|did|can|should))"
        ),
        "where",
    ),
    (
        re.compile(
            r"(?i)^(?:hwo|hw|ho|hoe)\b(?= (?:much|many|long|often|do|does|can|is|are|old|far|big))"
        ),
        "how",
    ),
    (re.compile(r"(?i)^(?:hwo|woh|whoo)\b"), "who"),
    (re.compile(r"\bhow (?:mcuh|muhc|muc|mutch|mch)\b"), "how much"),
    (re.compile(r"\bhow (?:mnay|mayn|menny|mny)\b"), "how many"),
    (re.compile(r"\b(?:teh|hte|th)\b"), "the"),
    (re.compile(r"(?i)\bur\b"), "your"),
    (re.compile(r"(?i)\bdose\b(?= (?:he|she|it|the|this|that|your)\b)"), "does"),
)
"""The words that tell what kind of answer is wanted, as they are mistyped most."""


def spelt(question: str) -> str:
    """Return a question whose small words are spelt right."""
    for pattern, right in _MISTYPED:
        question = pattern.sub(right, question)
    return question


class Spelling:
    """The words that a question may mean: those of the texts, and those that people ask with."""

    def __init__(self, texts: Iterable[str], *, stems: bool) -> None:
        self._stems = stems
        self._words: dict[tuple[str, int], list[str]] = {}
        """By first letter and length."""

        of_texts = {word for text in texts for word in re.findall(r"[^\W\d_]{4,}", fold(text))}
        for word in {*of_texts, *concepts.words(), *plain_words()}:
            if len(word) > 3 and word.isalpha():
                self._words.setdefault((word[0], len(word)), []).append(word)

    def corrected(self, term: Term, is_known: Callable[[str], bool]) -> Term:
        """Return a word that nobody knows as the nearest one that is known.

        `is_known` tells the terms of the texts. A word of common English is what it is, however
        near another one of the texts may be: showers are no shoes.
        """
        word = fold(term.written)
        if (
            term.also
            or is_known(term.term)
            or len(word) < 4
            or not word.isalpha()
            or concepts.known(term.term)
            or word in self._words.get((word[0], len(word)), ())
        ):
            return term
        if vocabulary.is_word(word):
            return replace(term, weight=0.0) if _is_small_word_swapped(word) else term
        nearest = self._nearest(word)
        if not nearest:
            return term
        meant = dict.fromkeys(
            found for other in nearest for found in terms_of(other, stems=self._stems)
        )
        if not meant:
            return replace(term, weight=0.0)  # a small word
        first, *also = meant
        little = all(map(says_little, meant))
        return replace(
            term, term=first, also=tuple(also), weight=LIGHT_WEIGHT if little else term.weight
        )

    def _nearest(self, word: str) -> list[str]:
        """Return the known words that are the fewest letters away; none where all are far."""
        limit = 1 if len(word) < LONG_WORD else 2
        nearest: dict[int, list[str]] = {}
        for length in range(len(word) - limit, len(word) + limit + 1):
            for first in {word[0], word[1]}:
                for other in self._words.get((first, length), ()):
                    away = distance(word, other, limit)
                    if away <= limit:
                        nearest.setdefault(away, []).append(other)
        return sorted(nearest[min(nearest)]) if nearest else []


def _is_small_word_swapped(word: str) -> bool:
    """Tell whether two letters beside each other make a word of a small one: `dose`, `form`."""
    return any(
        word[:at] + word[at + 1] + word[at] + word[at + 2 :] in STOP_WORDS
        for at in range(1, len(word) - 1)
    )


def distance(one: str, other: str, limit: int) -> int:
    """Return how many letters must be added, dropped, changed or swapped; above `limit` any."""
    if abs(len(one) - len(other)) > limit:
        return limit + 1
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        older, before, row = before, row, [i]
        for j, b in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                cost = min(cost, older[j - 2] + 1)
            row.append(cost)
        if min(row) > limit:
            return limit + 1
    return row[-1]
