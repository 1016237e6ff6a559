"""What a sentence of an answer states, clause by clause: numbers, names, dates, plain words; pure.

A name is told from a noun by its capital. The first word of a sentence has one anyway, so there it
is a name unless it is known as a word; in German every noun has one, so there a name is what
stands where nouns have an article.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from va_assistant import concepts
from va_assistant.calendars import calendar
from va_assistant.languages import NEGATION, YES, is_small
from va_assistant.numerals import joins, value, values_of
from va_assistant.question_words import says_little
from va_assistant.stemming import stem
from va_assistant.words import STOP_WORDS, Token, fold, is_number, tokens

_CLAUSE_ENDS = re.compile(
    r"[,;:]\s|\s[-\u2013\u2014]\s|\s(?:and|but|because|und|aber|sondern|denn|et|mais|car|y|pero|sino|e|ma|maar"
    r"|og|men|mas)\s"
)
_OPENERS = frozenset(
    """
    according additionally alternatively although apart arguably aside assuming based beside
    besides beyond both certainly congratulations consequently currently despite either every
    everyone everything evidently finally first firstly following formerly furthermore generally
    given hence here hello however including indeed initially instead lastly later likewise many
    meanwhile moreover most namely neither nevertheless nobody none normally nothing once one
    otherwise overall per perhaps presently previously prior rather regarding regardless right
    second secondly several short similarly simply since sorry specifically starting still sure
    then thereafter therefore third though throughout thus today together toward towards typically
    unfortunately unlike unless usually whereas whether whoever worth yes yet
    """.split()
)
"""Words that English sentences begin with and texts need not have."""

MOST_PARTS = 9
"""Words of one number."""

_PLAIN = frozenset(
    map(
        stem,
        """
    year month week day hour minute second time
    move join become start begin stay remain include receive contain hold involve mean follow
    additional extra plus addition also free complete finish attend serve request require date
    """.split(),
    )
)
"""Units of time, and words that others put what they read in."""

_TIME = re.compile(r"\d\s?(?:Uhr|heures?|uur|o['\u2019]?clock|horas?)\b")
_ADVERB = re.compile(r"\w{5,}(?:ly|ally|wise)$")
_PARTICIPLE = re.compile(r"\w{4,}(?:ing|ed)$")
_VERBS = frozenset(
    """
    is was has had will can does did ist war hat hatte wird kann leitet fuhrt est etait a dirige
    sera era tiene fue e ha har heeft
    """.split()
)
"""What follows a name that opens a sentence; of a list of things the verb would be plural."""

_BEFORE_NAMES = frozenset("aus bei von nach in heisst namens".split())
_NO_NAMES = re.compile(
    r"\w*(?:ung|heit|keit|schaft|tion|tat|zeit|tage|beruf|arbeit|bau|ing|isch|deutsch)$"
)


@dataclass(frozen=True, slots=True)
class Fact:
    """A number, name, date or address: what may not be put in other words."""

    terms: tuple[str, ...]
    start: int
    is_name: bool = False
    clocks: tuple[str, ...] = ()
    """The times of the day that a bare number may mean: `at 5 o'clock`, `um 17 Uhr`."""


@dataclass(frozen=True, slots=True)
class Clause:
    """A part of a sentence that says one thing."""

    facts: tuple[Fact, ...]
    words: tuple[str, ...]
    """Terms of its other words that say something."""

    denies: bool


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence as it is compared with the texts."""

    clauses: tuple[Clause, ...]
    affirms: bool
    """It begins with a yes, so it states what the question asks."""


def read(sentence: str, *, stems: bool, language: str, asks: bool = False) -> Statement:
    """Return what a sentence states, or a question asks; `language` is the one it is in."""
    found = tokens(sentence, stems=stems)
    facts = {fact.start: fact for fact in _facts(found, sentence, language, asks)}
    clauses: list[Clause] = []
    start, first, denied = 0, 0, False
    for end in (*(match.start() for match in _CLAUSE_ENDS.finditer(sentence)), len(sentence)):
        last = first
        while last < len(found) and found[last].start < end:
            last += 1
        inside = found[first:last]
        words = tuple(
            term
            for token in inside
            if token.kind == "word" and token.start not in facts and _says_something(token)
            for term in token.terms
            if not (is_number(term) or says_little(term) or term in _PLAIN)
        )
        if inside:
            negative = len(inside) > 1 and bool(NEGATION.search(fold(sentence[start:end])))
            # Of `not French, Spanish or Italian` all are denied; of `no, she` nothing is.
            denied = negative or (denied and not words and not _has_small(inside))
            stated = tuple(facts[token.start] for token in inside if token.start in facts)
            clauses.append(Clause(stated, words, denied))
        start, first = end, last
    opening = fold(found[0].text) if found else ""
    return Statement(tuple(clauses), affirms=opening in YES)


def numbers(found: Sequence[Token], text: str, language: str) -> Iterator[tuple[int, int, str]]:
    """Yield each number that is written in words: its first token, the one after it, its value."""
    at = 0
    while at < len(found):
        parts, end = _parts(found[at], language), at + 1
        if found[at].kind == "number" and found[at].terms[0].isdigit():
            follows = _parts(found[end], language) if end < len(found) else []
            parts = [int(found[at].terms[0])] if follows and min(follows) >= 1000 else []
        if not parts:
            at += 1
            continue
        while end < len(found) and len(parts) < MOST_PARTS:
            step = end
            if (
                joins(fold(found[end].text))
                and value(parts, language) >= 20
                and end + 1 < len(found)
            ):
                step += 1
            more = _parts(found[step], language)
            gap = text[found[step - 1].start + len(found[step - 1].text) : found[step].start]
            if not more or gap.strip(" -\u00a0"):
                break
            parts += more
            end = step + 1
        yield at, end, str(value(parts, language))
        at = end


def terms_in(text: str, *, stems: bool, language: str) -> frozenset[str]:
    """Return what a text is compared by, its numbers and dates in all the ways they may be said."""
    found = tokens(text, stems=stems)
    terms = {term for token in found for term in token.terms}
    terms.update(value for _, _, value in numbers(found, text, language))
    for token in found:
        if token.kind == "word" and (name := calendar(fold(token.text), language)):
            terms.add(name)
    return frozenset(terms)


def _facts(found: Sequence[Token], sentence: str, language: str, asks: bool) -> Iterator[Fact]:
    in_words = {start: (end, value) for start, end, value in numbers(found, sentence, language)}
    skip, tells_time = 0, bool(_TIME.search(sentence))
    for at, token in enumerate(found):
        if at < skip:
            continue
        if at in in_words:
            skip, said = in_words[at]
            if said != "1":  # nearly always an article or a pronoun
                yield Fact((said,), token.start)
        elif token.kind in {"number", "clock", "email", "url"}:
            clocks = _clocks(token.terms[0]) if tells_time and token.kind == "number" else ()
            yield Fact(token.terms, token.start, clocks=clocks)
        elif token.kind == "word" and (name := calendar(fold(token.text), language)):
            yield Fact((name,), token.start, is_name=True)
        elif token.terms and _is_name(at, found, sentence, language, asks):
            yield Fact(token.terms, token.start, is_name=True)


def _clocks(term: str) -> tuple[str, ...]:
    hour, _, minute = term.partition(".")
    if not hour.isdigit() or int(hour) > 24:
        return ()
    minute = f"{minute:0<2}"
    return (f"{hour}:{minute}", f"{int(hour) + 12}:{minute}")


def _is_name(at: int, found: Sequence[Token], sentence: str, language: str, asks: bool) -> bool:
    token = found[at]
    word = fold(token.text)
    if token.kind != "word" or not token.text[0].isupper() or is_small(word):
        return False
    before = sentence[max(0, token.start - 9) : token.start].rstrip(" \"'“„«(*_-•")
    if not before or before[-1] in ":\n":
        return not asks and _opens_as_name(at, found, sentence, language)
    if language != "de":
        return True
    previous = found[at - 1]
    if fold(previous.text) in _BEFORE_NAMES:
        return not _NO_NAMES.match(word)
    if asks:
        return False  # the verb is before the name, the noun behind it: Hat Ada Kinder
    follows_name = previous.text[0].isupper() and not is_small(fold(previous.text))
    after_number = at > 1 and found[at - 2].kind in {"number", "clock"}
    gap = sentence[previous.start + len(previous.text) : token.start]
    return follows_name and not after_number and gap == " " and not _NO_NAMES.match(word)


def _opens_as_name(at: int, found: Sequence[Token], sentence: str, language: str) -> bool:
    """Tell whether the first word of a sentence is a name."""
    token = found[at]
    word = fold(token.text)
    follower = found[at + 1] if at + 1 < len(found) else None
    if language == "en":
        if word in _OPENERS or word in STOP_WORDS or _ADVERB.match(word):
            return False
        if any(concepts.known(term) or says_little(term) for term in token.terms):
            return False
        if _PARTICIPLE.match(word):
            return follower is None or fold(follower.text) in _VERBS
        return True
    if word in YES:
        return False
    if follower is None:
        return at == 0
    gap = sentence[token.start + len(token.text) : follower.start]
    return fold(follower.text) in _VERBS or (gap == " " and follower.text[0].isupper())


def _parts(token: Token, language: str) -> list[int]:
    return values_of(fold(token.text), language) if token.kind == "word" else []


def _says_something(token: Token) -> bool:
    word = fold(token.text)
    return not (is_small(word) or word in _OPENERS or _ADVERB.match(word))


def _has_small(inside: Iterable[Token]) -> bool:
    """Tell whether a clause has a subject or verb of its own."""
    return any(
        not token.terms and fold(token.text) not in {"or", "nor", "and", "in", "on", "at"}
        for token in inside
    )
