"""What a question asks for: its words, its kind, and what a follow-up takes from before; pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache

from va_assistant import concepts
from va_assistant.questions import Turn
from va_assistant.words import MONTHS, STOP_WORDS, fold, stem, terms_of, tokens

LIGHT_WEIGHT = 0.1
"""Of words that many questions have and that few answers repeat."""

KIND_WEIGHT = 0.5
"""Of words that name the kind of the answer."""

UNIT_WEIGHT = 0.5
"""Of units of time, which stand everywhere."""

EARLIER_WEIGHT = 0.5
"""Of words that a follow-up takes from the question before."""

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
    document file page everything total amount number long far big old good well ever get
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
_JOB = frozenset(map(stem, ["work", "job", "profession", "occupation", "employer"]))
_PLAIN_SPELLING = frozenset(
    """
    what when where which whose whom does have long many much often there their they about
    please could would should work live phone number email address price cost open close
    time hours money name language study company delivery return cancel order refund payment
    university holiday vacation password employee manager discount breakfast receive
    guarantee salary degree hobby award
    """.split()
)


_HOURS = "hour time clock o'clock"
_KIND_WORDS: dict[str, str] = {
    "who": "person people colleague",
    "when": "year date day month time birthday",
    "time of the day": _HOURS,
    "where": "city town country place street address location located",
    "money": "cost price fee charge amount money euro dollar pound pay rate much",
    "amount": "size amount percentage percent much",
    "count": "number amount total",
    "duration": "long last take duration time period minute hour day week month year",
    "length": "long length period duration characters",
    "frequency": "often time frequent",
    "age": "age old birth",
    "phone number": "phone telephone mobile number",
    "email address": "email address mail contact",
    "web address": "website web site url address homepage page online",
    "employer": "work job employer company firm",
    "job": "work job profession occupation",
}
"""Words that name the kind of the answer: what is of that kind need not say them."""


class Wanted(StrEnum):
    """What kind of thing an answer must hold."""

    WHO = "who"
    WHEN = "when"
    TIME = "time of the day"
    WHERE = "where"
    MONEY = "money"
    AMOUNT = "amount"
    COUNT = "count"
    DURATION = "duration"
    LENGTH = "length"
    """In time or space."""
    FREQUENCY = "frequency"
    AGE = "age"
    PHONE = "phone number"
    EMAIL = "email address"
    WEBSITE = "web address"
    YES_NO = "yes or no"
    JOB = "job"
    EMPLOYER = "employer"
    HOW_TO = "what to do"
    WHY = "why"
    OTHER = "other"


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

    is_overview: bool = False
    """It asks what all this is about."""


_KINDS: tuple[tuple[str, Wanted], ...] = (
    ((
r"\b(?:phone|telephone|mobile|fax) (?:number|no)\b|\bnumber (?:can|do"
r"|should) i (?:call|ring|dial)"
), Wanted.PHONE),
    (r"\be-?mail address\b|\bwhat(?:'?s| is) (?:\w+ ){0,3}e-?mail\b", Wanted.EMAIL),
    (r"\b(?:web ?site|url|web ?page|web address|homepage)\b", Wanted.WEBSITE),
    (r"\bhow old\b|\bwhat age\b", Wanted.AGE),
    (r"\bhow often\b|\bhow many times\b|\bhow frequently\b", Wanted.FREQUENCY),
    ((
r"\bhow long (?:must|should|is|are|can|may|does|do) (?:\w+ ){1,3}be\b"
r"|\bhow long (?:is|are) (?:the|a|an|your) (?:\w+ )?\w+\W*$"
), Wanted.LENGTH),
    ((
r"\bhow (?:much )?(?:long|time)\b|\bhow many (?:minutes|hours|days|weeks|months"
r"|years)\b|\bhow much (?:notice|holiday|vacation|leave|time)"
), Wanted.DURATION),
    (r"\bhow many\b|\bnumber of\b", Wanted.COUNT),
    ((
r"\bhow (?:much (?:does (?:\w+ )+weigh|weight|space)|big|large|tall|heavy|far"
r"|high|deep|wide|fast)\b|\bwhat (?:size|height|weight|distance|percentage)\b"
), Wanted.AMOUNT),
    ((
r"\bhow much\b|\bwhat (?:does|do|would|did|is|are|was) (?:\w+ ){0,6}(?:costs?"
r"|price|fee|rate|charge|salary|tariff)\b|\bwhat(?:'?s| is) the (?:price|cost"
r"|fee|charge|rate|salary)\b|\b(?:price|cost) of\b"
), Wanted.MONEY),
    ((
r"\b(?:what|which|at what) (?:time|hour)\b|\bopening hours\b|\bwhen (?:do|does"
r"|are|is) (?:\w+ ){1,4}(?:open|close|shut)\b"
), Wanted.TIME),
    ((
r"\bwhen\b|\bwhat (?:year|date|day|month)\b|\bwhich (?:year|date|day|month)\b"
r"|\bsince when\b|\bhow soon\b|\bby when\b|\bbirth ?da(?:y|te)\b"
), Wanted.WHEN),
    ((
r"\bwhere\b|\b(?:what|which) (?:city|town|country|place|street|address|floor"
r"|room|building)\b"
), Wanted.WHERE),
    (r"\bwho(?:m|se)?\b|\b(?:which|what) (?:person|colleague)\b", Wanted.WHO),
    (r"\bwhy\b|\bwhat(?:'s| is) the reason\b|\bhow come\b", Wanted.WHY),
    ((
r"\bwhat (?:do|should|must|can|shall) (?:i|we|you|one) (?:\w+ ){0,3}do\b"
r"|\bwhat now\b|\bwhat (?:happens|if)\b|^how (?:do|can|should|could|would|may"
r"|must|to|does|is|are)\b"
), Wanted.HOW_TO),
    ((
r"^(?:and |so |but |also |please |hi |hello |hey )*(?:is|are|was|were|do|does"
r"|did|can|could|may|must|should|will|would|has|have|had|am)\b"
), Wanted.YES_NO),
)  # fmt: skip
_WANTED = tuple((re.compile(pattern), wanted) for pattern, wanted in _KINDS)
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
_PRESENT = re.compile(
    r"\b(?:now|today|currently|current|at the moment|these days|is|are|does|do)\b"
)
_PAST = re.compile(r"\b(?:did|was|were|had|used to|previous|former|before|earlier|\d{4})\b")
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
    words of the last question, at a lower weight.
    """
    said = " ".join(fold(question).replace("’", "'").split())
    terms = _terms(question, stems=stems)
    wanted = _wanted_by(said)
    if any(term.term in _JOB and not term.is_name for term in terms):
        if wanted in {Wanted.WHERE, Wanted.WHO} or re.search(
            r"\bemployer|\bcompany\b|\bfor\b", said
        ):
            wanted = Wanted.EMPLOYER if wanted is not Wanted.YES_NO else wanted
        elif wanted in {Wanted.OTHER, Wanted.HOW_TO}:
            wanted = Wanted.JOB
    kind_words = _kind_words(wanted)
    terms = [
        replace(term, is_kind=True, weight=min(term.weight, KIND_WEIGHT))
        if term.term in kind_words and not term.is_name
        else term
        for term in terms
    ]
    before = next((turn.text for turn in reversed(history) if turn.role == "user"), "")
    if before and _leans_on_the_last(said, terms):
        earlier = asked(before, _until_last_question(history), stems=stems)
        have = {term.term for term in terms}
        same_kind = re.match(r"^(?:and|what about|how about|but|or)\b", said)
        terms += [
            replace(old, weight=old.weight * EARLIER_WEIGHT, is_name=False, is_earlier=True)
            for old in earlier.terms
            if old.term not in have and not (same_kind and old.is_name and _has_name(terms))
        ]
        if wanted is Wanted.OTHER or (same_kind and wanted is Wanted.YES_NO):
            wanted = earlier.wanted
    counted = re.search(r"\b(?:how many|number of) (?:different |other |more )?(\w+)", said)
    return Asked(
        terms=tuple(terms),
        wanted=wanted,
        counted=stem(counted.group(1)) if counted and stems else "",
        wants_list=bool(_LISTED.search(said)),
        is_present=bool(_PRESENT.search(said)) and not _PAST.search(said),
        is_overview=bool(_OVERVIEW.match(said)),
    )


def _wanted_by(said: str) -> Wanted:
    """Return the kind of the last thing that is asked, in words before it if need be."""
    questions = [part.strip() for part in re.findall(r"[^?.!]+\?|[^?.!]+$", said)] or [said]
    for part in (*reversed(questions), said):
        for pattern, wanted in _WANTED:
            if pattern.search(part):
                return wanted
    return Wanted.OTHER


@cache
def _kind_words(wanted: Wanted) -> frozenset[str]:
    return frozenset(term for term in terms_of(_KIND_WORDS.get(wanted, "")))


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
    weighty = [term for term in terms if term.weight > LIGHT_WEIGHT]
    if len(weighty) < 2 and _FOLLOWS.match(said):
        return True
    return len(weighty) < 3 and bool(_POINTS_BACK.search(said))


def _until_last_question(history: Sequence[Turn]) -> Sequence[Turn]:
    for at in range(len(history) - 1, -1, -1):
        if history[at].role == "user":
            return history[:at]
    return ()


def _has_name(terms: Sequence[Term]) -> bool:
    return any(term.is_name for term in terms)


def plain_words() -> frozenset[str]:
    """Return words that questions have, whatever the texts are; folded, not stemmed."""
    return _PLAIN_SPELLING | STOP_WORDS


def says_little(term: str) -> bool:
    """Tell whether a term is one that many questions have."""
    return term in _LIGHT
