"""Which kind of thing a question wants for an answer: a date, a price, a name; pure."""

import re
from collections.abc import Set as AbstractSet
from enum import StrEnum
from functools import cache

from va_assistant.words import stem, terms_of

_JOB = frozenset(map(stem, ["work", "job", "profession", "occupation", "employer"]))
_HOURS = "hour time clock o'clock begin start end finish late early"
_KIND_WORDS: dict[str, str] = {
    "who": "person people colleague",
    "when": "year date day month time birthday begin start end finish",
    "time of the day": _HOURS,
    "where": "city town country place street address location located",
    "money": """
        high big large size cost price fee charge amount money euro dollar pound pay rate much
        """,
    "amount": """
        quickly hot warm cold fast strong temperature speed size amount percentage percent much
        """,
    "count": "number amount total",
    "address or number": """
        contact reach touch write call phone telephone email address number get
        """,
    "name": "name call title",
    "street and number": "street address postal number located location",
    "weight": "weigh heavy weight",
    "distance or height": """
        far distance long tall high height deep depth wide width length kilometre
        """,
    "duration": """
        quickly long last take duration time period minute hour day week month year
        """,
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
    CONTACT = "address or number"
    NAME = "name"
    ADDRESS = "street and number"
    WEIGHT = "weight"
    DISTANCE = "distance or height"
    YES_NO = "yes or no"
    JOB = "job"
    EMPLOYER = "employer"
    HOW_TO = "what to do"
    WHY = "why"
    OTHER = "other"


_KINDS: tuple[tuple[str, Wanted], ...] = (
    ((
r"\b(?:phone|telephone|mobile|fax) (?:number|no)\b|\bnumber (?:can|do"
r"|should) i (?:call|ring|dial)"
), Wanted.PHONE),
    (r"\be-?mail address\b|\bwhat(?:'?s| is) (?:\w+ ){0,3}e-?mail\b", Wanted.EMAIL),
    (r"\b(?:web ?site|url|web ?page|web address|homepage)\b", Wanted.WEBSITE),
    ((
r"\b(?:which|what|postal|street|home|shipping) (?:street|address|postcode|zip code)\b"
r"|\baddress of\b|\bwhat(?:'?s| is| are) (?:\w+ ){0,3}address(?:es)?\b"
), Wanted.ADDRESS),
    ((
r"\bhow (?:can|do|could|should|may|would) (?:i|we|one|you|people) (?:best )?(?:contact"
r"|reach|get in touch"
r"|get hold|write to|get through)\b|\bcontact (?:details|data|information"
r"|info)\b"
), Wanted.CONTACT),
    ((
r"\bnames? of (?!the (?:text|document|page))|\bwhat(?:'?s| is| are| was"
r"| were) (?:\w+ ){1,4}(?:called|named|names?)\W*$"
r"|\bwhat (?:do|does|did) (?:\w+ ){1,3}call\b"
), Wanted.NAME),
    ((
r"\bhow (?:high|big|large) (?:is|are|was|were) (?:\w+ ){0,3}(?:fees?|deposit|prices?|fines?"
r"|rent|salary|wages?"
r"|costs?|payment|budget|penalty|bonus|tax|allowance)\b"
), Wanted.MONEY),
    (r"\bhow old\b|\b(?:what|which|minimum|maximum) age\b", Wanted.AGE),
    ((
r"\bhow heavy\b|\bhow much (?:do|does|did) (?:\w+ )+weigh\b|\b(?:what|which) weight\b"
r"|\bweight of\b"
), Wanted.WEIGHT),
    ((
r"\bhow (?:far|tall|high|deep|wide)\b|\bwhat(?:'?s| is) the (?:height|depth|width|distance)\b"
r"|\b(?:height|depth|width) of\b"
), Wanted.DISTANCE),
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
r"\bhow (?:much (?:weight|space)|big|large|fast|hot|cold|warm|strong)\b"
r"|\bwhat (?:size|percentage|speed|temperature|share)\b"
r"|\bhow much (?!(?:is|are|was|were|do|does|did|will|would|can|could|should|must|may|for|to"
r"|the|an?|it|money|extra|more|less)\b)\w+"
), Wanted.AMOUNT),
    ((
r"\bhow (?:much|expensive|dear|cheap)\b|\bwhat (?:does|do|would|did|is|are"
r"|was) (?:\w+ ){0,6}(?:costs?"
r"|price|fee|charge|salary|tariff|fare|fine|pay|earn|wage|rent)\b"
r"|\bwhat'?s (?:\w+ ){0,4}(?:price|cost|fee|charge|salary|rent|fare|fine|deposit)\b"
r"|\b(?:price|cost|fee) (?:of|for)\b"
r"|\bwhat (?:do|would|will|must|should) (?:i|we|you|one|they|\w+s) (?:have to )?(?:pay|owe"
r"|get per|get for|earn)\b"
), Wanted.MONEY),
    ((
r"\b(?:what|which|at what) (?:time|hour)\b|\bhow (?:late|early)\b|\bopening hours\b"
r"|\bwhen (?:do|does"
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
_ALONE = (
    (re.compile(r"(?:phone|telephone|mobile|call|tel)(?: number)?"), Wanted.PHONE),
    (re.compile(r"e-?mail(?: address)?"), Wanted.EMAIL),
    (re.compile(r"(?:postal |street )?address|location"), Wanted.ADDRESS),
    (re.compile(r"contact(?: us)?"), Wanted.CONTACT),
    (re.compile(r"where (?:(?:can|do|will) (?:i|we|one) find you|are you(?: located| based)?)"),
     Wanted.ADDRESS),
)  # fmt: skip
"""Questions that have no other word than the kind of their answer."""

_ABOUT_ALONE = re.compile(r"\b(?:the|your|his|her|their|please|whats?|is|and)\b|'s\b|[^\w\s-]")
_OPENING = re.compile(
    r"\b(?:what|which|who|whose|whom|where|when|why|how)\b(?: \w+){2}"
    r"|^(?:is|are|do|does|did|can|may|must|should|will|has|have)\b(?: \w+){2}"
)
_ASIDE = re.compile(
    r"(?= )"  # at every other letter all of these were looked at in vain
    r"(?<!\bsince)(?<!\buntil)(?<!\btill)(?<!\bby)(?<!\bfrom)(?<!\band)(?<!\bor)(?<!\bexactly)"
    r"(?<!\bknow)(?<!\bme)(?<!\bsay)(?<!\bsaid)(?<!\bout)"
    r" (?:when|if|while|because|where|who|whose|after|before|as soon as|unless"
    r"|in case)\b(?= \w+ \w)"
)
_MISTYPED = (
    (re.compile(r"(?i)^(?:wen|whn|hwen|whne|wehn)\b"), "when"),
    (re.compile(r"(?i)^(?:wat|waht|wht|hwat|whta|wath)(s?)\b"), r"what\1"),
    (re.compile(r"(?i)^(?:wich|whcih|wihch|whihc|witch)\b"), "which"),
    (
        re.compile(
            r"(?i)^(?:wher|whre|were|wehre|hwere|wheer)\b(?= (?:is|are|do|does|did|can|should))"
        ),
        "where",
    ),
    (
        re.compile(
            r"(?i)^(?:hwo|hw|ho|hoe)\b(?= (?:much|many|long|often|do|does|can|is|are|old|far|big))"
        ),
        "how",
    ),
    (re.compile(r"(?i)^(?:hwo|woh|whoo)\b"), "who"),
    (re.compile(r"\bhow (?:mcuh|muhc|muc|mutch|mch)\b"), "how much"),
    (re.compile(r"\bhow (?:mnay|mayn|menny|mny)\b"), "how many"),
    (re.compile(r"\b(?:teh|hte|th)\b"), "the"),
    (re.compile(r"(?i)\bur\b"), "your"),
    (re.compile(r"(?i)\bdose\b(?= (?:he|she|it|the|this|that|your)\b)"), "does"),
)
"""The words that tell what kind of answer is wanted, as they are mistyped most."""

_EMPLOYER = re.compile(
    r"\bwhere (?:do|does|did|is|was|has|have|had) .*\b(?:work(?:ed|ing)?|employed|job)\b"
    r"|\bwhom? (?:do|does|did|is|was|has|had) .*\bwork(?:ed|ing)? (?:for|at)\b"
    r"|\bwho employ(?:s|ed)\b"
    r"|\bfor (?:who|whom|which|what) .*\bwork|\b(?:what|which) .*\bwork(?:s|ed|ing)? for\b"
    r"|\b(?:what|which|who|name)\b.*\bemployers?\b"
    r"|\b(?:what|which) (?:company|firm|organi[sz]ation) .*\b(?:work|employ)"
)


def spelt(question: str) -> str:
    """Return a question whose small words are spelt right."""
    for pattern, right in _MISTYPED:
        question = pattern.sub(right, question)
    return question


def wanted_by(said: str) -> Wanted:
    """Return the kind of the last thing that is asked, in words before it if need be."""
    bare = " ".join(_ABOUT_ALONE.sub(" ", said).split())
    for pattern, wanted in _ALONE:
        if pattern.fullmatch(bare):
            return wanted
    questions = [part.strip() for part in re.findall(r"[^?.!]+\?|[^?.!]+$", said)] or [said]
    for part in (*reversed(questions), said):
        main = _main_clause(part)
        for pattern, wanted in _WANTED:
            if pattern.search(main):
                return wanted
    return Wanted.OTHER


def of_work(said: str, terms: AbstractSet[str]) -> Wanted | None:
    """Return whether somebody's employer or job is asked for; None for neither."""
    if _EMPLOYER.search(said):
        return Wanted.EMPLOYER
    asks_how = re.match(r"how\b", said) and not re.search(r"\b(?:earn|living|money|bread)\b", said)
    if not asks_how and not re.search(r"\bwh(?:ere|o)\b", said) and _JOB & terms:
        return Wanted.JOB
    return None


def _main_clause(part: str) -> str:
    """Return a question without what it says besides: `when there is a fire`, `if I am late`."""
    opening = _OPENING.search(part)
    aside = _ASIDE.search(part, opening.end()) if opening else None
    return part[: aside.start()] if aside else part


@cache
def kind_words(wanted: Wanted) -> frozenset[str]:
    """Return the terms that name a kind of answer: what is of that kind need not have them."""
    return frozenset(term for term in terms_of(_KIND_WORDS.get(wanted, "")))
