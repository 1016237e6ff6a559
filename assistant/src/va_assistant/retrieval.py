"""Finds the passages and sentences of the texts that belong to a question; pure.

BM25 over passages first, then every sentence of the best passages by how much of the question
it holds: in itself, in the question it answers, in the headings above it, in its neighbours.
The index is plain dictionaries: numpy would cost a pod more memory than everything else here.
"""

import math
import re
from array import array
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice
from typing import NamedTuple

from va_assistant import concepts, evidence
from va_assistant.asking import LIGHT_WEIGHT, Asked, Term, plain_words, says_little
from va_assistant.passages import Passage, Sentence, passages_of
from va_assistant.revision import ContextFile
from va_assistant.wanted import Wanted
from va_assistant.words import (
    MONTHS,
    WEEKDAYS,
    distance,
    fold,
    is_english,
    is_number,
    stem,
    terms_of,
)

K1, B = 1.2, 0.5
"""BM25's usual saturation, and less of its preference for short passages: a passage is short."""

CANDIDATES = 24
"""Passages whose sentences are looked at."""

MATE_FACTOR = 0.7
"""What a word of like meaning counts; less than the word itself."""
BEGINNING_FACTOR = 0.7
"""What a word counts that only begins alike (compounds, forms that the stemming misses)."""

INTRO_FACTOR = 0.95
HEADING_FACTOR = 0.8
OUTER_FACTOR = 0.5
BEFORE_FACTOR = 0.55
UNTIED_FACTOR = 0.35
"""What the sentence before counts for one that does not point back."""
OPENING_FACTOR = 0.35
REACH = 4
"""How many sentences before one tell what it is about, within its paragraph or item."""
AFTER_FACTOR = 0.3
SECTION_FACTOR = 0.2

NAMED_FACTOR = 0.95
"""What a heading names is spoken of below it."""

KIND_FACTOR = 0.9
"""What a word for the kind of the answer counts where an answer of that kind stands."""

SEVERAL_BONUS = 1.1
"""Several words of like meaning are a better sign than one."""

ELSEWHERE_FACTOR = 0.3
"""What a name near a sentence counts where the sentence has names of its own."""

SOLID = 0.9
"""From here on a word stands in a sentence, not only one of like meaning."""

SOUGHT = 0.45
"""How well the thing that is asked for must be met."""

WEIGHTY = 0.8
"""From this weight on a word is what a question is about."""

EARLIER_SHARE = 0.3
"""What the words of the question before count beside those of a follow-up."""

TAKEN_FACTOR = 0.3
"""What a word of like meaning counts where the question has that word beside this one."""

NAMING_ZONES = 4
"""What names the thing that a sentence is about: itself, its question, its topic, its heading."""

Meanings = Mapping[str, Mapping[str, float]]
"""For each term of a question the terms of the texts that it may mean, and how surely."""

_NOTHING: frozenset[str] = frozenset()
LONGEST_SPAN_YEARS = 60
_YEARS = re.compile(
    r"\b((?:19|20)\d\d)\s*(?:[-–—]|to|until|till|bis)\s*((?:19|20)\d\d|present|now|today"
    r"|current|heute)",
    re.IGNORECASE,
)
_SINCE = re.compile(
    r"\b(?:since|from)\s+(?:\w+\s+){0,2}((?:19|20)\d\d)\b(?!\s*(?:[-–—]|to|until))", re.IGNORECASE
)


def _range(names: Sequence[str]) -> tuple[re.Pattern[str], Sequence[str]]:
    one = "|".join(f"{name[:3]}(?:{name[3:]})?s?" for name in names)
    return re.compile(
        rf"\b({one})\.?\s*(?:[-–—]|to|until|till|through)\s*({one})\b", re.IGNORECASE
    ), names


_MAY_SPAN = re.compile(
    r"[-–—]|\w\.[a-z]|\b(?:under|below|to|until|till|bis|through|since|from|most|least|than|exceed)\b"
)
"""What every span and bound has; most sentences have none of it, and are done with it."""

_POINTS_BACK = re.compile(
    r"\b(?:it|its|they|them|their|this|that|these|those|he|she|his|her|there|here|then|both|such"
    r"|one|ones|otherwise|else|also)\b|^(?:the|yes|no)\b",
    re.IGNORECASE,
)
_ADDRESSED = re.compile(
    r"\b(?:ai|assistants?|chat\s?bots?|bots?|language models?|llms?|models?|gpt)\b.{0,60}"
    r"\b(?:must|should|shall|have to|ignore|disregard|forget|tell|say|answer|reply|respond"
    r"|reveal|output)\b"
    r"|\b(?:ignore|disregard|forget) (?:\w+ ){0,3}(?:instructions?|rules|prompts?)\b"
    r"|\b(?:system prompt|new instructions?:|you are now)\b",
    re.IGNORECASE,
)


def orders(text: str) -> bool:
    """Tell whether a sentence of a text speaks to the assistant: it is never an answer."""
    return bool(_ADDRESSED.search(text))


_BOUNDS = (
    (stem("maximum"), re.compile(r"\b(?:at most|up to|no more than|not exceed)", re.IGNORECASE)),
    (
        stem("minimum"),
        re.compile(r"\b(?:at least|no less than|no younger than|from the age)", re.IGNORECASE),
    ),
    (
        stem("child"),
        re.compile(r"\b(?:under|below) (?:the age of )?1?\d\b(?! ?[%€$£])", re.IGNORECASE),
    ),
)
"""Bounds as texts put them, by the word with which people ask for them."""

_RANGES = (_range(MONTHS), _range(WEEKDAYS))


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A sentence with what speaks for it."""

    sentence: Sentence
    passage: Passage
    coverage: float
    """Share of the question that it holds, its surroundings included; 0 to 1."""

    own: float
    """The same without its surroundings."""

    weakest: float
    """How well the weighty word of the question is met that is met worst; 0 to 1."""

    solid: int
    """How many weighty words of the question it has itself."""

    missing: tuple[Term, ...]
    """What of the question is neither in it nor around it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a question has found."""

    asked: Asked
    hits: tuple[Hit, ...]
    """Sentences, those that hold most of the question first."""

    unknown: tuple[Term, ...]
    """Weighty words of the question that the texts do not have in any way."""


class Index:
    """The passages of a revision, ready to be searched; any thread may."""

    def __init__(self, files: Sequence[ContextFile]) -> None:
        self.stems = is_english(file.text for file in files)
        self.passages = passages_of(files)
        self._postings: dict[str, array[int]] = {}
        """Term to pairs of passage and count."""

        self._numbers = {id(passage): at for at, passage in enumerate(self.passages)}
        self._lengths = array("H")
        for number, passage in enumerate(self.passages):
            counts = Counter(self._passage_terms(passage))
            self._lengths.append(min(65535, counts.total()))
            for term, count in counts.items():
                self._postings.setdefault(term, array("I")).extend((number, count))
        self._mean_length = sum(self._lengths) / max(1, len(self._lengths))
        self._spelling: dict[tuple[str, int], list[str]] = {}
        for word in {*self._words(files), *concepts.words(), *plain_words()}:
            if len(word) > 3 and word.isalpha():
                self._spelling.setdefault((word[0], len(word)), []).append(word)
        # One cache per index: a sentence's words are asked for again and again.
        self._terms = lru_cache(maxsize=4096)(self._read_terms)

    def search(self, asked: Asked) -> Found:
        """Return the sentences that hold the most of a question."""
        asked = replace(asked, terms=tuple(map(self._corrected, asked.terms)))
        meant = {term.term: self._meanings(term) for term in asked.terms}
        rarity = {term.term: self._rarity(meant[term.term]) for term in asked.terms}
        hits = [
            hit
            for number in dict.fromkeys(
                (*self._best_passages(asked, meant, rarity), *self._showing(asked.wanted))
            )
            for hit in self._hits(self.passages[number], asked, meant, rarity)
        ]
        hits.sort(key=lambda hit: -hit.coverage)
        return Found(
            asked=asked,
            hits=tuple(hits),
            unknown=tuple(
                term
                for term in asked.terms
                if not meant[term.term] and term.weight > LIGHT_WEIGHT and not term.is_earlier
            ),
        )

    @staticmethod
    def _words(files: Iterable[ContextFile]) -> Iterable[str]:
        """Return the words of the texts as they are spelt, folded."""
        return {word for file in files for word in re.findall(r"[^\W\d_]{4,}", fold(file.text))}

    @lru_cache(maxsize=32)  # noqa: B019  # an index lives as long as its process
    def _heading_terms(self, heading: str) -> list[str]:
        return terms_of(heading, stems=self.stems)

    def _passage_terms(self, passage: Passage) -> Iterable[str]:
        for heading in passage.headings:
            yield from self._heading_terms(heading)
        before = ""
        for sentence in passage.sentences:
            if sentence.intro and sentence.intro != before:
                yield from terms_of(sentence.intro, stems=self.stems)
            before = sentence.intro
            yield from self._read_terms(sentence.text)

    def _read_terms(self, text: str) -> frozenset[str]:
        terms = set(terms_of(text, stems=self.stems))
        if not _MAY_SPAN.search(text):
            return frozenset(terms)
        for match in _YEARS.finditer(text):
            first = int(match.group(1))
            last = int(match.group(2)) if match.group(2).isdigit() else first + LONGEST_SPAN_YEARS
            terms.update(map(str, range(first, min(last, first + LONGEST_SPAN_YEARS) + 1)))
        if self.stems:
            terms.update(word for word, pattern in _BOUNDS if pattern.search(text))
            if evidence.shows(Wanted.WEBSITE, text):
                terms.add(stem("online"))
        for pattern, names in _RANGES:
            for match in pattern.finditer(text):
                first, last = (
                    next(at for at, name in enumerate(names) if name[:3] == word[:3].lower())
                    for word in match.groups()
                )
                span = (last - first) % len(names) + 1
                terms.update(names[(first + step) % len(names)] for step in range(span))
        for match in _SINCE.finditer(text):
            first = int(match.group(1))
            terms.update(map(str, range(first, first + LONGEST_SPAN_YEARS)))
        return frozenset(terms)

    def _meanings(self, term: Term) -> Mapping[str, float]:
        """Return the terms of the texts that a word may mean, with how sure that is."""
        found = {word: 1.0 if word == term.term else 0.9 for word in (term.term, *term.also)}
        if term.is_name or is_number(term.term):
            return {word: factor for word, factor in found.items() if word in self._postings}
        if self.stems:
            for word in tuple(found):
                for mate in concepts.mates(word):
                    found.setdefault(mate, MATE_FACTOR)
        if term.term not in self._postings and len(term.term) >= 5:
            for word in self._beginning_alike(term.term):
                found.setdefault(word, BEGINNING_FACTOR)
        return {word: factor for word, factor in found.items() if word in self._postings}

    def _corrected(self, term: Term) -> Term:
        """Return a word that nobody knows as the nearest one that is known."""
        word = fold(term.written)
        if (
            term.also
            or term.term in self._postings
            or len(word) < 4
            or not word.isalpha()
            or concepts.known(term.term)
            or word in self._spelling.get((word[0], len(word)), ())
        ):
            return term
        limit = 1 if len(word) < 7 else 2
        nearest: dict[int, list[str]] = {}
        for length in range(len(word) - limit, len(word) + limit + 1):
            for first in {word[0], word[1]}:
                for other in self._spelling.get((first, length), ()):
                    away = distance(word, other, limit)
                    if away <= limit:
                        nearest.setdefault(away, []).append(other)
        if not nearest:
            return term
        meant = dict.fromkeys(
            found
            for other in sorted(nearest[min(nearest)])
            for found in terms_of(other, stems=self.stems)
        )
        if not meant:
            return replace(term, weight=0.0)  # a small word
        first, *also = meant
        little = all(map(says_little, meant))
        return replace(
            term, term=first, also=tuple(also), weight=LIGHT_WEIGHT if little else term.weight
        )

    @lru_cache(maxsize=256)  # noqa: B019  # an index lives as long as its process
    def _beginning_alike(self, word: str) -> tuple[str, ...]:
        return tuple(
            other
            for other in self._postings
            if other[:5] == word[:5]
            and (other.startswith(word) or word.startswith(other))
            and min(len(other), len(word)) >= 0.6 * max(len(other), len(word))
        )

    @lru_cache(maxsize=16)  # noqa: B019  # an index lives as long as its process
    def _showing(self, wanted: Wanted) -> tuple[int, ...]:
        """Return passages that have a kind of thing for all to see, where that is asked for."""
        if wanted not in evidence.SHOWN:
            return ()
        found = (
            number
            for number, passage in enumerate(self.passages)
            if any(evidence.shows(wanted, sentence.text) for sentence in passage.sentences)
        )
        return tuple(islice(found, CANDIDATES))

    def _rarity(self, meant: Mapping[str, float]) -> float:
        """Return how much a word tells passages apart; a word that none has, the most."""
        total = len(self.passages)
        in_how_many = max((len(self._postings[word]) // 2 for word in meant), default=0)
        rarity = math.log(1 + (total - in_how_many + 0.5) / (in_how_many + 0.5))
        return rarity / math.log(1 + (total + 0.5) / 0.5)

    def _best_passages(
        self, asked: Asked, meant: Meanings, rarity: Mapping[str, float]
    ) -> list[int]:
        scores: dict[int, float] = {}
        for term in asked.terms:
            best: dict[int, float] = {}
            for word, factor in meant[term.term].items():
                pairs = self._postings[word]
                for at in range(0, len(pairs), 2):
                    number, count = pairs[at], pairs[at + 1]
                    size = 1 - B + B * self._lengths[number] / self._mean_length
                    saturated = factor * count * (K1 + 1) / (count + K1 * size)
                    if saturated > best.get(number, 0.0):
                        best[number] = saturated
            for number, score in best.items():
                weight = term.weight * rarity[term.term]
                scores[number] = scores.get(number, 0.0) + weight * score
        return sorted(scores, key=lambda number: (-scores[number], number))[:CANDIDATES]

    def _hits(
        self,
        passage: Passage,
        asked: Asked,
        meant: Meanings,
        rarity: Mapping[str, float],
    ) -> Iterable[Hit]:
        inner = self._terms(passage.headings[-1]) if passage.headings else _NOTHING
        outer = self._terms(re.sub(r"[-_.]", " ", passage.file.rsplit(".", 1)[0])).union(
            *map(self._terms, passage.headings[:-1])
        )
        section = self._section_terms(passage)
        own = [self._own_terms(sentence) for sentence in passage.sentences]
        for place, sentence in enumerate(passage.sentences):
            if sentence.is_question or sentence.text.endswith(":") or orders(sentence.text):
                continue
            before = passage.sentences[place - 1] if place else None
            follows_on = before is not None and before.statement == sentence.statement
            opening = frozenset[str]().union(
                *(
                    own[other]
                    for other in range(max(0, place - REACH), place - 1)
                    if passage.sentences[other].statement == sentence.statement
                )
            )
            listed = sentence.in_list
            zones = (
                _Zone(own[place], 1.0),
                _Zone(self._terms(sentence.intro), HEADING_FACTOR if listed else INTRO_FACTOR),
                _Zone(self._terms(sentence.topic), HEADING_FACTOR, names=NAMED_FACTOR),
                _Zone(inner, HEADING_FACTOR, names=NAMED_FACTOR),
                _Zone(
                    own[place - 1] if place else _NOTHING,
                    _before_factor(sentence, follows_on=follows_on),
                ),
                _Zone(opening, OPENING_FACTOR),
                _Zone(outer, OUTER_FACTOR, names=NAMED_FACTOR),
                _Zone(
                    own[place + 1] if place + 1 < len(own) and not listed else _NOTHING,
                    AFTER_FACTOR,
                ),
                _Zone(section, SECTION_FACTOR),
            )
            if any(asked.excluded & zone.words for zone in zones[:NAMING_ZONES]):
                continue
            hit = _weigh(sentence, passage, zones, asked, meant, rarity)
            if hit:
                yield hit

    def _own_terms(self, sentence: Sentence) -> frozenset[str]:
        if orders(sentence.text):
            return _NOTHING
        return self._terms(sentence.cells or sentence.text)

    def _section_terms(self, passage: Passage) -> frozenset[str]:
        """Return the words of the passages beside one, below the same heading."""
        at = self._numbers[id(passage)]
        near = self.passages[max(0, at - 2) : at + 3]
        return frozenset(
            term
            for other in near
            if other is not passage
            and other.headings == passage.headings
            and other.file == passage.file
            for sentence in other.sentences
            for term in self._own_terms(sentence)
        )


class _Zone(NamedTuple):
    """Words at one distance from a sentence."""

    words: frozenset[str]
    factor: float
    names: float = 0.0
    """The factor for names, where it is another."""

    def worth(self, word: str, term: Term) -> float:
        """Return what a word counts here; nothing where it does not stand."""
        if word not in self.words:
            return 0.0
        return max(self.factor, self.names) if term.is_name else self.factor


def _before_factor(sentence: Sentence, *, follows_on: bool) -> float:
    """Return what the words before a sentence count: most where it points back to them."""
    if sentence.in_list and not follows_on:
        return AFTER_FACTOR
    return BEFORE_FACTOR if _POINTS_BACK.search(sentence.text) else UNTIED_FACTOR


def _weigh(  # one weight after the other, in their order
    sentence: Sentence,
    passage: Passage,
    zones: Sequence[_Zone],
    asked: Asked,
    meant: Meanings,
    rarity: Mapping[str, float],
) -> Hit | None:
    """Return how much of a question a sentence holds; None where it is nothing."""
    held = in_itself = whole = bonus = before = 0.0
    weakest = 1.0
    solid = 0
    missing = []
    said = {term.term for term in asked.terms}
    used: set[str] = set()
    """Words of the text that stand for one of the question already."""
    holds = evidence.holds(asked, sentence)
    has_names = evidence.has_names(sentence.text)
    for term in asked.terms:
        weight = term.weight * (0.35 + 0.65 * rarity[term.term])
        match, inside, by = _match(term, meant[term.term], zones, said | used)
        if by in concepts.wider(term.term) and (
            not inside or _names_another_kind(term, by, zones[0].words)
        ):
            match = inside = 0.0
        taken = {*said, *used} - {term.term}
        used.add(by)
        if term.is_kind and holds:
            match, inside = max(match, KIND_FACTOR), max(inside, KIND_FACTOR)
        if term.is_earlier:
            bonus += weight * match
            before += weight
            continue
        if not match and term.is_name and asked.wanted is Wanted.YES_NO:
            weight *= 0.3  # "is she from Rome?" is answered by where she is from
        whole += weight
        held += weight * match
        in_itself += weight * inside
        if term.is_name and has_names and not is_number(term.term) and match < HEADING_FACTOR:
            match *= ELSEWHERE_FACTOR
        if term.is_sought and (inside if asked.wanted is Wanted.YES_NO else match) < SOUGHT:
            match = 0.0
        if not term.is_kind and not term.is_name and term.weight >= WEIGHTY and by not in taken:
            weakest = min(weakest, match)
            solid += inside >= SOLID
        if not match and term.weight > LIGHT_WEIGHT:
            missing.append(term)
    if not held and not bonus:
        return None
    return Hit(
        sentence=sentence,
        passage=passage,
        coverage=(held / whole if whole else 0.0) + EARLIER_SHARE * bonus / (before or 1),
        own=in_itself / whole if whole else 0.0,
        weakest=weakest,
        solid=solid,
        missing=tuple(missing),
    )


def _names_another_kind(term: Term, wide: str, words: frozenset[str]) -> bool:
    """Tell whether a line has another kind of the thing: a master's degree is no doctorate."""
    same = {term.term, *concepts.mates(term.term)}
    return bool((concepts.kinds_of(wide) & words) - same)


def _match(
    term: Term, meant: Mapping[str, float], zones: Sequence[_Zone], taken: AbstractSet[str]
) -> tuple[float, float, str]:
    """Return how well a word is met around a sentence, how well in it, and by which word."""
    best = inside = 0.0
    by = ""
    met = 0
    for word, factor in meant.items():
        worth = max(zone.worth(word, term) for zone in zones)
        if not worth:
            continue
        met += 1
        if word != term.term and word in taken:
            factor *= TAKEN_FACTOR
        if factor * worth > best:
            best, by = factor * worth, word
        if word in zones[0].words:
            inside = max(inside, factor)
    if met > 1 and best < 1:
        best = min(1.0, best * SEVERAL_BONUS)
    return best, inside, by
