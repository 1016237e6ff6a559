"""How much of a question a sentence holds: in itself and in what must be read with it; pure.

A word counts in full in the sentence, less in the question that it answers, in the headings
above it and in its neighbours, and less again where only a word of like meaning stands there.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from operator import itemgetter
from typing import NamedTuple

from va_assistant import concepts, evidence
from va_assistant.asking import Asked
from va_assistant.passages import Passage, Sentence
from va_assistant.question_words import LIGHT_WEIGHT, Term
from va_assistant.wanted import Wanted
from va_assistant.words import is_number

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

_POINTS_BACK = re.compile(
    r"\b(?:it|its|they|them|their|this|that|these|those|he|she|his|her|there|here|then|both|such"
    r"|one|ones|otherwise|else|also)\b|^(?:the|yes|no)\b",
    re.IGNORECASE,
)


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

    holds_wanted: bool
    """It has the kind of thing that is asked for."""


class Word(NamedTuple):
    """A word of a question as it is looked for in the texts."""

    term: Term
    rarity: float
    """How much it tells passages apart; 0 to 1."""

    meant: Mapping[str, float]
    """The terms of the texts that it may mean, and how surely."""

    wider: frozenset[str]
    """Terms that it names a kind of."""


class Zone(NamedTuple):
    """Words at one distance from a sentence."""

    words: frozenset[str]
    factor: float
    names: float = 0.0
    """The factor for names, where it is another."""


class Place:
    """A sentence with the words in it and around it: what the text alone decides."""

    __slots__ = ("_holds", "_names", "_naming", "has_names", "own", "passage", "sentence", "worth")

    def __init__(self, sentence: Sentence, passage: Passage, zones: Sequence[Zone]) -> None:
        """`zones` begin with the sentence itself and what else names the thing it is about."""
        self.sentence = sentence
        self.passage = passage
        self.own = zones[0].words
        self.has_names = evidence.has_names(sentence.text)
        self.worth = _best_factors((zone.words, zone.factor) for zone in zones)
        """Each word here, with what it counts in the zone where it counts most."""

        named = _best_factors((zone.words, zone.names) for zone in zones if zone.names)
        self._names = {word: factor for word, factor in named.items() if factor > self.worth[word]}
        """Those that count more as names."""

        self._naming = tuple(zone.words for zone in zones[:NAMING_ZONES])
        self._holds: dict[Wanted, bool] = {}

    def holds(self, asked: Asked) -> bool:
        """Tell whether the sentence has the kind of thing that is asked for."""
        wanted = asked.wanted
        if wanted in evidence.BY_THE_WORDS:
            return evidence.holds(asked, self.sentence)
        if wanted not in self._holds:
            self._holds[wanted] = evidence.holds(asked, self.sentence)
        return self._holds[wanted]

    def worth_as_name(self, word: str) -> float:
        """Return what a name counts here; nothing where it does not stand."""
        return self._names.get(word) or self.worth.get(word, 0.0)

    def is_about(self, words: frozenset[str]) -> bool:
        """Tell whether one of some words names the thing that the sentence is about."""
        return not all(words.isdisjoint(zone) for zone in self._naming)


def _best_factors(zones: Iterable[tuple[frozenset[str], float]]) -> Mapping[str, float]:
    best: dict[str, float] = {}
    for words, factor in sorted(zones, key=itemgetter(1)):
        best |= dict.fromkeys(words, factor)
    return best


def before_factor(sentence: Sentence, *, follows_on: bool) -> float:
    """Return what the words before a sentence count: most where it points back to them."""
    if sentence.in_list and not follows_on:
        return AFTER_FACTOR
    return BEFORE_FACTOR if _POINTS_BACK.search(sentence.text) else UNTIED_FACTOR


def weigh(place: Place, asked: Asked, words: Sequence[Word]) -> Hit:
    """Return how much of a question a sentence holds."""
    held = in_itself = whole = bonus = before = 0.0
    weakest = 1.0
    solid = 0
    missing = []
    taken = {word.term.term for word in words}
    """Words of the question, and of the text those that stand for one of them already."""
    holds = place.holds(asked)
    is_yes_no = asked.wanted is Wanted.YES_NO
    for term, rarity, meant, wider in words:
        weight = term.weight * (0.35 + 0.65 * rarity)
        match, inside, by = _match(term, meant, place, taken)
        if by in wider and (not inside or _names_another_kind(term, by, place.own)):
            match = inside = 0.0
        is_its_own = by == term.term or by not in taken
        taken.add(by)
        if term.is_kind and holds:
            match, inside = max(match, KIND_FACTOR), max(inside, KIND_FACTOR)
        if term.is_earlier:
            bonus += weight * match
            before += weight
            continue
        if not match and term.is_name and is_yes_no:
            weight *= 0.3  # "is she from Rome?" is answered by where she is from
        whole += weight
        held += weight * match
        in_itself += weight * inside
        if term.is_name and place.has_names and not is_number(term.term) and match < HEADING_FACTOR:
            match *= ELSEWHERE_FACTOR
        if term.is_sought and (inside if is_yes_no else match) < SOUGHT:
            match = 0.0
        if not term.is_kind and not term.is_name and term.weight >= WEIGHTY and is_its_own:
            weakest = min(weakest, match)
            solid += inside >= SOLID
        if not match and term.weight > LIGHT_WEIGHT:
            missing.append(term)
    return Hit(
        sentence=place.sentence,
        passage=place.passage,
        coverage=(held / whole if whole else 0.0) + EARLIER_SHARE * bonus / (before or 1),
        own=in_itself / whole if whole else 0.0,
        weakest=weakest,
        solid=solid,
        missing=tuple(missing),
        holds_wanted=holds,
    )


def _names_another_kind(term: Term, wide: str, words: frozenset[str]) -> bool:
    """Tell whether a line has another kind of the thing: a master's degree is no doctorate."""
    same = {term.term, *concepts.mates(term.term)}
    return bool((concepts.kinds_of(wide) & words) - same)


def _match(
    term: Term, meant: Mapping[str, float], place: Place, taken: AbstractSet[str]
) -> tuple[float, float, str]:
    """Return how well a word is met around a sentence, how well in it, and by which word."""
    best = inside = 0.0
    by = ""
    if place.worth.keys().isdisjoint(meant):
        return best, inside, by
    met = 0
    for word, factor in meant.items():
        worth = place.worth_as_name(word) if term.is_name else place.worth.get(word, 0.0)
        if not worth:
            continue
        met += 1
        if word != term.term and word in taken:
            factor *= TAKEN_FACTOR
        if factor * worth > best:
            best, by = factor * worth, word
        if factor > inside and word in place.own:
            inside = factor
    if met > 1 and best < 1:
        best = min(1.0, best * SEVERAL_BONUS)
    return best, inside, by
