"""Numbers that are written as words, of several languages; pure."""

import re
from functools import cache

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

LONGEST_NUMBER = 40
"""Letters of a number that is one word; also what keeps the search for its parts short."""


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


NUMBER_WORDS = {word: str(number) for word, number in _numbers("en")[0].items() if number < 10**6}
"""The English ones in digits, up to thousands: of a million people write the number before it."""
