"""What a question asks for: its words, its kind, and what a follow-up takes from before; pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from va_assistant import concepts
from va_assistant.questions import Turn
from va_assistant.wanted import Wanted, kind_words, of_work, spelt, wanted_by
from va_assistant.words import MONTHS, STOP_WORDS, fold, is_number, stem, terms_of, tokens

LIGHT_WEIGHT = 0.1
"""Of words that many questions have and that few answers repeat."""

KIND_WEIGHT = 0.5
"""Of words that name the kind of the answer."""

UNIT_WEIGHT = 0.5
"""Of units of time, which stand everywhere."""

EARLIER_WEIGHT = 0.5
"""Of words that a follow-up takes from the question before."""

ELLIPTIC_WEIGHT = 0.75
"""The same where the follow-up is no question without them."""

MOST_CHARACTERS = 2000
"""Of a question that are looked at, half at its beginning and half at its end.

What is longer is a text with a question before or after it. A model is given all of it; but words
are compared, spelt and searched for at a cost each, and patterns look ahead from every word."""

MOST_TERMS = 32
"""That are searched for; each may have to be compared with all words of the texts."""

_LIGHT = frozenset(
    map(
        stem,
        """
    name kind type sort thing way time tell give know say mention describe explain find want
    need use get take make come go put do happen exist exactly please many much like look
    let show info information detail details actually really currently currenty current now
    today people person someone one would could might able possible usual usually typical
    typically have has keep set ask question answer wonder wondering think believe guess
    sure main general another different various certain call called mean list state text
    document file page everything suitable since total amount number long far big old good well
    ever get
    just try different available help offer provide allow allowed there place much case rule
    policy apply
    """.split(),
    )
) | frozenset({"1"})
_UNITS = frozenset(
    map(
        stem,
        """
    day week month year hour minute time next last new first
    """.split(),
    )
)
_PLAIN_SPELLING = frozenset(
    """
    what when where which whose whom does have long many much often there their they about
    please could would should work live phone number email address price cost open close
    time hours money name language study company delivery return cancel order refund payment
    university holiday vacation password employee manager discount breakfast receive
    guarantee salary degree hobby award
    """.split()
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One word of a question."""

    term: str
    weight: float
    """1, or less for a word that says little."""

    written: str
    is_name: bool = False
    """It is written as a name, or is a number: nothing else is meant by it."""

    also: tuple[str, ...] = ()
    """Terms that would do as well."""

    is_sought: bool = False
    """It names the thing itself that is asked for: `which car`."""

    is_kind: bool = False
    """It names the kind of the answer: a sentence with an answer of that kind need not have it."""

    is_earlier: bool = False
    """It is of the question before: it helps to choose, and nothing lacks where it is not met."""


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
_ORDINALS = frozenset("first second third fourth fifth sixth seventh last next other".split())
_EXISTS = re.compile(
    r"^(?:and |so )?(?:(?:is|are|was) there|(?:do|does|did) (?:you|they|we|it|he|she|the \w+)"
    r" (?:have|own|offer|provide|know)|have you(?: got)?|has (?:he|she|it|the \w+)(?: got)?)"
    r" (?:an? |any |the |some |your |his |her )?((?:\w+ ){0,2}?\w+)"
    r"(?: (?:for|in|at|on|near|when|if|to|with|of|available|here|there|too)\b|\W*$)"
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


def asked(question: str, history: Sequence[Turn] = (), *, stems: bool = True) -> Asked:
    """Return what a question asks for, with what it takes from the conversation.

    A question that points back (`it`, `there`), or that is too short to stand alone, takes the
    words of the last question, at a lower weight. Of a long one the ends are looked at.
    """
    question = _ends(question)
    if stems:
        question = spelt(question)
    said = " ".join(fold(question).replace("’", "'").split())
    terms = _terms(question, stems=stems)
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
    before = next((turn.text for turn in reversed(history) if turn.role == "user"), "")
    if before and _leans_on_the_last(said, terms):
        earlier = asked(before, _until_last_question(history), stems=stems)
        terms += _from_before(said, terms, earlier)
        aside |= earlier.excluded
        same_kind = _SAME_KIND.match(said)
        if wanted is Wanted.OTHER or (same_kind and wanted is Wanted.YES_NO):
            wanted = earlier.wanted
    counted = re.search(
        r"\b(?:how many|number of) (?:different |other |more )?(\w+)(?: (days|weeks"
        r"|hours|months|years|people|members|places))?\b",
        said,
    )
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


def _from_before(said: str, terms: Sequence[Term], earlier: Asked) -> list[Term]:
    """Return the words that a follow-up takes from the question before.

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
    has_unit = any(term.term in _UNITS for term in terms)
    taken = []
    for old in earlier.terms:
        replaced = (old.is_name and not is_number(old.term) and has_name) or (
            has_unit and (old.term in _UNITS or is_number(old.term))
        )
        if old.term in have or (replaced and (elliptic or _SAME_KIND.match(said))):
            continue
        # What is asked about is another thing now, if the follow-up names one.
        helps = not elliptic or (has_thing and old.weight >= 1 and not old.is_kind)
        weight = old.weight * (EARLIER_WEIGHT if helps else ELLIPTIC_WEIGHT)
        taken.append(replace(old, weight=weight, is_name=False, is_earlier=helps))
    return taken


def _terms(question: str, *, stems: bool) -> list[Term]:
    """Return the words of a question once each; names first keep their spelling."""
    found: dict[str, Term] = {}
    written_small = any(c.islower() for c in question)
    for at, token in enumerate(tokens(question, stems=stems)):
        name = token.kind != "word" or (
            at > 0 and written_small and token.text[0].isupper() and token.text != "I"
        )
        for term in token.terms:
            light = term in _LIGHT and not (name and token.kind == "word")
            term_is_name = name and not light and term not in MONTHS
            found.setdefault(
                term,
                Term(
                    term=term,
                    weight=LIGHT_WEIGHT if light else UNIT_WEIGHT if term in _UNITS else 1.0,
                    written=token.text,
                    is_name=term_is_name,
                ),
            )
    if stems:
        said = " ".join(fold(question).replace("’", "'").split())
        rest, meanings = concepts.said_plainly(said)
        if meanings:
            # A turn of phrase goes as a whole: the "money" of "money back" is not asked for.
            kept = {term for token in tokens(rest) for term in token.terms}
            found = {term: value for term, value in found.items() if term in kept or value.is_name}
        for term, *also in meanings:
            found.setdefault(term, Term(term=term, weight=0.8, written=term, also=tuple(also)))
    return list(found.values())


def _leans_on_the_last(said: str, terms: Sequence[Term]) -> bool:
    if not _FULL_CLAUSE.search(said) and len(terms) < 4:
        return True
    weighty = [term for term in terms if term.weight > LIGHT_WEIGHT]
    if len(weighty) < 2 and _FOLLOWS.match(said):
        return True
    return len(weighty) < 3 and bool(_POINTS_BACK.search(said))


def _until_last_question(history: Sequence[Turn]) -> Sequence[Turn]:
    for at in range(len(history) - 1, -1, -1):
        if history[at].role == "user":
            return history[:at]
    return ()


def plain_words() -> frozenset[str]:
    """Return words that questions have, whatever the texts are; folded, not stemmed."""
    return _PLAIN_SPELLING | STOP_WORDS


def says_little(term: str) -> bool:
    """Tell whether a term is one that many questions have."""
    return term in _LIGHT
