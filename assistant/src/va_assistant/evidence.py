"""Whether a sentence holds the kind of thing that a question asks for; pure.

A date for `when`, an amount of money for `how much`, a counted thing for `how many`. Without
it a sentence may share every word with the question and still not answer it.
"""

import re
from collections.abc import Sequence
from functools import lru_cache

from va_assistant import concepts
from va_assistant.asking import Asked
from va_assistant.calendars import MONTHS, WEEKDAYS
from va_assistant.numerals import NUMBER_WORDS
from va_assistant.passages import Sentence
from va_assistant.stemming import stem
from va_assistant.wanted import Wanted
from va_assistant.words import Token, terms_of, tokens

SENTENCES_KEPT = 1024
"""Sentences of which stays known what they say: the next question is of the same texts."""

_CARDINAL = rf"(?:\d[\d.,]*|{'|'.join(sorted(NUMBER_WORDS, key=len, reverse=True))}|an?|half)"
_SPAN = (
    r"(?:seconds?|minutes?|mins?|hours?|hrs?|h|days?|nights?|weeks?|months?|years?"
    r"|yrs?|weekdays|lifetime|decades?)"
)
_DURATION = re.compile(
    rf"\b{_CARDINAL}[\s-]*(?:\w+[\s-]){{0,2}}{_SPAN}\b|\b(?:19|20)\d\d\s*[-–—]"
    rf"|\b{_SPAN}\b[^:;.]{{0,20}}: \D{{0,8}}\d"
    rf"|\buntil\b|\bsince\b|\bpermanent|\bindefinite|\bwithin\b",
    re.IGNORECASE,
)
_MONEY = re.compile(
    r"[€$£¥]\s?\d|\d\s?[€$£¥]|\d[\d.,]*\s?(?:(?:thousand|million|billion|m|bn) )?(?:euros?"
    r"|dollars?|pounds?|cents?|eur|usd"
    r"|gbp|chf|nok|sek|dkk|kr|pln|francs?|crowns?|kron(?:e|er|or|a|ur)|pence|p|yen|zloty"
    r"|rupees?|percent)\b"
    r"|\b(?:eur|usd|gbp|chf|nok|sek|dkk|kr)\.?\s?\d|\d\s?%|\bfree\b|\bgratis\b"
    r"|\bno (?:extra )?(?:charge|cost|fee)|\bcomplimentary\b|\bincluded\b"
    r"|\bnothing\b",
    re.IGNORECASE,
)
_CLOCK = re.compile(
    r"\b\d{1,2}[:h]\d\d\b|\b\d{1,2}(?:\.\d\d)?\s?[ap]\.?m\b|\bnoon\b|\bmidnight\b"
    r"|\bo'?clock\b|\b24/7\b|\b24 hours\b|\bat any time\b|\bclosed\b"
    r"|\b\d{1,2}(?:\.\d\d)?\s?(?:[-–]|to)\s?\d{1,2}(?:\.\d\d)?\b|\b(?:by|at|from"
    r"|until|before|after) \d{1,2}\b",
    re.IGNORECASE,
)
_DATE_WORD = (
    rf"\b(?:{'|'.join((*MONTHS[:4], *MONTHS[5:], *WEEKDAYS))})s?\b|\bMay\b(?= \d|,"
    rf"|\.)|(?<=\d )May\b|"
    r"\b(?:1[5-9]|20)\d\d(?:s|\b)|\b\d{1,2}(?:st|nd|rd|th)\b"
)
_DATE = re.compile(
    _DATE_WORD
    + (
        r"|\b(?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth"
        r"|last) (?:working )?(?:day|week|month|quarter|year)\b"
        r"|\b\d{1,2}[./]\d{1,2}[./]?\d{0,4}\b|\b\d{4}-\d\d|\b(?:spring|summer|autumn"
        r"|fall|winter|christmas|easter|daily|weekly|monthly|every|last (?:day|week"
        r"|month)|end of|beginning of|at least|within|before|after|once|quarter"
        r"|weekdays?|weekends?|tomorrow|immediately|always|advance)\b"
    ),
    re.IGNORECASE,
)
_FREQUENCY = re.compile(
    r"\b(?:every|each|daily|weekly|monthly|yearly|annual(?:ly)?|quarterly|once|twice"
    r"|times?|per|a (?:day|week|month|year)|always|never|regularly|fortnight\w*"
    r"|bi-?\w+ly|" + "|".join(day + "s?" for day in WEEKDAYS) + r")\b",
    re.IGNORECASE,
)
_PHONE = re.compile(r"(?:\+|\b0|\(0|\b\d)[\d\s()/.-]{5,}\d\b")
_LISTED = re.compile(r",|\band\b")
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+\.\w+")
_WEB = re.compile(
    r"https?://|www\.|\b[\w-]+\.(?:com|org|net|example|io|de|no|fr|eu|uk|dev|info)\b(?!\w|@)",
    re.IGNORECASE,
)
_CONTACT = re.compile(f"{_PHONE.pattern}|{_EMAIL.pattern}|(?i:{_WEB.pattern}|extension \\d)")
_NUMBER = re.compile(
    rf"\d|\b(?:{'|'.join(NUMBER_WORDS)}|none|no|single|pair|couple|both|unlimited"
    rf"|once|twice|half)\b",
    re.IGNORECASE,
)
_PLACE = re.compile(
    r"\b(?:in|at|from|to|near|on|of|behind|beside|opposite|under|above|inside"
    r"|outside|between|via|through|into|next to|beneath|off)\b|\b(?:street|road"
    r"|avenue|square|lane|floor|room|building|office|desk|shelf|online|intranet"
    r"|portal|home|city|town|abroad|here|everywhere|worldwide|strasse|straße"
    r"|university|address|reception|station|airport|hotel)\b|\d{4,5} [A-Z]",
    re.IGNORECASE,
)
_NAME = re.compile(r"(?<![.!?:]\s)(?<!^)\b[^\W\d_a-z][\w’'-]+|\b[A-Z]\w+ [A-Z]\w+")
_CALLED = re.compile(r"[\"“„«]\w|\bcalled\b|\bnamed\b")
_CAPITALISED = re.compile(r"\b[^\W\d_a-z][\w’'-]*")
_ROLE = re.compile(
    r"\b(?:manager|director|head|lead(?:er)?|team|department|office|officer|staff"
    r"|employees?|customers?|guests?|members?|everyone|everybody|anyone|nobody"
    r"|people|person|owner|founder|doctor|teacher|colleagues?|children|adults?"
    r"|students?|seniors?|company|supervisor|council|board|committee|reception|desk"
    r"|wife|husband|mother|father|brother|sister|partner|firm|club|whoever|those|chair|captain"
    r"|warden|secretary|treasurer|parents?|staff|visitors?|minors|adults|both|all|(?-i:HR|IT))\b"
    r"|^who\b",
    re.IGNORECASE,
)
_NOW = re.compile(r"\b(?:present|now|today|current(?:ly)?)\b|\bsince\b", re.IGNORECASE)
_IS = re.compile(r"\bis\b|\bare\b")
_CLOSED_SPAN = re.compile(
    r"\b(?:19|20)\d\d\s*(?:[-–—]|to|until)\s*(?:19|20)\d\d\b|\b(?:was|were|had"
    r"|former|previously|until)\b",
    re.IGNORECASE,
)

_JOB = re.compile(
    r"\b(?:is|was|am|are) (?:an? |the )?(?:\w+ ){0,3}\w+(?:er|or|ist|ian|eer|ant|man"
    r"|woman|ect|chef|nurse|head|cook|pilot|clerk|smith)\b|\b(?:works?|worked"
    r"|working|employed) (?:as|at|for|in|with|on)\b|\b(?:present|today)\b"
    r"|\b(?:19|20)\d\d\s*(?:[-–—]|to\b)|\bsince (?:19|20)\d\d|\b(?:leads|manages|runs|teaches"
    r"|heads)\b",
    re.IGNORECASE,
)
_EMPLOYER = re.compile(
    r"\b(?:[Ww]ork(?:s|ed|ing)?|[Ee]mployed|[Jj]oined|[Pp]osition|[Jj]ob|[Ee]mployer"
    r"|[Cc]areer|[Hh]ired|[Ll]eads?|[Mm]anage[sr]?|[Dd]irector|[Ee]ngineer"
    r"|[Tt]eaches|[Tt]eacher)\b[^.]{0,40}?\b(?:at|for|with|by|in"
    r"|of)\b (?:the )?[A-ZÀ-Þ]"
    r"|(?:,| at| [-–—|]) (?:the )?[A-ZÀ-Þ][^.]*\b(?:(?:19|20)\d\d|present|now)"
    r"|\b(?:19|20)\d\d\b[^.]*(?:,|;|\bat\b|[-–—|:]) (?:\w+ )*[A-ZÀ-Þ]|[Ee]mployer:"
)
_FULL_NAME = re.compile(
    r"\b(?!(?:University|Institute|The|January"
    r"|February)\b)[A-ZÀ-Þ][a-zß-ÿ’'-]+ (?:[A-Z]\. )?(?!(?:University|Institute"
    r"|School|College|Street|Prize|Award|Road|Party|Day)\b)[A-ZÀ-Þ][\w’'-]+"
)
_STEP = re.compile(
    r"\b(?:if|must|should|need|have to|please|call|send|report|tell|inform|use|go to"
    r"|contact|via|through|by|can|leave|sign|write|return|bring|ask|book|hand|press"
    r"|visit|fill|click|within|e-?mail|online|portal)\b",
    re.IGNORECASE,
)
_AGE_WORD = re.compile(r"\b(?:old|age|aged|young)\b", re.IGNORECASE)
_AGE = re.compile(
    r"\b(?:born|birth)\b|\b(?:founded|built|established|opened)\b[^.]{0,30}\b(?:1[5-9]|20)\d\d\b"
    r"|\b(?:aged?|older|younger|over|under|from|years?|at least|until)\b"
    r"[^.]{0,12}(?<![€$£:.])\b\d{1,3}\b(?![:.]\d| ?(?-i:[A-Z])| ?[€$£%])"
    r"|\b\d{1,3}[^.\d]{0,15}\b(?:years?|old(?:er)?|young(?:er)?|and over|or over|upwards?)\b"
    r"|(?-i:\b[A-ZÀ-Þ]\w+),? \(?\d{1,2}\b(?![:.]\d)",
    re.IGNORECASE,
)
_STREET = re.compile(
    r"\b\w+(?:stra(?:ß|ss)e|gata|gate|gatan|veien|vej|weg|gasse|platz|allee|straat) \d"
    r"|\b(?:[A-ZÀ-Þ]\w+ )+(?:Street|St|Road|Rd|Avenue|Lane|Square|Drive|Way|Place|Quay|Court|Row)\b"
    r"|\b\d+[a-z]?,? (?:[A-ZÀ-Þ]\w+ )+(?:Street|Road|Avenue|Lane|Square|Drive|Way|Place)\b"
    r"|\b[A-ZÀ-Þ][\w-]+ \d+[a-z]?,|\b\d{4,5} [A-ZÀ-Þ]|\b(?:rue|via|calle|avenida) \w+",
)
_WEIGHT = re.compile(
    rf"\b{_CARDINAL}[\s-]*(?:kg|kilo(?:gram)?s?|g|grams?|tons?|tonnes?|t|lbs?|pounds?|ounces?|oz"
    rf"|stone)\b",
    re.IGNORECASE,
)
_DISTANCE = re.compile(
    rf"\b{_CARDINAL}[\s-]*(?:\w+ )?(?:cm|mm|m|km|(?:kilo|centi|milli)?met(?:re|er)s?|miles?|feet"
    rf"|foot|ft|inch(?:es)?|yards?|stor(?:e?ys?|ies)|floors)\b",
    re.IGNORECASE,
)
_PRICED = re.compile(
    r"\b(?:prices?|costs?|fees?|rates?|hire|rent(?:al)?|charged?|fares?|pay|pays|paid|tariffs?"
    r"|deposits?|wages?|tickets?|admission|entry|earn(?:s|ed)?|gets?|budget|fines?|for(?= \d))\b",
    re.IGNORECASE,
)
_BARE_NUMBER = re.compile(
    r"(?<![\d.:/§-])(?<!\bunder )(?<!\bover )(?<!\baged )(?<!\bof )\b(?!(?:19"
    r"|20)\d\d\b)\d[\d.,]*(?<![.,])\b(?!\s*(?:(?:and|to|or) \d+ \w|[:%/–-]|percent|per cent"
    r"|hours?|hrs?|days?"
    r"|nights?|weeks?|months?|years?|minutes?|seconds?|[ap]\.?m|o'?clock|km|cm|mm|m\b|kg|g\b"
    r"|met(?:re|er)s?|kilomet|miles?|inch|kilo|people|persons|adults|children|places|seats|pieces"
    r"|times|pages|characters|degrees|to \d|January|February|March|April|May|June|July|August"
    r"|September|October|November|December))",
    re.IGNORECASE,
)
_LENGTH = re.compile(
    rf"\b{_CARDINAL}[\s-]*(?:characters?|letters|digits|words|pages|cm|mm|m|km"
    rf"|met(?:re|er)s?|kilomet(?:re|er)s?|miles?|feet|ft|inch(?:es)?)\b",
    re.IGNORECASE,
)

_MANY = re.compile(
    r"\b(?:employees?|customers?|guests?|members?|everyone|everybody|anyone|nobody|people|person"
    r"|colleagues?|children|adults?|students?|seniors?|visitors?|minors|both|all|those|whoever)\b",
    re.IGNORECASE,
)
_CALENDAR = {*MONTHS, *WEEKDAYS}
_LEADING = frozenset(
    map(stem, "lead leads run head manage own found charge responsible chair supervise".split())
)
"""What one does, not many."""

STRONG = frozenset(
    {
        Wanted.MONEY, Wanted.COUNT, Wanted.AMOUNT, Wanted.DURATION, Wanted.AGE, Wanted.PHONE,
        Wanted.LENGTH, Wanted.EMAIL, Wanted.WEBSITE, Wanted.WHEN, Wanted.TIME, Wanted.FREQUENCY,
        Wanted.ADDRESS, Wanted.WEIGHT, Wanted.DISTANCE, Wanted.CONTACT, Wanted.NAME,
        Wanted.WHO, Wanted.JOB, Wanted.EMPLOYER,
    }
)  # fmt: skip
"""Kinds that can be seen in a sentence for sure; the others are only preferred."""


_IMPERATIVE = re.compile(
    r"(?:^|[.;:,] )(?:please |then |first )?(?:call|ask|tell|write|send|report|bring|use|go"
    r"|leave|take"
    r"|contact|fill|book|press|inform|return|keep|stop|click|apply|hand|ring|visit|wait"
    r"|listen|say)\b",
    re.IGNORECASE,
)


def says_what_to_do(text: str) -> bool:
    """Tell whether a sentence bids the reader do something."""
    return bool(_IMPERATIVE.search(text))


SHOWN = frozenset({Wanted.PHONE, Wanted.EMAIL, Wanted.WEBSITE, Wanted.CONTACT, Wanted.ADDRESS})
"""Kinds whose look alone tells what they are: a line of a letterhead has no other words."""


PREFERRED = (STRONG - {Wanted.WHO}) | {Wanted.HOW_TO}
"""Kinds whose presence speaks for a sentence."""


BY_THE_WORDS = frozenset({Wanted.COUNT, Wanted.WHO, Wanted.NAME})
"""Kinds for which the words of the question tell, too, whether a sentence has them."""


def holds(asked: Asked, sentence: Sentence) -> bool:
    """Tell whether a sentence has the kind of thing that is wanted."""
    text, wanted = sentence.text, asked.wanted
    if wanted is Wanted.COUNT:
        return _counts(asked.counted, sentence)
    if wanted is Wanted.MONEY:
        return bool(_MONEY.search(text)) or _is_priced(sentence)
    if wanted is Wanted.WHO:
        return _names_anybody(asked, text)
    if wanted is Wanted.NAME:
        return _names_something(asked, sentence)
    if wanted is Wanted.WHEN:
        return bool(_DATE.search(text) or _CLOCK.search(text))
    if wanted is Wanted.TIME:
        return bool(_CLOCK.search(text))
    if wanted is Wanted.AMOUNT:
        return bool(_NUMBER.search(text))
    if wanted is Wanted.FREQUENCY:
        return bool(_FREQUENCY.search(text) or _DURATION.search(text))
    if wanted is Wanted.AGE:
        return bool(
            _AGE.search(text) or (_NUMBER.search(text) and _AGE_WORD.search(sentence.intro))
        )
    if wanted is Wanted.LENGTH:
        return bool(_LENGTH.search(text) or _DURATION.search(text))
    pattern = _PATTERNS.get(wanted)
    return pattern is None or bool(pattern.search(text))


_PATTERNS = {
    Wanted.DURATION: _DURATION,
    Wanted.PHONE: _PHONE,
    Wanted.EMAIL: _EMAIL,
    Wanted.WEBSITE: _WEB,
    Wanted.CONTACT: _CONTACT,
    Wanted.ADDRESS: _STREET,
    Wanted.WEIGHT: _WEIGHT,
    Wanted.DISTANCE: _DISTANCE,
    Wanted.WHERE: _PLACE,
    Wanted.JOB: _JOB,
    Wanted.EMPLOYER: _EMPLOYER,
    Wanted.HOW_TO: _STEP,
}


def _is_priced(sentence: Sentence) -> bool:
    """Tell whether a number without unit is a price: a price list names its currency once."""
    shown = sentence.cells or sentence.text
    around = " ".join((sentence.text, sentence.intro, *sentence.headings[-2:]))
    return bool(_BARE_NUMBER.search(shown) and (sentence.has_currency or _PRICED.search(around)))


def shows(wanted: Wanted, text: str) -> bool:
    """Tell whether a text has what cannot be anything else: an address, a number to call."""
    pattern = _PATTERNS[wanted] if wanted in SHOWN else None
    return pattern is not None and bool(pattern.search(text))


def names_somebody(asked: Asked, text: str) -> bool:
    """Tell whether a sentence has the full name of somebody, of whom the question does not."""
    known = {term.term for term in asked.terms}
    return not _is_of(asked, text) and any(map(known.isdisjoint, _full_names(text)))


def _names_something(asked: Asked, sentence: Sentence) -> bool:
    """Tell whether a sentence has a name, or something in quotes, that the question does not."""
    known = {term.term for term in asked.terms}
    text = sentence.text
    return bool(_CALLED.search(text)) or any(map(known.isdisjoint, _names(text)))


def has_names(text: str) -> bool:
    """Tell whether a sentence names somebody or something."""
    return bool(_NAME.search(text))


def _names_anybody(asked: Asked, text: str) -> bool:
    known = {term.term for term in asked.terms}
    if _is_of(asked, text):
        return True
    roles = _MANY.sub("", text) if known & _LEADING else text
    known |= _CALENDAR
    others = not _roles(roles) <= known
    return (others and not asked.is_identity) or any(map(known.isdisjoint, _names(text)))


def _is_of(asked: Asked, text: str) -> bool:
    """Tell whether a question only names somebody (`Who is Ada?`) of whom a sentence speaks."""
    return not asked.is_identity and {term.term for term in asked.terms} <= _capitalised(text)


@lru_cache(maxsize=SENTENCES_KEPT)
def _names(text: str) -> tuple[frozenset[str], ...]:
    return tuple(frozenset(terms_of(name)) for name in _NAME.findall(text))


@lru_cache(maxsize=SENTENCES_KEPT)
def _full_names(text: str) -> tuple[frozenset[str], ...]:
    return tuple(frozenset(terms_of(name)) for name in _FULL_NAME.findall(text))


@lru_cache(maxsize=SENTENCES_KEPT)
def _roles(text: str) -> frozenset[str]:
    return frozenset(stem(role.lower()) for role in _ROLE.findall(text))


@lru_cache(maxsize=SENTENCES_KEPT)
def _capitalised(text: str) -> frozenset[str]:
    return frozenset(term for word in _CAPITALISED.findall(text) for term in terms_of(word))


@lru_cache(maxsize=SENTENCES_KEPT)
def speaks_of_now(text: str) -> float:
    """Return 1 for how things are, -1 for how they were, 0 where neither is said."""
    if _NOW.search(text):
        return 1.0
    return -1.0 if _CLOSED_SPAN.search(text) and not _IS.search(text) else 0.0


_NUMBERING = re.compile(r"^\W*\d{1,2}(?:\.\d+)*[.)]?\s+(?=[A-ZÀ-Þ])")
_HAS = frozenset({"have", "has", "had", "are", "is", "with", "there"})
_OF_AGE = re.compile(r"\w+ (?:and|or) (?:older|over|above|younger|under)\b|\w+ years? old")


def _counts(counted: str, sentence: Sentence) -> bool:
    """Tell whether a number stands with what is counted: `25 days`, `Days: 25`, `days are 25`."""
    if not counted:
        return bool(_NUMBER.search(sentence.text))
    meant = {counted, *concepts.mates(counted)}
    found, numbers = _numbers(sentence.text)
    things = [at for at, token in enumerate(found) if set(token.terms) & meant]
    if not things and {stem(w) for w in sentence.intro.lower().split()} & meant:
        return bool(numbers)
    if things and len(_LISTED.findall(sentence.text, found[things[0]].start)) > 1:
        return True  # they are listed: whoever asks can count them
    for at in numbers:
        if any(at < thing <= at + 3 for thing in things):
            return True
        if any(
            thing < at <= thing + 3
            and re.search(
                r":|=|\b(?:is|are|was|to|of|from)\b|;|\||\b(?:most|least|than)\b",
                sentence.text[found[thing].start : found[at].start],
            )
            for thing in things
        ):
            return True
    return False


@lru_cache(maxsize=SENTENCES_KEPT // 4)  # the words of a sentence take some kilobytes
def _numbers(text: str) -> tuple[Sequence[Token], Sequence[int]]:
    """Return the words of a sentence, and which of them say how many of something there are."""
    found = tokens(_NUMBERING.sub("", text))
    numbers = [
        at
        for at, token in enumerate(found)
        if token.kind == "number"
        or (token.terms and token.terms[0].isdigit())
        or token.text.lower() in {"none", "both", "unlimited"}
        or (token.text.lower() == "no" and at and found[at - 1].text.lower() in _HAS)
    ]
    return found, [at for at in numbers if not _OF_AGE.match(text[found[at].start :])]
