"""Questions as people type them: without the mark, and with a mistake or two."""

import random
import re

NO_MARK = 0.3
"""Share of the questions that lose their mark."""

MISTYPED = 0.2
"""Share of the questions with mistakes."""

WORDS_A_MISTAKE = 6
_WORD = re.compile(r"[A-Za-z]{4,}")


def typed(question: str, chance: random.Random) -> str:
    """Return a question as somebody in a hurry might type it."""
    if chance.random() < NO_MARK:
        question = question.rstrip("?")
    if chance.random() < MISTYPED:
        words = list(_WORD.finditer(question))
        mistakes = min(len(words), 1 + len(words) // WORDS_A_MISTAKE)
        # From the end, so that what is before stays where it was.
        for word in sorted(chance.sample(words, mistakes), key=re.Match.start, reverse=True):
            question = question[: word.start()] + _slip(word[0], chance) + question[word.end() :]
    return question


def _slip(word: str, chance: random.Random) -> str:
    """Return a word with two letters swapped, one left out, or one doubled."""
    at = chance.randrange(1, len(word) - 1)
    return chance.choice(
        (
            word[:at] + word[at + 1] + word[at] + word[at + 2 :],
            word[:at] + word[at + 1 :],
            word[:at] + word[at] + word[at:],
        )
    )
