"""The words of a question, with what each of them says; pure."""

from dataclasses import dataclass

from va_assistant.calendars import MONTHS
from va_assistant.phrases import said_plainly
from va_assistant.stemming import stem
from va_assistant.words import STOP_WORDS, tokens

LIGHT_WEIGHT = 0.1
"""Of words that many questions have and that few answers repeat."""

KIND_WEIGHT = 0.5
"""Of words that name the kind of the answer."""

UNIT_WEIGHT = 0.5
"""Of units of time, which stand everywhere."""

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


def words_of(question: str, said: str, *, stems: bool) -> list[Term]:
    """Return the words of a question once each, as they stand first; `said` is it folded."""
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
        rest, meanings = said_plainly(said)
        if meanings:
            # A turn of phrase goes as a whole: the "money" of "money back" is not asked for.
            kept = {term for token in tokens(rest) for term in token.terms}
            found = {term: value for term, value in found.items() if term in kept or value.is_name}
        for term, *also in meanings:
            found.setdefault(term, Term(term=term, weight=0.8, written=term, also=tuple(also)))
    return list(found.values())


def plain_words() -> frozenset[str]:
    """Return words that questions have, whatever the texts are; folded, not stemmed."""
    return _PLAIN_SPELLING | STOP_WORDS


def is_unit(term: Term) -> bool:
    """Tell whether a word is a unit of time."""
    return term.term in _UNITS


def says_little(term: str) -> bool:
    """Tell whether a term is one that many questions have."""
    return term in _LIGHT
