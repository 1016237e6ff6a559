"""What a question takes from the one before it; pure."""

import re
from collections.abc import Sequence
from dataclasses import replace

from va_assistant.question_words import LIGHT_WEIGHT, Term, is_unit
from va_assistant.questions import Turn
from va_assistant.words import is_number

EARLIER_WEIGHT = 0.5
"""Of words that a follow-up takes from the question before."""

ELLIPTIC_WEIGHT = 0.75
"""The same where the follow-up is no question without them."""

_ORDINALS = frozenset("first second third fourth fifth sixth seventh last next other".split())
_SAME_KIND = re.compile(r"^(?:and|what about|how about|but|or)\b")
_FULL_CLAUSE = re.compile(
    r"\b(?:is|are|was|were|do|does|did|has|have|had|can|could|may|must|should|will|would|costs?"
    r"|don't|doesn't|can't)\b"
)
_FOLLOWS = re.compile(
    r"^(?:and|but|also|so|then|what about|how about|what if|why|why not|since when|where|when|who|"
    r"how much|how many|how long|which one|which|really|are you sure|more|else|anything else)\b"
)
_POINTS_BACK = re.compile(
    r"\b(?:it|its|that|this|those|these|them|they|their|he|she|his|her|him|there|then|one|ones|"
    r"same|the (?:first|second|other|last) one)\b"
)


_NAMES_NOTHING = re.compile(
    r"\b(?:it|its|that|this|those|these|them|they|their|ones?|same|(?<!is )(?<!are )there)\b"
)


def last_question(history: Sequence[Turn]) -> tuple[str, Sequence[Turn]]:
    """Return the question before, and the conversation before that; `""` where there is none."""
    for at in range(len(history) - 1, -1, -1):
        if history[at].role == "user":
            return history[at].text, history[:at]
    return "", ()


def continues(said: str) -> bool:
    """Tell whether a folded question goes on with the kind of the last: `and for a week?`."""
    return bool(_SAME_KIND.match(said))


def may_be_a_part(said: str) -> bool:
    """Tell whether a folded question may say too little alone: `for a week?`, `who leads it?`.

    Whom `she` means, a text about one person says by itself.
    """
    return not _FULL_CLAUSE.search(said) or bool(_NAMES_NOTHING.search(said))


def leans_on_the_last(said: str, terms: Sequence[Term]) -> bool:
    """Tell whether a folded question is understood only with the one before."""
    if not _FULL_CLAUSE.search(said) and len(terms) < 4:
        return True
    weighty = [term for term in terms if term.weight > LIGHT_WEIGHT]
    if len(weighty) < 2 and _FOLLOWS.match(said):
        return True
    return len(weighty) < 3 and bool(_POINTS_BACK.search(said))


def taken_along(said: str, terms: Sequence[Term], earlier: Sequence[Term]) -> list[Term]:
    """Return the words that a follow-up takes from the question before, in folded text.

    One that only replaces a part (`and for a week?`) is the whole question again, without what
    it replaces: a name for a name, a number and its unit for others. Another one (`who leads
    it?`) is a question of its own, for which the words before only help to choose.
    """
    have = {term.term for term in terms}
    elliptic = not _FULL_CLAUSE.search(said)
    has_name = any(term.is_name and not is_number(term.term) for term in terms)
    has_thing = any(
        term.weight >= 1 and not is_number(term.term) and term.written not in _ORDINALS
        for term in terms
    )
    has_unit = any(map(is_unit, terms))
    taken = []
    for old in earlier:
        replaced = (old.is_name and not is_number(old.term) and has_name) or (
            has_unit and (is_unit(old) or is_number(old.term))
        )
        if old.term in have or (replaced and (elliptic or continues(said))):
            continue
        # What is asked about is another thing now, if the follow-up names one.
        helps = not elliptic or (has_thing and old.weight >= 1 and not old.is_kind)
        weight = old.weight * (EARLIER_WEIGHT if helps else ELLIPTIC_WEIGHT)
        taken.append(replace(old, weight=weight, is_name=False, is_earlier=helps))
    return taken
