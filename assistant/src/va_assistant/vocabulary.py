"""Words of general English, so that none of them is taken for another one mistyped.

`common_words.txt` has the whole words of the embedded model's tokenizer (SmolLM2, Apache-2.0), some
twenty thousand, and those of the texts that the reranker has learnt from; of these the ones that
several texts have come first, the commonest at the top, before a blank line.
`tests/support/record_common_words.py` writes it. It is kept as one text, which takes a tenth of the
memory of a set and is searched only for words that the texts do not have. What is written with a
capital letter there is a word, too: Mali is no mail.
"""

import re
from collections.abc import Iterator
from functools import cache, lru_cache
from importlib.resources import files

LONGEST_SLIP = 20
"""Letters of a word that another one is looked for; whoever writes more means no word."""

SHORTEST_LIKE_SLIP, SHORTEST_RARE_SLIP = 5, 6
"""Letters from which one may be missing or sound alike, and from which another word may be meant
than a common one. Of short words too many are one letter from another: chai, lino, mead."""

MIXED_UP = ("[aeiouy]", "[cskz]", "[mn]", "[dt]", "[bp]", "[fv]")
"""Letters that are taken for each other: they sound alike."""

WORDS_KEPT = 512
"""Words of which it stays known what is meant by them."""


def is_word(word: str) -> bool:
    """Tell whether a folded word, or its singular, is common English."""
    return _has(word) or (word.endswith("s") and _has(word.removesuffix("s")))


@lru_cache(maxsize=WORDS_KEPT)
def meant(word: str) -> str | None:
    """Return the common word that a folded one is a slip of; None where it is none, or a word.

    Two letters are swapped, one is missing or doubled, or one is another that sounds alike; the
    first is right. Other words with a letter changed are as often rare words, and so are short
    ones near a word that is not very common: paypal is not papal, nor crepe creep.
    """
    if not (word.isascii() and word.isalpha()) or len(word) > LONGEST_SLIP or is_word(word):
        return None
    common, rest = _words()
    is_short = len(word) < SHORTEST_LIKE_SLIP
    missing = _missing_twin(word) if is_short else _missing(word)
    slips = (*_swapped(word), *missing, *_doubled(word))
    alike = () if is_short else _mixed_up(word)
    found = _first(word[0], (*slips, *alike), common)
    if not found and len(word) >= SHORTEST_RARE_SLIP:
        found = _first(word[0], slips, rest)
    # Of a word that is known only in the plural, the singular is no slip.
    return None if found == f"{word}s" else found


def _first(letter: str, tails: tuple[str, ...], words: str) -> str | None:
    found = re.search(f"\n({letter}(?:{'|'.join(tails)}))\n", words)
    return found[1] if found else None


def _swapped(word: str) -> Iterator[str]:
    for at in range(1, len(word) - 1):
        yield word[1:at] + word[at + 1] + word[at] + word[at + 2 :]


def _missing_twin(word: str) -> Iterator[str]:
    for at in range(1, len(word)):
        yield word[1 : at + 1] + word[at:]


def _missing(word: str) -> Iterator[str]:
    for at in range(1, len(word) + 1):
        yield word[1:at] + "." + word[at:]


def _doubled(word: str) -> Iterator[str]:
    for at in range(2, len(word)):
        if word[at] == word[at - 1]:
            yield word[1:at] + word[at + 1 :]


def _mixed_up(word: str) -> Iterator[str]:
    for at in range(1, len(word)):
        for letters in MIXED_UP:
            if word[at] in letters:
                yield word[1:at] + letters + word[at + 1 :]


def _has(word: str) -> bool:
    return any(f"\n{word}\n" in words for words in _words())


@cache
def _words() -> tuple[str, str]:
    """Return the common words and the rest, each between ends of lines."""
    text = files("va_assistant").joinpath("common_words.txt").read_text("ascii")
    common, rest = f"\n{text}".split("\n\n")
    return f"{common}\n", f"\n{rest}"
