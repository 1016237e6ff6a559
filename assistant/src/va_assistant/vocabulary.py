"""Words of general English, so that none of them is taken for another one mistyped.

`common_words.txt` has the whole words of the embedded model's tokenizer (SmolLM2, Apache-2.0), some
twenty thousand; `tests/support/record_common_words.py` writes it. It is kept as one text, which
takes a tenth of the memory of a set and is searched only for words that the texts do not have.
"""

from functools import cache
from importlib.resources import files


def is_word(word: str) -> bool:
    """Tell whether a folded word, or its singular, is common English."""
    return _has(word) or (word.endswith("s") and _has(word.removesuffix("s")))


def _has(word: str) -> bool:
    return f"\n{word}\n" in _words()


@cache
def _words() -> str:
    return "\n" + files("va_assistant").joinpath("common_words.txt").read_text("ascii")
