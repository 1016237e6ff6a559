"""Words of texts and questions in the one form in which they are compared; pure.

Folded (case, accents), lightly stemmed, with numbers, dates, times and money in a normal form, so
that `€1,200.00` meets `1200 euros` and `5 pm` meets `17:00`. The stemming is English and no more
than trimming: a text in another language is compared as it is written (`stems=False`).
"""

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

from va_assistant import figures
from va_assistant.calendars import PLACE, begins_as_one, depends_on_its_place, month_or_day
from va_assistant.numerals import NUMBER_WORDS
from va_assistant.stemming import stem

_ADDRESSES = r"""
    (?P<email>[\w.+-]+@[\w-]+(?:\.[\w-]+)+)
  | (?P<url>(?:https?://|www\.)[^\s<>()\[\]"',;|]+[^\s<>()\[\]"'.,;:!?|])
  |"""
_OTHERS = r"""
    (?P<word>(?!\d)(?:[A-Za-z]-[^\W\d_]{2,}|[^\W\d_]+(?:['’][^\W\d_]+)*))
  | (?P<iso>\b\d{4}-\d{2}-\d{2}\b)
  | (?P<dmy>\b\d{1,2}\.\d{1,2}\.\d{4}\b)
  | (?P<clock>\b(?:[01]?\d|2[0-4])[:h][0-5]\d(?:\s?[ap]\.?m\b\.?)?(?!\w)|\b(?:1[0-2]
    |0?[1-9])(?:\.[0-5]\d)?\s?[ap]\.?m\b\.?)
  | (?P<number>\d+(?:[.,'’\u00a0\u202f]\d+)*(?:(?:st|nd|rd|th)\b)?)
  | (?P<symbol>[€$£%])
    """
_TOKEN = re.compile(_ADDRESSES + _OTHERS, re.VERBOSE | re.IGNORECASE)
_TOKEN_WITHOUT_ADDRESS = re.compile(_OTHERS, re.VERBOSE | re.IGNORECASE)
_ADDRESS = re.compile(r"@|://|www\.", re.IGNORECASE)
_PLAIN = re.compile(
    r"[A-Za-z]-[^\W\d_]{2,}|[^\W\d_]+(?:['’][^\W\d_]+)*"
    r"|\d+(?:[.,'’\u00a0\u202f]\d+)*(?:(?:st|nd|rd|th)\b)?|[€$£%]",
    re.IGNORECASE,
)
"""The words, numbers and symbols of a text that has nothing else."""

_MORE_THAN_PLAIN = re.compile(
    r"@|://|www\.|\d(?:[:h]\d|-\d|\.\d+\.\d|\s?[ap]\.?m\b)", re.IGNORECASE
)
"""What every address, date in digits and time of the day has."""

_CJK = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\u0e00-\u0e7f]")
STOP_WORDS = frozenset(
    """
    a about above after again all also am an and any are aren't arent as at be because been
    before being below between both but by can cannot cant can't could couldnt did didnt do
    does doesnt doing dont down during each else ever few for from further had has have
    having he her here hers herself him himself his how i if in into is isnt it its itself
    just let lets me more most much must my myself no nor not now of off on once only or
    other ought our ours ourselves out over own please same shall she should shouldnt so
    some such than that thats the their theirs them themselves then there theres these they
    this those through to too under until up us very was wasnt we were what whats when where
    wheres which while who whom whos whose why will with wont would wouldnt you your yours
    yourself yourselves im ive id hes shes theyre whens hows youre may might upon within
    without via per yet still already anyone anybody someone somebody something anything
    everything everyone somewhere anywhere nowhere everywhere along etc ok okay hi hello hey
    thanks der die das ein eine und ist von mit
    fur auf den dem des im zu wo wer wann wie was le la les un une des du de et est en pour
    qui que quoi ou quand el los las una y es con por para quien donde cuando como cual il
    lo gli di che chi dove quando e per
    """.split()
)
"""Words that say nothing by themselves, of English and a few neighbours."""

_NOT_ASCII = re.compile(r"[^\x00-\x7f]+")


class Token(NamedTuple):
    """One word as it stands in a text."""

    text: str
    """As it is written."""

    start: int
    """Where it begins."""

    kind: str
    """`word`, `number`, `clock`, `symbol`, `email` or `url`."""

    terms: tuple[str, ...]
    """What it is compared by; none for a word that says nothing."""


def fold(text: str) -> str:
    """Return a text without case and accents."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return _NOT_ASCII.sub(_without_marks, decomposed)


def _without_marks(found: re.Match[str]) -> str:
    return "".join(char for char in found[0] if not unicodedata.combining(char))


def tokens(text: str, *, stems: bool = True) -> list[Token]:
    """Return the words of a text in their order; one that says nothing has no terms."""
    found: list[Token] = []
    number_end = -1
    pattern = _TOKEN if _ADDRESS.search(text) else _TOKEN_WITHOUT_ADDRESS
    for match in pattern.finditer(text):
        kind = match.lastgroup or "word"
        written = match.group()
        if kind == "word":
            terms = _terms_anywhere(written, stems)
            if terms is None:
                start, end = match.span()
                name = month_or_day(
                    written,
                    text[max(0, start - PLACE) : start],
                    text[end : end + PLACE],
                    after_number=number_end > 0 and not text[number_end:start].strip(),
                )
                terms = (name,) if name else _word_terms(written, stems)
        else:
            terms = _special_terms(kind, written)
            kind = {"iso": "number", "dmy": "number"}.get(kind, kind)
        number_end = match.end() if kind == "number" else -1
        found.append(Token(written, match.start(), kind, terms))
    return found


def terms_of(text: str, *, stems: bool = True) -> list[str]:
    """Return what a text is compared by, in its order."""
    if not _MORE_THAN_PLAIN.search(text):
        # Most sentences. A whole book is indexed before the first answer.
        found: list[str] = []
        for written in _PLAIN.findall(text):
            terms = _terms_anywhere(written, stems)
            if terms is None:
                break
            found += terms
        else:
            return found
    return [term for token in tokens(text, stems=stems) for term in token.terms]


def is_number(term: str) -> bool:
    """Tell whether a term is a number or a time of the day."""
    return term[:1].isdigit()


@lru_cache(maxsize=16384)
def _terms_anywhere(written: str, stems: bool) -> tuple[str, ...] | None:
    """Return the terms of a word, a number or a symbol.

    None for what is a month or a day only where it stands so: `May`, `Sun`.
    """
    if written[0].isdecimal():
        return _special_terms("number", written)
    if written in figures.UNITS and not written.isalpha():
        return _special_terms("symbol", written)
    if not begins_as_one(written):
        return _word_terms(written, stems)
    if depends_on_its_place(written):
        return None
    name = month_or_day(written)
    return (name,) if name else _word_terms(written, stems)


@lru_cache(maxsize=8192)
def _word_terms(written: str, stems: bool) -> tuple[str, ...]:
    if written == "IT":  # a department, not a pronoun
        return ("informationtechnology",)
    word = fold(written).replace("’", "'")
    word = word.removesuffix("'s")
    word = word.replace("'", "").replace("-", "")  # e-mail, T-shirt
    if word in NUMBER_WORDS:
        return (NUMBER_WORDS[word],)
    if word in figures.UNITS:
        return (figures.UNITS[word],)
    if _CJK.search(word):
        return tuple(word[at : at + 2] for at in range(max(1, len(word) - 1)))
    if word in STOP_WORDS:
        return ()
    return (stem(word),) if stems else (word,)


def _special_terms(kind: str, written: str) -> tuple[str, ...]:
    if kind in {"email", "url"}:
        return (written.lower(),)
    if kind == "symbol":
        return (figures.UNITS[written],)
    if kind == "clock":
        return (figures.clock(written),)
    if kind == "iso":
        year, month, day = written.split("-")
        return figures.date(day, month, year)
    if kind == "dmy":
        return figures.date(*written.split("."))
    return (figures.number(written),)
