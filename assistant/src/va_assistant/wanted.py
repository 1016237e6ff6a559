"""Which kind of thing a question wants for an answer: a date, a price, a name; pure."""

import re
from collections.abc import Set as AbstractSet
from enum import StrEnum
from functools import cache

from va_assistant.stemming import stem
from va_assistant.words import terms_of

_JOB = frozenset(map(stem, ["work", "job", "profession", "occupation", "employer"]))
_HOURS = "hour time clock o'clock begin start end finish late early"


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


_KIND_WORDS: dict[Wanted, str] = {
    Wanted.WHO: "person people colleague",
    Wanted.WHEN: "year date day month time birthday begin start end finish",
    Wanted.TIME: _HOURS,
    Wanted.WHERE: "city town country place street address location located",
    Wanted.MONEY: """
        high big large size cost price fee charge amount money euro dollar pound pay rate much
        """,
    Wanted.AMOUNT: """
        quickly hot warm cold fast strong temperature speed size amount percentage percent much
        """,
    Wanted.COUNT: "number amount total",
    Wanted.CONTACT: """
        contact reach touch write call phone telephone email address number get
        """,
    Wanted.NAME: "name call title",
    Wanted.ADDRESS: "street address postal number located location",
    Wanted.WEIGHT: "weigh heavy weight",
    Wanted.DISTANCE: """
        far distance long tall high height deep depth wide width length kilometre
        """,
    Wanted.DURATION: """
        quickly long last take duration time period minute hour day week month year
        """,
    Wanted.LENGTH: "long length period duration characters",
    Wanted.FREQUENCY: "often time frequent",
    Wanted.AGE: "age old birth",
    Wanted.PHONE: "phone telephone mobile number",
    Wanted.EMAIL: "email address mail contact",
    Wanted.WEBSITE: "website web site url address homepage page online",
    Wanted.EMPLOYER: "work job employer company firm",
    Wanted.JOB: "work job profession occupation",
}
"""Words that name the kind of the answer: what is of that kind need not say them."""


def _asked(wanted: Wanted, *ways: str) -> tuple[re.Pattern[str], Wanted]:
    return re.compile("|".join(ways)), wanted


_WANTED = (
    _asked(
        Wanted.PHONE,
        r"\b(?:phone|telephone|mobile|fax) (?:number|no)\b",
        r"\bnumber (?:can|do|should) i (?:call|ring|dial)",
    ),
    _asked(
        Wanted.EMAIL,
        r"\be-?mail address\b",
        r"\bwhat(?:'?s| is) (?:\w+ ){0,3}e-?mail\b",
    ),
    _asked(Wanted.WEBSITE, r"\b(?:web ?site|url|web ?page|web address|homepage)\b"),
    _asked(
        Wanted.ADDRESS,
        r"\b(?:which|what|postal|street|home|shipping) (?:street|address|postcode|zip code)\b",
        r"\baddress of\b",
        r"\bwhat(?:'?s| is| are) (?:\w+ ){0,3}address(?:es)?\b",
    ),
    _asked(
        Wanted.CONTACT,
        (
            r"\bhow (?:can|do|could|should|may|would) (?:i|we|one|you|people) "
            r"(?:best )?(?:contact|reach|get in touch|get hold|write to|get through)\b"
        ),
        r"\bcontact (?:details|data|information|info)\b",
    ),
    _asked(
        Wanted.NAME,
        r"\bnames? of (?!the (?:text|document|page))",
        r"\bwhat(?:'?s| is| are| was| were) (?:\w+ ){1,4}(?:called|named|names?)\W*$",
        r"\bwhat (?:do|does|did) (?:\w+ ){1,3}call\b",
    ),
    _asked(
        Wanted.MONEY,
        (
            r"\bhow (?:high|big|large) (?:is|are|was|were) (?:\w+ ){0,3}(?:fees?|deposit|prices?"
            r"|fines?|rent|salary|wages?|costs?|payment|budget|penalty|bonus|tax|allowance)\b"
        ),
    ),
    _asked(
        Wanted.AGE,
        r"\bhow old\b",
        r"\b(?:what|which|minimum|maximum) age\b",
    ),
    _asked(
        Wanted.WEIGHT,
        r"\bhow heavy\b",
        r"\bhow much (?:do|does|did) (?:\w+ )+weigh\b",
        r"\b(?:what|which) weight\b",
        r"\bweight of\b",
    ),
    _asked(
        Wanted.DISTANCE,
        r"\bhow (?:far|tall|high|deep|wide)\b",
        r"\bwhat(?:'?s| is) the (?:height|depth|width|distance)\b",
        r"\b(?:height|depth|width) of\b",
    ),
    _asked(
        Wanted.FREQUENCY,
        r"\bhow often\b",
        r"\bhow many times\b",
        r"\bhow frequently\b",
    ),
    _asked(
        Wanted.LENGTH,
        r"\bhow long (?:must|should|is|are|can|may|does|do) (?:\w+ ){1,3}be\b",
        r"\bhow long (?:is|are) (?:the|a|an|your) (?:\w+ )?\w+\W*$",
    ),
    _asked(
        Wanted.DURATION,
        r"\bhow (?:much )?(?:long|time)\b",
        r"\bhow many (?:minutes|hours|days|weeks|months|years)\b",
        r"\bhow much (?:notice|holiday|vacation|leave|time)",
    ),
    _asked(
        Wanted.COUNT,
        r"\bhow many\b",
        r"\bnumber of\b",
    ),
    _asked(
        Wanted.AMOUNT,
        r"\bhow (?:much (?:weight|space)|big|large|fast|hot|cold|warm|strong)\b",
        r"\bwhat (?:size|percentage|speed|temperature|share)\b",
        (
            r"\bhow much (?!(?:is|are|was|were|do|does|did|will|would|can|could|should|must|may"
            r"|for|to|the|an?|it|money|extra|more|less)\b)\w+"
        ),
    ),
    _asked(
        Wanted.MONEY,
        r"\bhow (?:much|expensive|dear|cheap)\b",
        (
            r"\bwhat (?:does|do|would|did|is|are|was) (?:\w+ ){0,6}(?:costs?|price|fee|charge"
            r"|salary|tariff|fare|fine|pay|earn|wage|rent)\b"
        ),
        r"\bwhat'?s (?:\w+ ){0,4}(?:price|cost|fee|charge|salary|rent|fare|fine|deposit)\b",
        r"\b(?:price|cost|fee) (?:of|for)\b",
        (
            r"\bwhat (?:do|would|will|must|should) (?:i|we|you|one|they|\w+s) "
            r"(?:have to )?(?:pay|owe|get per|get for|earn)\b"
        ),
    ),
    _asked(
        Wanted.TIME,
        r"\b(?:what|which|at what) (?:time|hour)\b",
        r"\bhow (?:late|early)\b",
        r"\bopening hours\b",
        r"\bwhen (?:do|does|are|is) (?:\w+ ){1,4}(?:open|close|shut)\b",
    ),
    _asked(
        Wanted.WHEN,
        r"\bwhen\b",
        r"\bwhat (?:year|date|day|month)\b",
        r"\bwhich (?:year|date|day|month)\b",
        r"\bsince when\b",
        r"\bhow soon\b",
        r"\bby when\b",
        r"\bbirth ?da(?:y|te)\b",
    ),
    _asked(
        Wanted.WHERE,
        r"\bwhere\b",
        r"\b(?:what|which) (?:city|town|country|place|street|address|floor|room|building)\b",
    ),
    _asked(
        Wanted.WHO,
        r"\bwho(?:m|se)?\b",
        r"\b(?:which|what) (?:person|colleague)\b",
    ),
    _asked(
        Wanted.WHY,
        r"\bwhy\b",
        r"\bwhat(?:'s| is) the reason\b",
        r"\bhow come\b",
    ),
    _asked(
        Wanted.HOW_TO,
        r"\bwhat (?:do|should|must|can|shall) (?:i|we|you|one) (?:\w+ ){0,3}do\b",
        r"\bwhat now\b",
        r"\bwhat (?:happens|if)\b",
        r"^how (?:do|can|should|could|would|may|must|to|does|is|are)\b",
    ),
    _asked(
        Wanted.YES_NO,
        (
            r"^(?:and |so |but |also |please |hi |hello |hey )*(?:is|are|was|were|do|does|did"
            r"|can|could|may|must|should|will|would|has|have|had|am)\b"
        ),
    ),
)
"""What is asked for in which ways, in folded text; the first that is met decides."""

_ALONE = (
    _asked(Wanted.PHONE, r"(?:phone|telephone|mobile|call|tel)(?: number)?"),
    _asked(Wanted.EMAIL, r"e-?mail(?: address)?"),
    _asked(
        Wanted.ADDRESS,
        r"(?:postal |street )?address|location",
        r"where (?:(?:can|do|will) (?:i|we|one) find you|are you(?: located| based)?)",
    ),
    _asked(Wanted.CONTACT, r"contact(?: us)?"),
)
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
_EMPLOYER = re.compile(
    r"\bwhere (?:do|does|did|is|was|has|have|had) .*\b(?:work(?:ed|ing)?|employed|job)\b"
    r"|\bwhom? (?:do|does|did|is|was|has|had) .*\bwork(?:ed|ing)? (?:for|at)\b"
    r"|\bwho employ(?:s|ed)\b"
    r"|\bfor (?:who|whom|which|what) .*\bwork|\b(?:what|which) .*\bwork(?:s|ed|ing)? for\b"
    r"|\b(?:what|which|who|name)\b.*\bemployers?\b"
    r"|\b(?:what|which) (?:company|firm|organi[sz]ation) .*\b(?:work|employ)"
)


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
