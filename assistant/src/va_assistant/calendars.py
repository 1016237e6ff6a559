"""Months and weekdays as they are written, of several languages; pure."""

import re
from functools import cache

MONTHS = (
    "january", "february", "march", "april", "may", "june", "july",
    "august", "september", "october", "november", "december",
)  # fmt: skip
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTHS_SHORT = {name[:3]: name for name in MONTHS} | {"sept": "september"}
_DAYS_SHORT = {
    "mon": "monday", "tue": "tuesday", "tues": "tuesday", "wed": "wednesday", "thu": "thursday",
    "thur": "thursday", "thurs": "thursday", "fri": "friday", "sat": "saturday", "sun": "sunday",
}  # fmt: skip
_SHORT = _MONTHS_SHORT.keys() | _DAYS_SHORT.keys()
_BEGINNINGS = frozenset(name[:3] for name in (*MONTHS, *WEEKDAYS))

PLACE = 8
"""Characters around a word that tell whether it is a month or a day there."""

_BEFORE_MAY = re.compile(
    r"\b(?:in|of|since|until|till|from|by|late|early|to|and|every|each)\s$|[-–—]\s?$", re.IGNORECASE
)

_OTHER_LANGUAGES = {
    "de": """
        januar februar marz april mai juni juli august september oktober november dezember;
        montag dienstag mittwoch donnerstag freitag samstag sonntag""",
    "fr": """
        janvier fevrier mars avril mai juin juillet aout septembre octobre novembre decembre;
        lundi mardi mercredi jeudi vendredi samedi dimanche""",
    "es": """
        enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre;
        lunes martes miercoles jueves viernes sabado domingo""",
    "it": """
        gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre
        dicembre; lunedi martedi mercoledi giovedi venerdi sabato domenica""",
    "nl": """
        januari februari maart april mei juni juli augustus september oktober november december;
        maandag dinsdag woensdag donderdag vrijdag zaterdag zondag""",
    "no": """
        januar februar mars april mai juni juli august september oktober november desember;
        mandag tirsdag onsdag torsdag fredag lordag sondag""",
    "pt": """
        janeiro fevereiro marco abril maio junho julho agosto setembro outubro novembro dezembro;
        segunda terca quarta quinta sexta sabado domingo""",
}
"""Of each its months, then its weekdays, folded."""


def begins_as_one(written: str) -> bool:
    """Tell whether a word begins as the names of months and days do; most words do not."""
    return written[:3].lower() in _BEGINNINGS


def depends_on_its_place(written: str) -> bool:
    """Tell whether a word is a month or a day only where it stands so: `May`, `Sun`."""
    return written[0].isupper() and written.lower() in _SHORT


def month_or_day(
    written: str, before: str = "", after: str = "", *, after_number: bool = False
) -> str:
    """Return the full English name of a month or weekday, `""` for other words.

    `before` and `after` are the characters around it, at least `PLACE` of them.
    """
    word = written.lower()
    if word == "may":  # nearly always the verb
        is_month = written[0].isupper() and (
            after_number or _BEFORE_MAY.search(before) or re.match(r",?\s\d", after)
        )
        return word if is_month else ""
    if word in MONTHS:
        return word
    if word.rstrip("s") in WEEKDAYS:
        return word.rstrip("s")
    if not written[0].isupper():
        return ""
    if word in _DAYS_SHORT and (word not in {"sun", "sat"} or not after[:2].islower()):
        return _DAYS_SHORT[word]
    if word in _MONTHS_SHORT and (after_number or re.match(r"\.?,?\s?\d", after)):
        return _MONTHS_SHORT[word]
    return ""


def calendar(word: str, language: str) -> str:
    """Return the English name of a folded month or weekday of a language, `""` for other words."""
    names = _names(language)
    return names.get(word) or names.get(word.removesuffix("s")) or ""


@cache
def _names(language: str) -> dict[str, str]:
    months, days = (part.split() for part in _OTHER_LANGUAGES.get(language, ";").split(";"))
    return dict(zip((*months, *days), (*MONTHS, *WEEKDAYS), strict=False))
