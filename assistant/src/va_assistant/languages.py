"""Small words, numbers and calendars of a few languages, to read what an answer states; pure data.

Only what grounding needs: in which language a sentence is, which of its words are a number, a month
or a weekday, where it denies something, and which names may be the same. Everything is folded.
"""

import re
from collections import Counter
from collections.abc import Iterable
from functools import cache

from va_assistant.words import MONTHS, WEEKDAYS, fold

_WORD = re.compile(r"[^\W\d_]+")

_SMALL = {
    language: frozenset(words.split())
    for language, words in {
        "en": """
        the and of to is are for with you she he it that this from your by at was has her his they
        their there in no not yes its an who where when which a what does do how can on we our be
        """,
        "de": """
        der die das und ist nicht mit fur ein eine einen einem einer sie er wir auf dem den von am
        im bei nein ja wurde hat wird zu zum zur wer wo wann wie was sind ihr ihre ihren sein seine
        es fuhrt heisst kostet war aus nach welche welches wieviel in an dort um oder auch bis uber
        """,
        "fr": """
        le la les et est une un des du de pour avec dans nous vous elle il sur oui non qui que ou
        chez ne pas son sa ses ce cette en a au aux par quand combien quelle quelles quel comment
        """,
        "es": """
        el la los las y es una un con por para del que su se ella si no trabaja donde cuando en de
        al tiene quien
        """,
        "it": "il la gli le e di una un con per che del della sono lei lui in si no ha dove quando",
        "nl": "het een en van is niet met voor zij hij op de ze ja nee in heeft waar wanneer bij",
        "no": "og er det som en et av til med for ikke hun han pa ja nei i har hvor hos",
        "pt": "o os a as e uma um com para do da em que ela ele sim nao no na tem onde quando",
    }.items()
}

_LANGUAGES = {
    word: tuple(language for language, small in _SMALL.items() if word in small)
    for word in frozenset().union(*_SMALL.values())
}

_NUMBERS = {
    "en": """
        zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen
        fifteen sixteen seventeen eighteen nineteen; twenty thirty forty fifty sixty seventy eighty
        ninety; hundred thousand million""",
    "de": """
        null ein zwei drei vier funf sechs sieben acht neun zehn elf zwolf dreizehn vierzehn
        funfzehn sechzehn siebzehn achtzehn neunzehn; zwanzig dreissig vierzig funfzig sechzig
        siebzig achtzig neunzig; hundert tausend million""",
    "fr": """
        zero un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze
        seize dix-sept dix-huit dix-neuf; vingt trente quarante cinquante soixante septante huitante
        nonante; cent mille million""",
    "es": """
        cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince
        dieciseis diecisiete dieciocho diecinueve; veinte treinta cuarenta cincuenta sesenta setenta
        ochenta noventa; cien mil millon""",
    "it": """
        zero uno due tre quattro cinque sei sette otto nove dieci undici dodici tredici quattordici
        quindici sedici diciassette diciotto diciannove; venti trenta quaranta cinquanta sessanta
        settanta ottanta novanta; cento mille milione""",
    "nl": """
        nul een twee drie vier vijf zes zeven acht negen tien elf twaalf dertien veertien vijftien
        zestien zeventien achttien negentien; twintig dertig veertig vijftig zestig zeventig tachtig
        negentig; honderd duizend miljoen""",
    "no": """
        null en to tre fire fem seks sju atte ni ti elleve tolv tretten fjorten femten seksten
        sytten atten nitten; tjue tretti forti femti seksti sytti atti nitti; hundre tusen million
        """,
    "pt": """
        zero um dois tres quatro cinco seis sete oito nove dez onze doze treze catorze quinze
        dezesseis dezessete dezoito dezenove; vinte trinta quarenta cinquenta sessenta setenta
        oitenta noventa; cem mil milhao""",
}
_OTHER_FORMS = {
    "en": "dozen=12",
    "de": "eins=1 zwo=2 fuenf=5 zwoelf=12 dreizig=30 dutzend=12 millionen=1000000",
    "fr": "une=1 vingts=20 cents=100 millions=1000000",
    "es": "veinti=20 veintiun=21 ciento=100 doscientos=200 quinientos=500 millones=1000000",
    "it": "ventuno=21 mila=1000 milioni=1000000",
    "nl": "",
    "no": "syv=7 tyve=20 tretti=30 millioner=1000000",
    "pt": "duas=2 dezasseis=16 dezassete=17 dezanove=19 cento=100 duzentos=200 milhoes=1000000",
}
_JOINERS = frozenset("and und et y e en og".split())

_CALENDARS = {
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

NEGATION = re.compile(
    r"\b(?:no|not|never|none|nobody|nothing|neither|nor|without|cannot|closed|forbidden|prohibited"
    r"|excluded?|except|unless|unknown"
    r"|nicht|kein\w*|nie|niemals|niemand|nichts|weder|ohne|geschlossen|verboten"
    r"|ne|pas|aucune?|jamais|sans|ni|ferme|nunca|ningun\w*|nadie|cerrado"
    r"|non|nessun\w*|senza|niet|geen|nooit|zonder|ikke|ingen|aldri|uten|nao|nenhum\w*)\b"
    r"|n['\u2019]t\b|\bn['\u2019](?=\w)"
)
"""In folded text."""

LONGEST_NUMBER = 40
"""Letters of a number that is one word; also what keeps the search for its parts short."""

LONG_ENOUGH = 2000
"""Characters of a text that tell its language."""

FEW_WORDS = 3
"""A longer sentence without any small word is in none of these languages."""

SHARED_LETTERS = 4
"""With which a word begins that is a form of another."""

LONGEST_ENDING = 4
"""Letters in which such forms may differ."""

_SPELT_ALIKE = str.maketrans("wuyc", "vvik")

YES = frozenset("yes yeah yep correct indeed ja jawohl oui si sim".split())


def language_of(text: str, hint: str = "") -> str:
    """Return the language that most small words of a text are of, `""` where nothing tells.

    What a short text leaves open the hint decides, for instance the question that it answers.
    """
    words = _WORD.findall(fold(text[:LONG_ENOUGH]))
    said, hinted = _counts(words), _counts(_WORD.findall(fold(hint[:LONG_ENOUGH])))
    if not said and len(words) > FEW_WORDS:
        return ""
    return max(
        (language for language in _SMALL if said[language] or hinted[language]),
        key=lambda language: (said[language], hinted[language]),
        default="",
    )


def _counts(words: Iterable[str]) -> Counter[str]:
    return Counter(language for word in words for language in _LANGUAGES.get(word, ()))


def is_small(word: str) -> bool:
    """Tell whether a folded word is a small one of some language."""
    return word in _LANGUAGES


def values_of(word: str, language: str) -> list[int]:
    """Return the numbers that a folded word is made of: 5 and 20 for `fünfundzwanzig`."""
    numbers, part, compound = _numbers(language)
    if word in numbers:
        return [numbers[word]]
    if language == "en" or not 5 < len(word) < LONGEST_NUMBER or not compound.fullmatch(word):
        return []
    return [numbers[found] for found in part.findall(word) if found in numbers]


def value(parts: list[int], language: str) -> int:
    """Return what numbers that are said one after the other come to."""
    total = now = 0
    for part in parts:
        if part >= 100:
            now = max(now, 1) * part
            if part >= 1000:
                total, now = total + now, 0
        elif language == "fr" and (part, now % 100) == (20, 4):
            now += 76
        elif part >= 10 and 10 <= now <= 20:
            now = now * 100 + part  # nineteen ninety
        else:
            now += part
    return total + now


def joins(word: str) -> bool:
    """Tell whether a folded word may stand inside a number."""
    return word in _JOINERS


def calendar(word: str, language: str) -> str:
    """Return the English name of a month or weekday, `""` for other words."""
    names = _calendar(language)
    return names.get(word) or names.get(word.removesuffix("s")) or ""


def skeleton(word: str) -> str:
    """Return a folded word without what languages spell differently: Norway, Norvège."""
    return fold(word).translate(_SPELT_ALIKE)


def is_alike(one: str, other: str) -> bool:
    """Tell whether two skeletons differ in their endings only."""
    shared = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        shared += 1
    return shared >= SHARED_LETTERS and max(len(one), len(other)) - shared <= LONGEST_ENDING


@cache
def _numbers(language: str) -> tuple[dict[str, int], re.Pattern[str], re.Pattern[str]]:
    units, tens, large = (part.split() for part in _NUMBERS.get(language, ";;").split(";"))
    numbers = {word: number for number, word in enumerate(units)}
    numbers |= {word: 10 * number for number, word in enumerate(tens, 2)}
    numbers |= dict(zip(large, (100, 1000, 1_000_000), strict=False))
    for form in _OTHER_FORMS.get(language, "").split():
        word, _, number = form.partition("=")
        numbers[word] = int(number)
    longest_first = sorted((*numbers, "und", "en"), key=len, reverse=True)
    part = "|".join(longest_first)
    return numbers, re.compile(part), re.compile(f"(?:{part})+")


@cache
def _calendar(language: str) -> dict[str, str]:
    months, days = (part.split() for part in _CALENDARS.get(language, ";").split(";"))
    return dict(zip((*months, *days), (*MONTHS, *WEEKDAYS), strict=False))
