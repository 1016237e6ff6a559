"""What a question asks for: its words, its kind, and what a follow-up takes from before; pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from va_assistant.follow_ups import continues, last_question, leans_on_the_last, taken_along
from va_assistant.question_words import KIND_WEIGHT, Term, words_of
from va_assistant.questions import Turn
from va_assistant.spelling import spelt
from va_assistant.stemming import stem
from va_assistant.wanted import Wanted, kind_words, of_work, wanted_by
from va_assistant.words import fold, terms_of

MOST_CHARACTERS = 2000
"""Of a question that are looked at, half at its beginning and half at its end.

What is longer is a text with a question before or after it. A model is given all of it; but words
are compared, spelt and searched for at a cost each, and patterns look ahead from every word."""

MOST_TERMS = 32
"""That are searched for; each may have to be compared with all words of the texts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question as it is searched for."""

    terms: tuple[Term, ...]
    wanted: Wanted
    counted: str = ""
    """The term of what is to be counted."""

    wants_list: bool = False
    """More than one thing may be the answer."""

    is_present: bool = False
    """It asks how things are, not how they were."""

    is_identity: bool = False
    """It asks who somebody is: nothing but a name answers."""

    excluded: frozenset[str] = frozenset()
    """Terms of what the answer is not: `where was she before Acme?`."""

    is_overview: bool = False
    """It asks what all this is about."""


_LISTED = re.compile(
    r"\b(?:which|what) (?:\w+ ){0,3}\w+s\b(?<!\bis)(?<!\bdoes)(?<!\bwas)|\blist\b|\ball\b|\bways\b|"
    r"\b(?:name|tell me) (?:the|all)\b|\bwhat (?:are|were)\b|\boptions\b"
)
_OVERVIEW = re.compile(
    r"^(?:what(?:'s| is) (?:this|that|it|the (?:text|document|page)) (?:all )?about|"
    r"what (?:can|may|should|could) (?:i|we|one) ask(?: you| about| here)*|what do you know|"
    r"summari[sz]e(?: (?:this|it|the \w+))*|(?:give me |can you give me )?(?:a |an |the )?"
    r"(?:short |brief )?(?:summary|overview)(?: of (?:this|it|the \w+))?|tl;?dr"
    r"|who is this(?: about)?)"
    r"(?: please)?\W*$"
)
_IDENTITY = re.compile(r"\bwho(?:'s| is| was| are| were) (?:the|your|our|his|her|their|its|my)\b")
_EXISTS = re.compile(
    r"^(?:and |so )?(?:(?:is|are|was) there|(?:do|does|did) (?:you|they|we|it|he|she|the \w+)"
    r" (?:have|own|offer|provide|know)|have you(?: got)?|has (?:he|she|it|the \w+)(?: got)?)"
    r" (?:an? |any |the |some |your |his |her )?((?:\w+ ){0,2}?\w+)"
    r"(?: (?:for|in|at|on|near|when|if|to|with|of|available|here|there|too)\b|\W*$)"
)
_COUNTED = re.compile(
    r"\b(?:how many|number of) (?:different |other |more )?(\w+)(?: (days|weeks"
    r"|hours|months|years|people|members|places))?\b"
)
_BESIDES = re.compile(
    r"\b(?:before|besides|apart from|except(?: for)?|other than|instead of|prior to) (?:the )?"
    r"([A-ZÀ-Þ]\w+(?: [A-ZÀ-Þ]\w+)*)"
)
"""What a question names as what the answer is not: `where was she before Acme?`."""

_SOUGHT = re.compile(
    r"\b(?:which|what) (?:kind of |type of |sort of )?(\w+) (?:do|does|did|has|have|is|are"
    r"|was|can|may|\w{3,}s)\b"
)
_PRESENT = re.compile(
    r"\b(?:now|today|currently|current|at the moment|these days|is|are|does|do)\b"
)
_PAST = re.compile(r"\b(?:did|was|were|had|used to|previous|former|before|earlier|\d{4})\b")


def asked(question: str, history: Sequence[Turn] = (), *, stems: bool = True) -> Asked:
    """Return what a question asks for, with what it takes from the conversation.

    A question that points back (`it`, `there`), or that is too short to stand alone, takes the
    words of the last question, at a lower weight. Of a long one the ends are looked at.
    """
    question = _ends(question)
    if stems:
        question = spelt(question)
    said = " ".join(fold(question).replace("’", "'").split())
    terms = words_of(question, said, stems=stems)
    if len(terms) > MOST_TERMS:
        terms = terms[: MOST_TERMS // 2] + terms[-MOST_TERMS // 2 :]
    wanted = wanted_by(said)
    if wanted in {Wanted.WHERE, Wanted.WHO, Wanted.OTHER, Wanted.HOW_TO}:
        wanted = of_work(said, {term.term for term in terms if not term.is_name}) or wanted
    of_kind = kind_words(wanted)
    terms = [
        replace(term, is_kind=True, weight=min(term.weight, KIND_WEIGHT))
        if term.term in of_kind and not term.is_name
        else term
        for term in terms
    ]
    sought = _SOUGHT.search(said) if wanted is Wanted.OTHER else _EXISTS.search(said)
    if sought:
        thing = terms_of(sought.group(1), stems=stems)
        terms = [
            replace(term, is_sought=True) if [term.term] == thing[-1:] else term for term in terms
        ]
    aside = {term for name in _BESIDES.findall(question) for term in terms_of(name, stems=stems)}
    terms = [term for term in terms if term.term not in aside]
    before, history = last_question(history)
    if before and leans_on_the_last(said, terms):
        earlier = asked(before, history, stems=stems)
        terms += taken_along(said, terms, earlier.terms)
        aside |= earlier.excluded
        if wanted is Wanted.OTHER or (wanted is Wanted.YES_NO and continues(said)):
            wanted = earlier.wanted
    counted = _COUNTED.search(said)
    return Asked(
        terms=tuple(terms[:MOST_TERMS]),
        wanted=wanted,
        counted=stem(counted.group(2) or counted.group(1)) if counted and stems else "",
        wants_list=bool(_LISTED.search(said)),
        is_present=bool(_PRESENT.search(said)) and not _PAST.search(said),
        is_identity=bool(_IDENTITY.search(said)),
        excluded=frozenset(aside),
        is_overview=bool(_OVERVIEW.match(said)),
    )


def _ends(question: str) -> str:
    """Return a question, or the beginning and the end of a long one."""
    if len(question) <= MOST_CHARACTERS:
        return question
    half = MOST_CHARACTERS // 2
    return f"{question[:half]}\n{question[-half:]}"
