"""In which language a text is, where it denies something, which names may be the same; pure.

Only a few languages, told by their small words. All words are folded.
"""

import re
from collections import Counter
from collections.abc import Iterable

from va_assistant.words import fold

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
        "nl": """
        het een en van is niet met voor zij wij hij op de ze ja nee in heeft waar wanneer bij
        """,
        "no": "og er det som en et av til med for ikke hun han pa ja nei i har hvor hos",
        "pt": "o os a as e uma um com para do da em que ela ele sim nao no na tem onde quando",
    }.items()
}

_LANGUAGES = {
    word: tuple(language for language, small in _SMALL.items() if word in small)
    for word in frozenset().union(*_SMALL.values())
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

LONG_ENOUGH = 2000
"""Characters of an answer that tell its language."""

LONG_TEXT = 20_000
"""Characters of a text that tell whether it is in English: it may begin with names or tables."""

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
    words = _words(text[:LONG_ENOUGH])
    said, hinted = _small(words), _small(_words(hint[:LONG_ENOUGH]))
    if not said and len(words) > FEW_WORDS:
        return ""
    return max(
        (language for language in _SMALL if said[language] or hinted[language]),
        key=lambda language: (said[language], hinted[language]),
        default="",
    )


def is_english(texts: Iterable[str]) -> bool:
    """Tell whether texts are in English, as far as their small words say.

    Texts without small words, such as a bare table, are taken for English.
    """
    counts: Counter[str] = Counter()
    for text in texts:
        counts += _small(_words(text[:LONG_TEXT]))
    return counts["en"] >= max(counts.values(), default=0)


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W\d_]+", fold(text))


def _small(words: Iterable[str]) -> Counter[str]:
    """Return how many of some words are small ones, by language."""
    return Counter(language for word in words for language in _LANGUAGES.get(word, ()))


def is_small(word: str) -> bool:
    """Tell whether a folded word is a small one of some language."""
    return word in _LANGUAGES


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
