"""Finds the passages and sentences of the texts that belong to a question; pure.

BM25 over passages first, then every sentence of the best passages by how much of the question
it holds: in itself, in the question it answers, in the headings above it, in its neighbours.
The index is plain dictionaries: numpy would cost a pod more memory than everything else here.
"""

import math
import re
import sys
from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from heapq import nsmallest
from itertools import islice

from va_assistant import concepts, evidence, spans
from va_assistant.asking import Asked
from va_assistant.languages import is_english
from va_assistant.matching import (
    AFTER_FACTOR,
    HEADING_FACTOR,
    INTRO_FACTOR,
    NAMED_FACTOR,
    OPENING_FACTOR,
    OUTER_FACTOR,
    REACH,
    SECTION_FACTOR,
    Hit,
    Place,
    Word,
    Zone,
    before_factor,
    weigh,
)
from va_assistant.passages import Passage, Sentence, passages_of
from va_assistant.question_words import LIGHT_WEIGHT, Term
from va_assistant.revision import ContextFile
from va_assistant.spelling import Spelling
from va_assistant.stemming import stem
from va_assistant.wanted import Wanted
from va_assistant.words import is_number, terms_of

K1, B = 1.2, 0.5
"""BM25's usual saturation, and less of its preference for short passages: a passage is short."""

CANDIDATES = 24
"""Passages whose sentences are looked at."""

OTHERS = 48
"""Passages whose other sentences may be read, too."""

PLACES_KEPT = 96
"""Passages whose sentences stay weighed for the next question; some kilobytes each."""

MATE_FACTOR = 0.7
"""What a word of like meaning counts; less than the word itself."""
BEGINNING_FACTOR = 0.7
"""What a word counts that only begins alike (compounds, forms that the stemming misses)."""

BEGINNING = 5
"""Letters with which words begin that are alike."""

MOST_ALIKE = 32
"""Words that begin like one of a question; those of about its length go first."""

_NOTHING: frozenset[str] = frozenset()
_ONLINE = stem("online")
_ADDRESS = re.compile(r"\w\.[A-Za-z]|://")
"""What every web address has; most sentences have not, and are done with it."""

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

        self._lengths = array("H")
        for number, passage in enumerate(self.passages):
            counts = Counter(self._passage_terms(passage))
            self._lengths.append(min(65535, counts.total()))
            for term, count in counts.items():
                self._postings.setdefault(term, array("I")).extend((number, count))
        self._alphabet = sorted(self._postings)
        self._mean_length = sum(self._lengths) / max(1, len(self._lengths))
        self._spelling = Spelling((file.text for file in files), stems=self.stems)
        # One cache per index: a sentence's words are asked for again and again.
        self._terms = lru_cache(maxsize=2048)(self._read_terms)
        self._places = lru_cache(maxsize=PLACES_KEPT)(self._read_places)

    def respelt(self, question: str) -> str:
        """Return a question with its mistyped words as they are meant."""
        return self._spelling.respelt(question, self._postings.__contains__)

    def search(self, asked: Asked) -> Found:
        """Return the sentences that hold the most of a question."""
        terms = self._spelling.corrected(asked.terms, self._postings.__contains__)
        asked = replace(asked, terms=tuple(terms))
        words = [self._looked_for(term) for term in asked.terms]
        near = dict.fromkeys((*self._best_passages(words), *self._showing(asked.wanted)))
        weighed = (weigh(place, asked, words) for place in self._places_about(near, asked))
        hits = [hit for hit in weighed if hit.coverage]
        hits.sort(key=lambda hit: -hit.coverage)
        return Found(
            asked=asked,
            hits=tuple(hits),
            unknown=tuple(
                term
                for term, _, meant, _ in words
                if not meant and term.weight > LIGHT_WEIGHT and not term.is_earlier
            ),
        )

    @lru_cache(maxsize=32)  # noqa: B019  # an index lives as long as its process
    def _heading_terms(self, heading: str) -> list[str]:
        return terms_of(heading, stems=self.stems)

    def others(self, found: Found) -> Iterator[Hit]:
        """Yield sentences that a question has not found, in the order of the texts.

        Of a long text only those of its beginning: who reads on reads little of it anyway.
        """
        known = {id(hit.sentence) for hit in found.hits}
        words = [self._looked_for(term) for term in found.asked.terms]
        for place in self._places_about(range(min(OTHERS, len(self.passages))), found.asked):
            if id(place.sentence) not in known:
                yield weigh(place, found.asked, words)

    def _places_about(self, numbers: Iterable[int], asked: Asked) -> Iterator[Place]:
        for number in numbers:
            for place in self._places(number):
                if not (asked.excluded and place.is_about(asked.excluded)):
                    yield place

    def _passage_terms(self, passage: Passage) -> list[str]:
        terms: list[str] = []
        for heading in passage.headings:
            terms += self._heading_terms(heading)
        before = ""
        for sentence in passage.sentences:
            if sentence.intro and sentence.intro != before:
                terms += terms_of(sentence.intro, stems=self.stems)
            before = sentence.intro
            terms += self._read_terms(sentence.text)
        return terms

    def _read_terms(self, text: str) -> frozenset[str]:
        terms = {*terms_of(text, stems=self.stems), *spans.within(text, stems=self.stems)}
        if self.stems and _ADDRESS.search(text) and evidence.shows(Wanted.WEBSITE, text):
            terms.add(_ONLINE)
        return frozenset(terms)

    def _looked_for(self, term: Term) -> Word:
        meant = self._meanings(term)
        return Word(term, self._rarity(meant), meant, concepts.wider(term.term))

    def _meanings(self, term: Term) -> Mapping[str, float]:
        """Return the terms of the texts that a word may mean, with how sure that is.

        The surest first, and of equals in the order of the alphabet: of two that do as well, the
        first is the one that stands for the word.
        """
        found = {word: 1.0 if word == term.term else 0.9 for word in (term.term, *term.also)}
        if term.is_name or is_number(term.term):
            return {word: factor for word, factor in found.items() if word in self._postings}
        if self.stems:
            for word in tuple(found):
                for mate in concepts.mates(word):
                    found.setdefault(mate, MATE_FACTOR)
        if term.term not in self._postings and len(term.term) >= BEGINNING:
            for word in self._beginning_alike(term.term):
                found.setdefault(word, BEGINNING_FACTOR)
        ordered = sorted(found.items(), key=lambda meaning: (-meaning[1], meaning[0]))
        return {word: factor for word, factor in ordered if word in self._postings}

    @lru_cache(maxsize=256)  # noqa: B019  # an index lives as long as its process
    def _beginning_alike(self, word: str) -> tuple[str, ...]:
        """Return a few terms of the texts that one continues or ends within: compounds, forms."""
        first = bisect_left(self._alphabet, word[:BEGINNING])
        last = bisect_left(self._alphabet, word[:BEGINNING] + chr(sys.maxunicode), first)
        alike = (
            (abs(len(other) - len(word)), other)
            for other in self._alphabet[first:last]
            if (other.startswith(word) or word.startswith(other))
            and min(len(other), len(word)) >= 0.6 * max(len(other), len(word))
        )
        return tuple(other for _, other in nsmallest(MOST_ALIKE, alike))

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

    def _best_passages(self, words: Sequence[Word]) -> list[int]:
        scores: dict[int, float] = {}
        for word in words:
            best: dict[int, float] = {}
            for meant, factor in word.meant.items():
                pairs = self._postings[meant]
                for at in range(0, len(pairs), 2):
                    number, count = pairs[at], pairs[at + 1]
                    size = 1 - B + B * self._lengths[number] / self._mean_length
                    saturated = factor * count * (K1 + 1) / (count + K1 * size)
                    if saturated > best.get(number, 0.0):
                        best[number] = saturated
            for number, score in best.items():
                weight = word.term.weight * word.rarity
                scores[number] = scores.get(number, 0.0) + weight * score
        return sorted(scores, key=lambda number: (-scores[number], number))[:CANDIDATES]

    def _read_places(self, number: int) -> tuple[Place, ...]:
        """Return the sentences of a passage that may answer, with what is around them."""
        passage = self.passages[number]
        found = []
        inner = self._terms(passage.headings[-1]) if passage.headings else _NOTHING
        outer = self._terms(re.sub(r"[-_.]", " ", passage.file.rsplit(".", 1)[0])).union(
            *map(self._terms, passage.headings[:-1])
        )
        section = self._section_terms(number)
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
                Zone(own[place], 1.0),
                Zone(self._terms(sentence.intro), HEADING_FACTOR if listed else INTRO_FACTOR),
                Zone(self._terms(sentence.topic), HEADING_FACTOR, names=NAMED_FACTOR),
                Zone(inner, HEADING_FACTOR, names=NAMED_FACTOR),
                Zone(
                    own[place - 1] if place else _NOTHING,
                    before_factor(sentence, follows_on=follows_on),
                ),
                Zone(opening, OPENING_FACTOR),
                Zone(outer, OUTER_FACTOR, names=NAMED_FACTOR),
                Zone(
                    own[place + 1] if place + 1 < len(own) and not listed else _NOTHING,
                    AFTER_FACTOR,
                ),
                Zone(section, SECTION_FACTOR),
            )
            found.append(Place(sentence, passage, zones))
        return tuple(found)

    def _own_terms(self, sentence: Sentence) -> frozenset[str]:
        if orders(sentence.text):
            return _NOTHING
        return self._terms(sentence.cells or sentence.text)

    def _section_terms(self, at: int) -> frozenset[str]:
        """Return the words of the passages beside one, below the same heading."""
        passage = self.passages[at]
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
