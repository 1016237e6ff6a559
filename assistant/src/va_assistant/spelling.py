"""Mistyped words of a question, taken for those that are meant; pure."""

import re
from array import array
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import lru_cache
from heapq import nsmallest

from va_assistant import concepts, vocabulary
from va_assistant.question_words import LIGHT_WEIGHT, Term, plain_words, says_little
from va_assistant.words import STOP_WORDS, fold, terms_of

LONG_WORD = 7
"""Letters from which two may be wrong, not one."""

SHORTEST_SLIP = 4
"""Letters of a word that may be another one mistyped."""

MOST_LOOKED_FOR = 8
"""Words of a question that the nearest ones are looked for; with more slips it is no question."""

MOST_COMPARED = 500
"""Words that one is compared with, letter by letter; a language has fewer of so like letters."""

MOST_MEANT = 16
"""Words that one may be a slip of, where so many are equally near."""

WORDS_KEPT = 512
"""Words of which the nearest ones stay known."""

_NO_WORDS: "tuple[list[str], array[int]]" = ([], array("I"))

_WORD = re.compile(
    r"(?<![\w@./-])"
    r"(?P<word>(?P<name>(?<!\A)(?<![.?!]\s)[A-Z][a-z]+|[A-Z][a-z]+(?=['\u2019]s))|[^\W\d_]+)"
    r"(?![\w@/]|\.\w|-\d)"
)
"""A word, and whether it is written as a name; what is a part of an address or a code is none."""

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
        self._words: dict[tuple[str, int], tuple[list[str], array[int]]] = {}
        """By first letter and length, each with its letters."""

        of_texts = {word for text in texts for word in re.findall(r"[^\W\d_]{4,}", fold(text))}
        for word in {*of_texts, *concepts.words(), *plain_words()}:
            if len(word) >= SHORTEST_SLIP and word.isalpha():
                words, letters = self._words.setdefault((word[0], len(word)), ([], array("I")))
                words.append(word)
                letters.append(_letters(word))
        # One cache per index: the same slips are made again and again.
        self._nearest = lru_cache(maxsize=WORDS_KEPT)(self._look_for_nearest)

    def corrected(self, terms: Iterable[Term], is_known: Callable[[str], bool]) -> list[Term]:
        """Return the words of a question, those that nobody knows as the nearest that are known.

        `is_known` tells the terms of the texts. A word of common English is what it is, however
        near another one of the texts may be: showers are no shoes.
        """
        found = []
        looked_for = 0
        for term in terms:
            word = fold(term.written)
            is_new = not (term.also or _is_any_known([term.term], is_known))
            if is_new and self._may_be_a_slip(word):
                if vocabulary.is_word(word):
                    term = replace(term, weight=0.0) if _is_small_word_swapped(word) else term
                elif looked_for < MOST_LOOKED_FOR:
                    looked_for += 1
                    term = self._meant(term, self._nearest(word))
            found.append(term)
        return found

    def respelt(self, question: str, is_known: Callable[[str], bool]) -> str:
        """Return a question with its mistyped words as they are meant, to be read as a whole.

        What the texts do not say must be a common word mistyped, and a name is none.
        """
        looked_for = 0

        def meant(found: re.Match[str]) -> str:
            nonlocal looked_for
            word = fold(found["word"])
            if not self._may_be_a_slip(word) or vocabulary.is_word(word):
                return found[0]
            if looked_for == MOST_LOOKED_FOR:
                return found[0]
            looked_for += 1
            terms = terms_of(word, stems=self._stems)
            near = None
            if not _is_any_known(terms, is_known):
                near = self._of_the_texts(word, is_known)
                near = near or (None if found["name"] else vocabulary.meant(word))
            elif not found["name"]:
                near = self._of_the_same_stem(word, terms)
            return near or found[0]

        return _WORD.sub(meant, spelt(question))

    def _of_the_same_stem(self, word: str, terms: list[str]) -> str | None:
        """Return the word that one is a slip of, though its stem is known: shiping, befor."""
        near = vocabulary.meant(word)
        return near if near and terms_of(near, stems=self._stems) in ([], terms) else None

    def _of_the_texts(self, word: str, is_known: Callable[[str], bool]) -> str | None:
        """Return the word of the texts that one is a slip of, if any is as near as all others."""
        said = [
            near
            for near in self._nearest(word)
            if any(map(is_known, terms_of(near, stems=self._stems)))
        ]
        return min(said, key=lambda near: (near[0] != word[0], near[-1] != word[-1]), default=None)

    def _may_be_a_slip(self, word: str) -> bool:
        """Tell whether it is a word, and one that neither the texts have nor people ask with."""
        if len(word) < SHORTEST_SLIP or not word.isalpha():
            return False
        return word not in self._words.get((word[0], len(word)), _NO_WORDS)[0]

    def _meant(self, term: Term, nearest: Sequence[str]) -> Term:
        """Return what is meant by a word, given the known words that are nearest to it."""
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

    def _look_for_nearest(self, word: str) -> tuple[str, ...]:
        """Return the known words that are the fewest letters away; none where all are far."""
        limit = 1 if len(word) < LONG_WORD else 2
        nearest: dict[int, list[str]] = {}
        for other in self._alike(word, limit):
            away = distance(word, other, limit)
            if away <= limit:
                nearest.setdefault(away, []).append(other)
        return tuple(sorted(nearest[min(nearest)])[:MOST_MEANT]) if nearest else ()

    def _alike(self, word: str, limit: int) -> list[str]:
        """Return the known words that may be within a distance, those of the same letters first.

        A letter that is added or dropped changes one letter that a word has, one that is another
        changes two: this leaves few of thousands, at a hundredth of the cost of the distance.
        """
        own = _letters(word)
        alike = [
            (apart, other)
            for length in range(len(word) - limit, len(word) + limit + 1)
            for first in {word[0], word[1]}
            for other, letters in zip(*self._words.get((first, length), _NO_WORDS), strict=True)
            if (apart := (letters ^ own).bit_count()) <= 2 * limit
        ]
        return [other for _, other in nsmallest(MOST_COMPARED, alike)]


def _is_any_known(terms: Iterable[str], is_known: Callable[[str], bool]) -> bool:
    return any(is_known(term) or concepts.known(term) for term in terms)


def _letters(word: str) -> int:
    """Return which letters a word has, a bit for each; letters far apart may share one."""
    letters = 0
    for char in word:
        letters |= 1 << (ord(char) & 31)
    return letters


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
