"""What spans and bounds say besides: `2017-2019` holds 2018, `up to 5` is a maximum; pure."""

import re
from collections.abc import Iterator, Sequence

from va_assistant.calendars import MONTHS, WEEKDAYS
from va_assistant.stemming import stem

LONGEST_SPAN_YEARS = 60

_MAY_SPAN = re.compile(
    r"[-–—]|\b(?:under|below|to|until|till|bis|through|since|from|most|least|than|exceed)\b"
)
"""What every span and bound has; most sentences have none of it, and are done with it."""

_YEARS = re.compile(
    r"\b((?:19|20)\d\d)\s*(?:[-–—]|to|until|till|bis)\s*((?:19|20)\d\d|present|now|today"
    r"|current|heute)",
    re.IGNORECASE,
)
_SINCE = re.compile(
    r"\b(?:since|from)\s+(?:\w+\s+){0,2}((?:19|20)\d\d)\b(?!\s*(?:[-–—]|to|until))", re.IGNORECASE
)


def _range(names: Sequence[str]) -> tuple[re.Pattern[str], Sequence[str]]:
    one = "|".join(f"{name[:3]}(?:{name[3:]})?s?" for name in names)
    pattern = rf"\b({one})\.?\s*(?:[-–—]|to|until|till|through)\s*({one})\b"
    return re.compile(pattern, re.IGNORECASE), names


_RANGES = (_range(MONTHS), _range(WEEKDAYS))
_BOUNDS = tuple(
    (stem(word), re.compile(pattern, re.IGNORECASE))
    for word, pattern in (
        ("maximum", r"\b(?:at most|up to|no more than|not exceed)"),
        ("minimum", r"\b(?:at least|no less than|no younger than|from the age)"),
        ("child", r"\b(?:under|below) (?:the age of )?1?\d\b(?! ?[%€$£])"),
    )
)
"""Bounds as texts put them, by the word with which people ask for them; English."""


def within(text: str, *, stems: bool) -> Iterator[str]:
    """Return the terms that lie in the spans of a sentence, and of English those of its bounds."""
    if not _MAY_SPAN.search(text):
        return
    for match in _YEARS.finditer(text):
        yield from _years(match.group(1), match.group(2))
    for match in _SINCE.finditer(text):
        yield from _years(match.group(1))
    for pattern, names in _RANGES:
        for match in pattern.finditer(text):
            yield from _names(names, match.group(1), match.group(2))
    if stems:
        yield from (word for word, pattern in _BOUNDS if pattern.search(text))


def _years(first: str, last: str = "") -> Iterator[str]:
    """Return the years of a span; of one that goes on until now, more than it can have."""
    latest = int(first) + LONGEST_SPAN_YEARS
    if last.isdigit():
        latest = min(latest, int(last))
    return map(str, range(int(first), latest + 1))


def _names(names: Sequence[str], *ends: str) -> Iterator[str]:
    """Return the months or weekdays of a span, which may go on into the next year or week."""
    first, last = (
        next(at for at, name in enumerate(names) if name[:3] == end[:3].lower()) for end in ends
    )
    for step in range((last - first) % len(names) + 1):
        yield names[(first + step) % len(names)]
