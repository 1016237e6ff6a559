"""Words of general English, so that none of them is taken for another one mistyped.

`common_words.txt` has the whole words of the embedded model's tokenizer (SmolLM2, Apache-2.0), some
twenty thousand; `tests/support/record_common_words.py` writes it. It is kept as one text, which
takes a tenth of the memory of a set and is searched only for words that the texts do not have.
"""

import re
from collections.abc import Iterator
from functools import cache, lru_cache
from importlib.resources import files

SHORTEST_SLIP, LONGEST_SLIP = 6, 20
"""Letters of a word that another one is looked for; whoever writes more means no word."""

WORDS_KEPT = 512
"""Words of which it stays known what is meant by them."""


def is_word(word: str) -> bool:
    """Tell whether a folded word, or its singular, is common English."""
    return _has(word) or (word.endswith("s") and _has(word.removesuffix("s")))


@lru_cache(maxsize=WORDS_KEPT)
def meant(word: str) -> str | None:
    """Return the common word that a folded one is a slip of; None where it is none.

    Two letters are swapped, one is missing or doubled; the first is right. Other words of a letter
    more or less, and short ones, are as often rare words: paypal is not papal, nor crepe creep.
    """
    if not (SHORTEST_SLIP <= len(word) <= LONGEST_SLIP and word.isascii()):
        return None
    for slips in (_swapped(word), _missing(word), _doubled(word)):
        tails = "|".join(slips)
        if tails and (found := re.search(f"\n({word[0]}(?:{tails}))\n", _words())):
            return found[1]
    return None


def _swapped(word: str) -> Iterator[str]:
    for at in range(1, len(word) - 1):
        yield word[1:at] + word[at + 1] + word[at] + word[at + 2 :]


def _missing(word: str) -> Iterator[str]:
    for at in range(1, len(word) + 1):
        yield word[1:at] + "." + word[at:]


def _doubled(word: str) -> Iterator[str]:
    for at in range(2, len(word)):
        if word[at] == word[at - 1]:
            yield word[1:at] + word[at + 1 :]


def _has(word: str) -> bool:
    return f"\n{word}\n" in _words()


@cache
def _words() -> str:
    return "\n" + files("va_assistant").joinpath("common_words.txt").read_text("ascii")
