"""Whether a sentence holds the kind of thing that a question asks for; pure.

A date for `when`, an amount of money for `how much`, a counted thing for `how many`. Without
it a sentence may share every word with the question and still not answer it.
"""

import re
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from functools import lru_cache

from va_assistant import concepts, signs
from va_assistant.asking import Asked
from va_assistant.calendars import MONTHS, WEEKDAYS
from va_assistant.passages import Sentence
from va_assistant.stemming import stem
from va_assistant.wanted import Wanted
from va_assistant.words import Token, terms_of, tokens

SENTENCES_KEPT = 1024
"""Sentences of which stays known what they say: the next question is of the same texts."""

STRONG = frozenset(
    {
        Wanted.MONEY, Wanted.COUNT, Wanted.AMOUNT, Wanted.DURATION, Wanted.AGE, Wanted.PHONE,
        Wanted.LENGTH, Wanted.EMAIL, Wanted.WEBSITE, Wanted.WHEN, Wanted.TIME, Wanted.FREQUENCY,
        Wanted.ADDRESS, Wanted.WEIGHT, Wanted.DISTANCE, Wanted.CONTACT, Wanted.NAME,
        Wanted.WHO, Wanted.JOB, Wanted.EMPLOYER,
    }
)  # fmt: skip
"""Kinds that can be seen in a sentence for sure; the others are only preferred."""

SHOWN = frozenset({Wanted.PHONE, Wanted.EMAIL, Wanted.WEBSITE, Wanted.CONTACT, Wanted.ADDRESS})
"""Kinds whose look alone tells what they are: a line of a letterhead has no other words."""

PREFERRED = (STRONG - {Wanted.WHO}) | {Wanted.HOW_TO}
"""Kinds whose presence speaks for a sentence."""

BY_THE_WORDS = frozenset({Wanted.COUNT, Wanted.WHO, Wanted.NAME})
"""Kinds for which the words of the question tell, too, whether a sentence has them."""

_SIGNS = {
    Wanted.WHEN: (signs.DATE, signs.CLOCK),
    Wanted.TIME: (signs.CLOCK,),
    Wanted.DURATION: (signs.DURATION,),
    Wanted.FREQUENCY: (signs.FREQUENCY, signs.DURATION),
    Wanted.LENGTH: (signs.LENGTH, signs.DURATION),
    Wanted.WEIGHT: (signs.WEIGHT,),
    Wanted.DISTANCE: (signs.DISTANCE,),
    Wanted.AMOUNT: (signs.NUMBER,),
    Wanted.MONEY: (signs.MONEY,),
    Wanted.AGE: (signs.AGE,),
    Wanted.PHONE: (signs.PHONE,),
    Wanted.EMAIL: (signs.EMAIL,),
    Wanted.WEBSITE: (signs.WEB,),
    Wanted.CONTACT: (signs.CONTACT,),
    Wanted.ADDRESS: (signs.STREET,),
    Wanted.WHERE: (signs.PLACE,),
    Wanted.JOB: (signs.JOB,),
    Wanted.EMPLOYER: (signs.EMPLOYER,),
    Wanted.HOW_TO: (signs.STEP,),
}
"""What a sentence must show, one or the other; of the kinds left out it need not show anything."""

_CALENDAR = {*MONTHS, *WEEKDAYS}
_LEADING = frozenset(
    map(stem, "lead leads run head manage own found charge responsible chair supervise".split())
)
"""What one does, not many."""

_HAS = frozenset({"have", "has", "had", "are", "is", "with", "there"})
_TIES = re.compile(r":|=|\b(?:is|are|was|to|of|from)\b|;|\||\b(?:most|least|than)\b")
"""What stands between a thing and how many there are of it."""


def holds(asked: Asked, sentence: Sentence) -> bool:
    """Tell whether a sentence has the kind of thing that is wanted."""
    if asked.wanted is Wanted.COUNT:
        return _counts(asked.counted, sentence)
    if asked.wanted is Wanted.WHO:
        return _names_anybody(asked, sentence.text)
    if asked.wanted is Wanted.NAME:
        return _names_something(asked, sentence.text)
    return (
        shows(asked.wanted, sentence.text)
        or (asked.wanted is Wanted.MONEY and _is_priced(sentence))
        or (asked.wanted is Wanted.AGE and _is_age(sentence))
    )


def shows(wanted: Wanted, text: str) -> bool:
    """Tell whether a text has what looks like a kind of thing."""
    ways = _SIGNS.get(wanted)
    return ways is None or any(way.search(text) for way in ways)


def says_what_to_do(text: str) -> bool:
    """Tell whether a sentence bids the reader do something."""
    return bool(signs.IMPERATIVE.search(text))


def has_names(text: str) -> bool:
    """Tell whether a sentence names somebody or something."""
    return bool(signs.NAME.search(text))


def names_somebody(asked: Asked, text: str) -> bool:
    """Tell whether a sentence has the full name of somebody, of whom the question does not."""
    return not _is_of(asked, text) and _has_another(asked, _full_names(text))


@lru_cache(maxsize=SENTENCES_KEPT)
def speaks_of_now(text: str) -> float:
    """Return 1 for how things are, -1 for how they were, 0 where neither is said."""
    if signs.NOW.search(text):
        return 1.0
    return -1.0 if signs.CLOSED_SPAN.search(text) and not signs.IS.search(text) else 0.0


def _is_priced(sentence: Sentence) -> bool:
    """Tell whether a number without unit is a price: a price list names its currency once."""
    shown = sentence.cells or sentence.text
    around = " ".join((sentence.text, sentence.intro, *sentence.headings[-2:]))
    return bool(
        signs.BARE_NUMBER.search(shown) and (sentence.has_currency or signs.PRICED.search(around))
    )


def _is_age(sentence: Sentence) -> bool:
    """Tell whether a number is an age because the line that opens the list speaks of ages."""
    return bool(signs.NUMBER.search(sentence.text) and signs.AGE_WORD.search(sentence.intro))


def _names_something(asked: Asked, text: str) -> bool:
    """Tell whether a sentence has a name, or something in quotes, that the question does not."""
    return bool(signs.CALLED.search(text)) or _has_another(asked, _names(text))


def _names_anybody(asked: Asked, text: str) -> bool:
    if _is_of(asked, text):
        return True
    known = {term.term for term in asked.terms}
    roles = _roles(signs.MANY.sub("", text) if known & _LEADING else text)
    has_role = not roles <= known | _CALENDAR
    return (has_role and not asked.is_identity) or _has_another(asked, _names(text), _CALENDAR)


def _is_of(asked: Asked, text: str) -> bool:
    """Tell whether a question only names somebody (`Who is Ada?`) of whom a sentence speaks."""
    return not asked.is_identity and {term.term for term in asked.terms} <= _capitalised(text)


def _has_another(
    asked: Asked, names: Sequence[frozenset[str]], known: AbstractSet[str] = frozenset()
) -> bool:
    """Tell whether one of some names has no word of the question, nor a known one."""
    known = known | {term.term for term in asked.terms}
    return any(map(known.isdisjoint, names))


@lru_cache(maxsize=SENTENCES_KEPT)
def _names(text: str) -> tuple[frozenset[str], ...]:
    return tuple(frozenset(terms_of(name)) for name in signs.NAME.findall(text))


@lru_cache(maxsize=SENTENCES_KEPT)
def _full_names(text: str) -> tuple[frozenset[str], ...]:
    return tuple(frozenset(terms_of(name)) for name in signs.FULL_NAME.findall(text))


@lru_cache(maxsize=SENTENCES_KEPT)
def _roles(text: str) -> frozenset[str]:
    return frozenset(stem(role.lower()) for role in signs.ROLE.findall(text))


@lru_cache(maxsize=SENTENCES_KEPT)
def _capitalised(text: str) -> frozenset[str]:
    return frozenset(term for word in signs.CAPITALISED.findall(text) for term in terms_of(word))


def _counts(counted: str, sentence: Sentence) -> bool:
    """Tell whether a number stands with what is counted: `25 days`, `Days: 25`, `days are 25`."""
    if not counted:
        return bool(signs.NUMBER.search(sentence.text))
    meant = {counted, *concepts.mates(counted)}
    text = signs.NUMBERING.sub("", sentence.text)
    found, numbers = _numbers(text)
    things = [at for at, token in enumerate(found) if not meant.isdisjoint(token.terms)]
    if not things and {stem(w) for w in sentence.intro.lower().split()} & meant:
        return bool(numbers)
    if things and len(signs.LISTED.findall(text, found[things[0]].start)) > 1:
        return True  # they are listed: whoever asks can count them
    return any(
        at + step in things
        or (at - step in things and _TIES.search(text[found[at - step].start : found[at].start]))
        for at in numbers
        for step in (1, 2, 3)
    )


@lru_cache(maxsize=SENTENCES_KEPT // 4)  # the words of a sentence take some kilobytes
def _numbers(text: str) -> tuple[Sequence[Token], Sequence[int]]:
    """Return the words of a sentence, and which of them say how many of something there are."""
    found = tokens(text)
    numbers = [
        at
        for at, token in enumerate(found)
        if token.kind == "number"
        or (token.terms and token.terms[0].isdigit())
        or token.text.lower() in {"none", "both", "unlimited"}
        or (token.text.lower() == "no" and at and found[at - 1].text.lower() in _HAS)
    ]
    return found, [at for at in numbers if not signs.OF_AGE.match(text[found[at].start :])]
