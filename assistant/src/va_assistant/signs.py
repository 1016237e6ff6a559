"""What dates, prices, names and other kinds of answers look like in a text; pure data.

Texts are looked at as they are written: capitals tell names, and signs tell money.
"""

import re

from va_assistant.calendars import MONTHS, WEEKDAYS
from va_assistant.numerals import NUMBER_WORDS


def _any(*ways: str) -> re.Pattern[str]:
    """Return a pattern of what looks in one of these ways, in small or capital letters."""
    return re.compile("|".join(ways), re.IGNORECASE)


_CARDINAL = rf"(?:\d[\d.,]*|{'|'.join(sorted(NUMBER_WORDS, key=len, reverse=True))}|an?|half)"
_YEAR = r"(?:19|20)\d\d"
_TO = r"(?:[-–—]|to|until)"

# Numbers

NUMBER = _any(
    r"\d",
    rf"\b(?:{'|'.join(NUMBER_WORDS)})\b",
    r"\b(?:none|no|single|pair|couple|both|unlimited|once|twice|half)\b",
)
NUMBERING = re.compile(r"^\W*\d{1,2}(?:\.\d+)*[.)]?\s+(?=[A-ZÀ-Þ])")
"""The number of an item or a section."""

LISTED = re.compile(r",|\band\b")

# Time

_SPAN = (
    r"(?:seconds?|minutes?|mins?|hours?|hrs?|h|days?|nights?|weeks?|months?|years?"
    r"|yrs?|weekdays|lifetime|decades?)"
)
DURATION = _any(
    rf"\b{_CARDINAL}[\s-]*(?:\w+[\s-]){{0,2}}{_SPAN}\b",
    rf"\b{_YEAR}\s*[-–—]",
    rf"\b{_SPAN}\b[^:;.]{{0,20}}: \D{{0,8}}\d",
    r"\b(?:until|since|within)\b",
    r"\b(?:permanent|indefinite)",
)
CLOCK = _any(
    r"\b\d{1,2}[:h]\d\d\b",
    r"\b\d{1,2}(?:\.\d\d)?\s?[ap]\.?m\b",
    r"\b(?:noon|midnight|o'?clock|24/7|24 hours|at any time|closed)\b",
    r"\b\d{1,2}(?:\.\d\d)?\s?(?:[-–]|to)\s?\d{1,2}(?:\.\d\d)?\b",
    r"\b(?:by|at|from|until|before|after) \d{1,2}\b",
)
DATE = _any(
    rf"\b(?:{'|'.join((*MONTHS[:4], *MONTHS[5:], *WEEKDAYS))})s?\b",
    r"\bMay\b(?= \d|,|\.)",
    r"(?<=\d )May\b",
    r"\b(?:1[5-9]|20)\d\d(?:s|\b)",
    r"\b\d{1,2}(?:st|nd|rd|th)\b",
    r"\b\d{1,2}[./]\d{1,2}[./]?\d{0,4}\b",
    r"\b\d{4}-\d\d",
    (
        r"\b(?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|last) "
        r"(?:working )?(?:day|week|month|quarter|year)\b"
    ),
    (
        r"\b(?:spring|summer|autumn|fall|winter|christmas|easter|daily|weekly|monthly|every"
        r"|last (?:day|week|month)|end of|beginning of|at least|within|before|after|once|quarter"
        r"|weekdays?|weekends?|tomorrow|immediately|always|advance)\b"
    ),
)
FREQUENCY = _any(
    (
        r"\b(?:every|each|daily|weekly|monthly|yearly|annual(?:ly)?|quarterly|once|twice|times?|per"
        r"|a (?:day|week|month|year)|always|never|regularly|fortnight\w*|bi-?\w+ly)\b"
    ),
    rf"\b(?:{'|'.join(WEEKDAYS)})s?\b",
)
AGE = _any(
    r"\b(?:born|birth)\b",
    r"\b(?:founded|built|established|opened)\b[^.]{0,30}\b(?:1[5-9]|20)\d\d\b",
    (
        r"\b(?:aged?|older|younger|over|under|from|years?|at least|until)\b"
        r"[^.]{0,12}(?<![€$£:.])\b\d{1,3}\b(?![:.]\d| ?(?-i:[A-Z])| ?[€$£%])"
    ),
    r"\b\d{1,3}[^.\d]{0,15}\b(?:years?|old(?:er)?|young(?:er)?|and over|or over|upwards?)\b",
    r"(?-i:\b[A-ZÀ-Þ]\w+),? \(?\d{1,2}\b(?![:.]\d)",
)
AGE_WORD = _any(r"\b(?:old|age|aged|young)\b")
OF_AGE = re.compile(r"\w+ (?:and|or) (?:older|over|above|younger|under)\b|\w+ years? old")
NOW = _any(r"\b(?:present|now|today|current(?:ly)?|since)\b")
IS = re.compile(r"\b(?:is|are)\b")
CLOSED_SPAN = _any(
    rf"\b{_YEAR}\s*{_TO}\s*{_YEAR}\b",
    r"\b(?:was|were|had|former|previously|until)\b",
)

# Money and measures

_CODES = "eur|usd|gbp|chf|nok|sek|dkk"
MONEY = _any(
    r"[€$£¥]\s?\d",
    r"\d\s?[€$£¥%]",
    (
        r"\d[\d.,]*\s?(?:(?:thousand|million|billion|m|bn) )?"
        rf"(?:euros?|dollars?|pounds?|cents?|{_CODES}|kr|pln|francs?|crowns?|kron(?:e|er|or|a|ur)"
        r"|pence|p|yen|zloty|rupees?|percent)\b"
    ),
    rf"\b(?:{_CODES}|kr)\.?\s?\d",
    r"\b(?:free|gratis|complimentary|included|nothing)\b",
    r"\bno (?:extra )?(?:charge|cost|fee)",
)
CURRENCY = _any(
    r"\b(?:prices?|fees?|rates?|amounts?|sums|figures|costs|charges|fares|wages|tariffs?)\b"
    r"[^.:!?]{0,60}\bin (?:(?:us|australian|canadian|swiss|danish|norwegian|swedish) )?"
    rf"(?:euros?|dollars|pounds|francs|crowns|kroner|kronor|{_CODES}|[€$£])(?!\w)"
)
"""Where a text says once in which money its bare numbers are."""

PRICED = _any(
    r"\b(?:prices?|costs?|fees?|rates?|hire|rent(?:al)?|charged?|fares?|pay|pays|paid|tariffs?"
    r"|deposits?|wages?|tickets?|admission|entry|earn(?:s|ed)?|gets?|budget|fines?|for(?= \d))\b"
)
BARE_NUMBER = _any(
    rf"(?<![\d.:/§-])(?<!\bunder )(?<!\bover )(?<!\baged )(?<!\bof )\b(?!{_YEAR}\b)"
    r"\d[\d.,]*(?<![.,])\b(?!\s*(?:(?:and|to|or) \d+ \w|[:%/–-]|percent|per cent|hours?|hrs?"
    r"|days?|nights?|weeks?|months?|years?|minutes?|seconds?|[ap]\.?m|o'?clock|km|cm|mm|m\b|kg"
    r"|g\b|met(?:re|er)s?|kilomet|miles?|inch|kilo|people|persons|adults|children|places|seats"
    rf"|pieces|times|pages|characters|degrees|to \d|{'|'.join(MONTHS)}))"
)
"""One that may be a price where prices stand: nothing says what else it counts."""

WEIGHT = _any(
    rf"\b{_CARDINAL}[\s-]*(?:kg|kilo(?:gram)?s?|g|grams?|tons?|tonnes?|t|lbs?|pounds?|ounces?|oz"
    r"|stone)\b"
)
_METRES = r"cm|mm|m|km|(?:kilo|centi|milli)?met(?:re|er)s?|miles?|feet|foot|ft|inch(?:es)?|yards?"
DISTANCE = _any(rf"\b{_CARDINAL}[\s-]*(?:\w+ )?(?:{_METRES}|stor(?:e?ys?|ies)|floors)\b")
LENGTH = _any(rf"\b{_CARDINAL}[\s-]*(?:characters?|letters|digits|words|pages|{_METRES})\b")

# Places, and ways to reach somebody

PHONE = re.compile(r"(?:\+|\b0|\(0|\b\d)[\d\s()/.-]{5,}\d\b")
EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]+@[\w-]+\.\w+")
WEB = _any(
    r"https?://",
    r"www\.",
    r"\b[\w-]+\.(?:com|org|net|example|io|de|no|fr|eu|uk|dev|info)\b(?!\w|@)",
)
CONTACT = _any(PHONE.pattern, EMAIL.pattern, WEB.pattern, r"extension \d")
STREET = re.compile(
    r"\b\w+(?:stra(?:ß|ss)e|gata|gate|gatan|veien|vej|weg|gasse|platz|allee|straat) \d"
    r"|\b[A-ZÀ-Þ]\w+ (?:Street|St|Road|Rd|Avenue|Lane|Square|Drive|Way|Place|Quay|Court|Row)\b"
    r"|\b[A-ZÀ-Þ][\w-]+ \d+[a-z]?,|\b\d{4,5} [A-ZÀ-Þ]|\b(?:rue|via|calle|avenida) \w+"
)
PLACE = _any(
    (
        r"\b(?:in|at|from|to|near|on|of|behind|beside|opposite|under|above|inside|outside|between"
        r"|via|through|into|next to|beneath|off)\b"
    ),
    (
        r"\b(?:street|road|avenue|square|lane|floor|room|building|office|desk|shelf|online|intranet"
        r"|portal|home|city|town|abroad|here|everywhere|worldwide|strasse|straße|university|address"
        r"|reception|station|airport|hotel)\b"
    ),
    r"\d{4,5} [A-Z]",
)

# People and what they do

NAME = re.compile(r"(?<![.!?:]\s)(?<!^)\b[^\W\d_a-z][\w’'-]+|\b[A-Z]\w+ [A-Z]\w+")
FULL_NAME = re.compile(
    r"\b(?!(?:University|Institute|The|January|February)\b)[A-ZÀ-Þ][a-zß-ÿ’'-]+ (?:[A-Z]\. )?"
    r"(?!(?:University|Institute|School|College|Street|Prize|Award|Road|Party|Day)\b)"
    r"[A-ZÀ-Þ][\w’'-]+"
)
CALLED = re.compile(r"[\"“„«]\w|\b(?:called|named)\b")
CAPITALISED = re.compile(r"\b[^\W\d_a-z][\w’'-]*")
_MANY = (
    r"employees?|customers?|guests?|members?|everyone|everybody|anyone|nobody|people|person"
    r"|colleagues?|children|adults?|students?|seniors?|visitors?|minors|both|all|those|whoever"
)
MANY = _any(rf"\b(?:{_MANY})\b")
ROLE = _any(
    (
        r"\b(?:manager|director|head|lead(?:er)?|team|department|office|officer|staff|owner|founder"
        r"|doctor|teacher|company|supervisor|council|board|committee|reception|desk|wife|husband"
        r"|mother|father|brother|sister|partner|firm|club|chair|captain|warden|secretary|treasurer"
        rf"|parents?|(?-i:HR|IT)|{_MANY})\b"
    ),
    r"^who\b",
)
JOB = _any(
    (
        r"\b(?:is|was|am|are) (?:an? |the )?(?:\w+ ){0,3}\w+(?:er|or|ist|ian|eer|ant|man|woman|ect"
        r"|chef|nurse|head|cook|pilot|clerk|smith)\b"
    ),
    r"\b(?:works?|worked|working|employed) (?:as|at|for|in|with|on)\b",
    r"\b(?:present|today|leads|manages|runs|teaches|heads)\b",
    rf"\b{_YEAR}\s*(?:[-–—]|to\b)",
    rf"\bsince {_YEAR}",
)
EMPLOYER = re.compile(
    r"\b(?:[Ww]ork(?:s|ed|ing)?|[Ee]mployed|[Jj]oined|[Pp]osition|[Jj]ob|[Ee]mployer|[Cc]areer"
    r"|[Hh]ired|[Ll]eads?|[Mm]anage[sr]?|[Dd]irector|[Ee]ngineer|[Tt]eaches|[Tt]eacher)\b[^.]{0,40}?"
    r"\b(?:at|for|with|by|in|of)\b (?:the )?[A-ZÀ-Þ]"
    rf"|(?:,| at| [-–—|]) (?:the )?[A-ZÀ-Þ][^.]*\b(?:{_YEAR}|present|now)"
    rf"|\b{_YEAR}\b[^.]*(?:,|;|\bat\b|[-–—|:]) (?:\w+ )*[A-ZÀ-Þ]|[Ee]mployer:"
)
STEP = _any(
    r"\b(?:if|must|should|need|have to|please|call|send|report|tell|inform|use|go to|contact|via"
    r"|through|by|can|leave|sign|write|return|bring|ask|book|hand|press|visit|fill|click|within"
    r"|e-?mail|online|portal)\b"
)
IMPERATIVE = _any(
    r"(?:^|[.;:,] )(?:please |then |first )?(?:call|ask|tell|write|send|report|bring|use|go|leave"
    r"|take|contact|fill|book|press|inform|return|keep|stop|click|apply|hand|ring|visit|wait|listen"
    r"|say)\b"
)
