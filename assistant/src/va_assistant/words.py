"""Words of texts and questions in the one form in which they are compared; pure.

Folded (case, accents), lightly stemmed, with numbers, dates, times and money in a normal form, so
that `€1,200.00` meets `1200 euros` and `5 pm` meets `17:00`. The stemming is English and no more
than trimming: a text in another language is compared as it is written (`stems=False`).
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

MONTHS = (
    "january", "february", "march", "april", "may", "june", "july",
    "august", "september", "october", "november", "december",
)  # fmt: skip
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTHS_SHORT = {
    **{name[:3]: name for name in MONTHS},
    "sept": "september",
}
_DAYS_SHORT = {
    "mon": "monday", "tue": "tuesday", "tues": "tuesday", "wed": "wednesday", "thu": "thursday",
    "thur": "thursday", "thurs": "thursday", "fri": "friday", "sat": "saturday", "sun": "sunday",
}  # fmt: skip
_SHORT = _MONTHS_SHORT.keys() | _DAYS_SHORT.keys()
_CARDINALS = """
    zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen
    fifteen sixteen seventeen eighteen nineteen twenty
    """.split()
NUMBER_WORDS = {word: str(number) for number, word in enumerate(_CARDINALS)} | {
    "thirty": "30", "forty": "40", "fifty": "50", "sixty": "60", "seventy": "70",
    "eighty": "80", "ninety": "90", "hundred": "100", "thousand": "1000", "dozen": "12",
}  # fmt: skip
_UNITS = {
    "€": "eur", "euro": "eur", "euros": "eur", "$": "usd", "dollar": "usd", "dollars": "usd",
    "£": "gbp", "pound": "gbp", "pounds": "gbp", "%": "percent", "per cent": "percent",
    "cent": "cent", "cents": "cent",
}  # fmt: skip
CURRENCIES = frozenset({"eur", "usd", "gbp", "chf", "nok", "sek", "dkk", "jpy", "cent", "pln"})

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

_BEFORE_MAY = re.compile(
    r"\b(?:in|of|since|until|till|from|by|late|early|to|and|every|each)\s$|[-–—]\s?$", re.IGNORECASE
)
_CJK = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\u0e00-\u0e7f]")

_IRREGULAR = {
    form: base
    for base, forms in {
        "be": "been being", "begin": "began begun", "break": "broke broken", "bring": "brought",
        "buy": "bought", "choose": "chose chosen choice", "come": "came", "cost": "costs",
        "drive": "drove driven", "eat": "ate eaten", "fall": "fell fallen",
        "fly": "flew flown", "forget": "forgot forgotten",
        "get": "got gotten", "give": "gave given",
        "go": "went gone goes going", "grow": "grew grown",
        "hold": "held", "keep": "kept", "know": "knew known",
        "lead": "led", "leave": "left", "lend": "lent",
        "lose": "lost loss loses losing",
        "make": "made",
        "mean": "meant", "meet": "met", "pay": "paid", "ride": "rode ridden", "run": "ran",
        "say": "said", "see": "saw seen", "sell": "sold sale sales", "send": "sent",
        "show": "shown", "sing": "sang sung",
        "sit": "sat", "sleep": "slept", "speak": "spoke spoken",
        "spend": "spent", "steal": "stole stolen theft", "swim": "swam swum", "take": "took taken",
        "teach": "taught", "tell": "told", "think": "thought", "wear": "wore worn",
        "use": "used using user users usage", "age": "aged ageing aging",
        "win": "won",
        "write": "wrote written", "child": "children", "person": "people persons", "man": "men",
        "woman": "women", "foot": "feet", "tooth": "teeth", "mouse": "mice", "wife": "wives",
        "life": "lives", "birth": "born", "deliver": "delivery deliveries", "receive": "receipt",
        "apply": "application applications applicant",
        "choice": "choices", "enter": "entry entrance",
        "sign": "signature", "fail": "failure", "die": "died dying death",
        "marry": "marriage wedding weddings wed",
        "weigh": "weight", "high": "height", "long": "length", "deep": "depth", "wide": "width",
        "analyse": "analysis analyze", "able": "ability", "arrive": "arrival",
        "approve": "approval", "renew": "renewal", "propose": "proposal", "remove": "removal",
        "describe": "description", "subscribe": "subscription", "permit": "permission",
        "decide": "decision", "reduce": "reduction", "explain": "explanation",
        "produce": "production", "introduce": "introduction", "invite": "invitation",
        "phd": "doctorate doctorates",
        "email": "mail", "photo": "photograph photographs photography",
    }.items()
    for form in forms.split()
}  # fmt: skip
_IRREGULAR["lives"] = "live"  # far more often the verb
_DERIVED = (
    "isations", "izations", "isation", "ization", "ations", "ation", "ements", "ement",
    "ments", "ment", "ances", "ance", "ences", "ence", "ables", "able", "ibles", "ible",
    "nesses", "ness", "ships", "ship", "ings", "ing", "ions", "ion", "ists", "ist",
    "aries", "ary", "ers", "ors", "er", "or", "edly", "ed", "est", "ally", "ly",
    "ive", "ies", "es", "s",
)  # fmt: skip
_KEPT = frozenset(
    """
    paper water number summer winter order member letter never ever over under after other
    either neither computer dinner corner river sister brother mother father daughter error
    floor door color december september october november center power tower flower user
    shower offer station nation question motion section portion season lesson person reason
    version million spring string king ring thing during morning evening king wedding
    building ceiling news bus gas yes glass class press business address access process
    success less unless across series species lens bonus campus status virus basis always
    perhaps plus minus this his its red bed hundred speed need feed seed weed table cable
    stable vegetable family only early daily weekly monthly yearly supply reply apply italy
    july silence science audience experience distance balance finance insurance france
    science violence moment document department apartment element comment cement president
    license science internship friendship list artist fist august colour motor doctor actor
    director mayor major minor senior junior salary library diary dictionary secondary
    request guest harvest honest invest protest contest digest suggest arrest modest test best west
    career paper meter liter
    butter ladder pepper copper rubber matter bitter litter gutter supper hammer kidney money honey
    journey valley turkey alter counter proper master hockey money monkey trolley
    primary ordinary temporary necessary january february employee interest rest forest
    """.split()
)


_CALENDAR = frozenset(name[:3] for name in (*MONTHS, *WEEKDAYS))


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
    return "".join(char for char in decomposed if not unicodedata.combining(char))


def tokens(text: str, *, stems: bool = True) -> list[Token]:
    """Return the words of a text in their order; one that says nothing has no terms."""
    found: list[Token] = []
    number_end = -2
    pattern = _TOKEN if _ADDRESS.search(text) else _TOKEN_WITHOUT_ADDRESS
    for match in pattern.finditer(text):
        kind = match.lastgroup or "word"
        written = match.group()
        if kind == "word":
            terms = _terms_anywhere(written, stems)
            if terms is None:
                terms = _month_or_day(written, text, match.span(), number_end)
                terms = terms or _word_terms(written, stems)
        else:
            terms = _special_terms(kind, written)
            kind = {"iso": "number", "dmy": "number"}.get(kind, kind)
        if kind == "number":
            number_end = match.end()
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


@lru_cache(maxsize=8192)
def stem(word: str) -> str:
    """Return what an English word shares with its other forms.

    A light trimming, not a grammar: it has to be the same for `manage`, `manages`, `managed` and
    `manager`, and it may be no word.
    """
    for _ in range(3):  # deliveries, deliver, deliv
        word = _IRREGULAR.get(word, word)
        shorter = _shorter(word)
        if shorter == word:
            break
        word = shorter
    return word


def _shorter(word: str) -> str:
    if len(word) <= 3 or word in _KEPT:
        return word
    if word.endswith("s") and (word[:-1] in _KEPT or word[:-1] in _IRREGULAR):
        return word[:-1]
    for suffix in _DERIVED:
        base = word[: -len(suffix)]
        if not word.endswith(suffix) or len(base) < 3:
            continue
        if suffix == "s" and base.endswith(("s", "u", "i")):
            continue
        if any(char in "aeiouy" for char in base):
            if suffix == "ies":
                return base + "y"
            if suffix[0] in "aei" and _LOST_E.fullmatch(base):
                return base + "e"  # hiring: of "hir" it would be hirring
            return _trimmed(base, doubles="bcdfglmnprtz")
    return _trimmed(word, doubles="lfdgz")


_LOST_E = re.compile(r"[^aeiou][aeiou][^aeiouswxy]")


def _trimmed(base: str, *, doubles: str) -> str:
    """Return a word without its last letter, where other forms have another or none.

    The doubled consonants of `planned` and `sell` become one, those of `carry` do not.
    """
    if len(base) > 3 and base[-1] == base[-2] and base[-1] in doubles:
        base = base[:-1]
    if len(base) > 4 and base[-1] in "eiy":
        base = base[:-1]
    if len(base) > 5 and base.endswith(("at", "is", "iz")):
        base = base[:-2]  # graduated, organised
    return base


@lru_cache(maxsize=16384)
def _terms_anywhere(written: str, stems: bool) -> tuple[str, ...] | None:
    """Return the terms of a word, a number or a symbol.

    None for what is a month or a day only where it stands so: `May`, `Sun`.
    """
    if written[0].isdecimal():
        return _special_terms("number", written)
    if written in _UNITS and not written.isalpha():
        return _special_terms("symbol", written)
    if written[:3].lower() not in _CALENDAR:
        return _word_terms(written, stems)
    if written[0].isupper() and written.lower() in _SHORT:
        return None
    return _month_or_day(written, written, (0, len(written)), -2) or _word_terms(written, stems)


@lru_cache(maxsize=8192)
def _word_terms(written: str, stems: bool) -> tuple[str, ...]:
    if written == "IT":  # a department, not a pronoun
        return ("informationtechnology",)
    word = fold(written).replace("’", "'")
    word = word.removesuffix("'s")
    word = word.replace("'", "").replace("-", "")  # e-mail, T-shirt
    if word in NUMBER_WORDS:
        return (NUMBER_WORDS[word],)
    if word in _UNITS:
        return (_UNITS[word],)
    if _CJK.search(word):
        return tuple(word[at : at + 2] for at in range(max(1, len(word) - 1)))
    if word in STOP_WORDS:
        return ()
    return (stem(word),) if stems else (word,)


def _month_or_day(
    written: str, text: str, span: tuple[int, int], number_end: int
) -> tuple[str, ...]:
    word = written.lower()
    start, end = span
    after_number = bool(number_end > 0 and not text[number_end:start].strip())
    if word == "may":  # nearly always the verb
        is_month = written[0].isupper() and (
            after_number or _BEFORE_MAY.search(text[:start]) or re.match(r",?\s\d", text[end:])
        )
        return ("may",) if is_month else ()
    if word in MONTHS:
        return (word,)
    if word in WEEKDAYS or word.rstrip("s") in WEEKDAYS:
        return (word.rstrip("s"),)
    if not written[0].isupper():
        return ()
    if word in _DAYS_SHORT and (word not in {"sun", "sat"} or not text[end : end + 2].islower()):
        return (_DAYS_SHORT[word],)
    if word in _MONTHS_SHORT and (after_number or re.match(r"\.?,?\s?\d", text[end:])):
        return (_MONTHS_SHORT[word],)
    return ()


def _special_terms(kind: str, written: str) -> tuple[str, ...]:
    if kind in {"email", "url"}:
        return (written.lower(),)
    if kind == "symbol":
        return (_UNITS[written],)
    if kind == "clock":
        return (clock(written),)
    if kind == "iso":
        year, month, day = written.split("-")
        return _date_terms(day, month, year)
    if kind == "dmy":
        day, month, year = written.split(".")
        return _date_terms(day, month, year)
    return (number(written),)


def _date_terms(day: str, month: str, year: str) -> tuple[str, ...]:
    if not 1 <= int(month) <= 12:
        return (day.lstrip("0") or "0", month.lstrip("0") or "0", year)
    return (day.lstrip("0") or "0", MONTHS[int(month) - 1], year)


def clock(written: str) -> str:
    """Return a time of the day as `17:30`."""
    digits = re.findall(r"\d+", written)
    hour, minute = int(digits[0]), int(digits[1]) if len(digits) > 1 else 0
    letter = re.search(r"[ap]\.?m", written.lower())
    if letter and letter.group()[0] == "p" and hour < 12:
        hour += 12
    if letter and letter.group()[0] == "a" and hour == 12:
        hour = 0
    return f"{hour}:{minute:02}"


def number(written: str) -> str:
    """Return a number without grouping, with a point before its decimals, without useless zeros.

    One separator before exactly three digits groups; otherwise the last one is the decimal point.
    """
    text = re.sub(r"(st|nd|rd|th)$", "", written.lower())
    parts = re.split(r"[.,'’\u00a0\u202f]", text)
    if len(parts) == 1:
        return parts[0].lstrip("0") or "0"
    separators = set(re.findall(r"[.,]", text))
    groups = all(len(part) == 3 for part in parts[1:])
    if (groups and len(separators) < 2 and parts[0] != "0") or (
        len(parts) > 2 and len(separators) < 2 and groups
    ):
        return "".join(parts).lstrip("0") or "0"
    if len(parts) > 2 and len(separators) < 2:
        return ".".join(part.lstrip("0") or "0" for part in parts)  # a version, an address
    whole = "".join(parts[:-1]).lstrip("0") or "0"
    decimals = parts[-1].rstrip("0")
    return f"{whole}.{decimals}" if decimals else whole


def is_english(texts: Iterable[str]) -> bool:
    """Tell whether texts are in English, as far as their small words say.

    A text without small words, such as a bare table, is taken for English.
    """
    counts = dict.fromkeys(_SMALL_WORDS, 0)
    for text in texts:
        for word in re.findall(r"[^\W\d_]+", text[:20_000].lower()):
            for language, small in _SMALL_WORDS.items():
                counts[language] += word in small
    return counts["en"] >= max(counts.values())


def distance(one: str, other: str, limit: int) -> int:
    """Return how many letters must be added, dropped, changed or swapped; above `limit` any."""
    if abs(len(one) - len(other)) > limit:
        return limit + 1
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        older, before, row = before, row, [i]
        for j, b in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                cost = min(cost, older[j - 2] + 1)
            row.append(cost)
        if min(row) > limit:
            return limit + 1
    return row[-1]


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

_SMALL_WORDS = {
    "en": frozenset(
        """
    the and of to is are for with you she he it that this from your by
    """.split()
    ),
    "de": frozenset(
        """
    der die das und ist nicht mit fur für ein eine sie wir auf dem den von
    """.split()
    ),
    "fr": frozenset(
        """
    le la les et est une des du pour avec dans nous vous elle il sur
    """.split()
    ),
    "es": frozenset(
        """
    el los las y es una con por para del que su se ella
    """.split()
    ),
    "it": frozenset(
        """
    il gli e di una con per che del della sono lei lui
    """.split()
    ),
    "nl": frozenset(
        """
    het een en van is niet met voor zij wij op
    """.split()
    ),
    "no": frozenset(
        """
    og er det som en av til med for ikke hun han
    """.split()
    ),
    "pt": frozenset(
        """
    o os as e uma com para do da que ela ele
    """.split()
    ),
}
