"""What is never repeated: in an answer the rules and instructions, in a log the question; pure.

A model that is talked into reading its instructions out is not stopped by the texts: plain words
of one's own are allowed. So what was told to the model and not to the asker is looked for word by
word, also across sentences, for a list of single words is the oldest way around. What stands in
quotation marks is meant to be said, and what the texts hold is known to whoever may ask.
"""

import re
from collections import deque
from collections.abc import Iterable
from functools import cache

from va_assistant.prompt import REMINDER, RULES
from va_assistant.revision import Revision
from va_assistant.words import fold

RUN = 7
"""Words in a row that give something away; of a shorter sentence all of it."""

SHORTEST = 4
"""Words of the shortest sentence that does: `Be brief.` may be said by anybody."""

QUOTED_CHARACTERS = 20
"""In a row of what a provider was sent that make its words a quotation."""

QUOTED = "what the provider said of it quotes what it was sent"
"""Instead of words that belong into no log and no status."""

_SAID = re.compile(r'"[^"]*"|“[^”]*”|„[^“”]*[“”]|«[^»]*»')
_END = re.compile(r"[.!?:;]\s|\n")
_WORD = re.compile(r"\w+")

Run = tuple[str, ...]


class Confidential:
    """The runs of words of one revision that are told to models only."""

    def __init__(self, told: Iterable[str], public: Iterable[str] = ()) -> None:
        """`told` is what models are told; what `public` holds of it is no secret."""
        known = "\n".join(f" {' '.join(_words(text))} " for text in public)
        runs = (run for text in told for run in _runs(text))
        self._runs = frozenset(run for run in runs if f" {' '.join(run)} " not in known)
        self._lengths = sorted({len(run) for run in self._runs})

    def listener(self) -> "Listener":
        """Return one that follows a single answer."""
        return Listener(self._runs, self._lengths)


class Listener:
    """Follows an answer, sentence by sentence."""

    def __init__(self, runs: frozenset[Run], lengths: list[int]) -> None:
        self._runs = runs
        self._lengths = lengths
        self._before: deque[str] = deque(maxlen=RUN - 1)

    def hear(self, told: str) -> None:
        """Take note of what the asker is told."""
        self._before.extend(_words(told))

    def would_give_away(self, sentence: str) -> bool:
        """Tell whether a sentence, after what was told, repeats what is confidential."""
        words = [*self._before, *_words(sentence)]
        return any(
            tuple(words[start : start + length]) in self._runs
            for length in self._lengths
            for start in range(len(words) - length + 1)
        )


def quotes(message: str, sent: Iterable[str]) -> bool:
    """Tell whether a provider's message repeats a text that it was sent, or a long part of it."""
    plain = _plain(message)
    return any(_shares_a_run(plain, _plain(text)) for text in sent)


def _shares_a_run(message: str, text: str) -> bool:
    if len(text) <= QUOTED_CHARACTERS:
        return len(text) >= SHORTEST and text in message
    return any(
        message[start : start + QUOTED_CHARACTERS] in text
        for start in range(len(message) - QUOTED_CHARACTERS + 1)
    )


def _plain(text: str) -> str:
    return " ".join(fold(text).split())


def quotes_the_prompt(message: str) -> bool:
    """Tell whether a message repeats a prompt: the rules begin each."""
    return _rules().listener().would_give_away(message)


@cache
def _rules() -> Confidential:
    return Confidential((RULES, REMINDER))


def confidential_of(revision: Revision) -> Confidential:
    """Return what the answers of a revision never repeat."""
    told = (RULES, REMINDER, revision.instructions or "")
    public = [file.text for file in revision.files]
    return Confidential(told, (*public, revision.answering.no_answer_text))


def _runs(text: str) -> Iterable[Run]:
    for part in _SAID.sub("\n", text).splitlines():
        for sentence in _END.split(part):
            words = _words(sentence)
            length = min(RUN, len(words))
            if length >= SHORTEST:
                yield from (
                    tuple(words[start : start + length]) for start in range(len(words) - length + 1)
                )


def _words(text: str) -> list[str]:
    return _WORD.findall(fold(text))
