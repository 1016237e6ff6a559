"""Whether the texts say what an answer says, sentence by sentence; pure.

Two measures. A small model has to keep to the words of the lines that answer the question: what
it adds is more often invented than not. A large model may put things in its own words and its own
language, but numbers, names and dates must be those of the texts.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from va_assistant.asking import says_little
from va_assistant.passages import Sentence, sentences_in
from va_assistant.words import Token, fold, is_english, is_number, tokens

STRICT_SHARE = 0.8
"""Share of an answer's words that a small model must have from the lines it was given."""

LONGEST_SENTENCE = 2000
"""Characters that a stream waits for the end of a sentence."""

NO_ANSWER = re.compile(
    r"^(?:sorry,? |unfortunately,? |i'm sorry,? (?:but )?)*(?:(?:the"
    r"|this) (?:\w+ )?(?:text|document|context|passage|information"
    r"|file)s?(?: provided| given)? "
    r"(?:does|do|did) ?(?:not|n't) (?:say|mention|specify|state|provide|contain"
    r"|include|tell|give|indicate|explicitly|directly)|"
    r"(?:that|this|it|the answer)(?: information)? is(?: not|n't) (?:in|mentioned"
    r"|stated|specified|given|provided|included|said)|"
    r"(?:i|we) (?:do not|don't|cannot|can't|could not|couldn't) (?:know|say|tell"
    r"|find|answer|determine|have)|"
    r"there is no (?:information|mention)|no information|not (?:mentioned|stated"
    r"|specified|in the text))",
    re.IGNORECASE,
)
_NEGATION = re.compile(
    r"\b(?:no|not|never|none|nobody|nothing|neither|nor|without|cannot|closed"
    r"|forbidden|prohibited|excluded?|except|unless)\b|n't\b",
    re.IGNORECASE,
)
_LISTED = re.compile(r",|;|\band\b|\bor\b|&|\n")
_NUMBERING = re.compile(r"^\s*\d{1,2}[.)]\s")


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What became of one sentence of an answer."""

    is_supported: bool
    sources: tuple[Sentence, ...] = ()
    """The lines that it rests on."""


class Grounds:
    """What an answer to one question may state."""

    def __init__(
        self,
        question: str,
        said_before: Iterable[str],
        nearby: Sequence[Sentence],
        *,
        texts: Iterable[str] = (),
        strict: bool,
        stems: bool = True,
    ) -> None:
        """`nearby` are the lines that belong to the question, the best first.

        `texts` are all texts, for a model that was given all of them.
        """
        self._strict = strict
        self._stems = stems
        self._nearby = [(sentence, _content(sentence, stems)) for sentence in nearby]
        self._asked = self._terms(question)
        for text in said_before:
            self._asked |= self._terms(text)
        self._known = (
            *(content for _, content in self._nearby),
            *(_terms_of_text(text, stems) for text in texts),
        )
        self._question_is_negative = bool(_NEGATION.search(question))

    def check(self, sentence: str) -> Verdict:
        """Tell whether the lines support a sentence of an answer, and which do."""
        sentence = _NUMBERING.sub("", sentence)
        words = tokens(sentence, stems=self._stems)
        hard = self._hard(words, sentence)
        # What the question itself brings up may be said again; a number of it only as a negation.
        if any(term not in self._asked and not self._knows(term) for term in hard):
            return Verdict(is_supported=False)
        stated = {term for token in words for term in token.terms} - self._asked
        sources = self._sources(stated, hard - self._asked)
        if not self._strict:
            return Verdict(is_supported=True, sources=sources)
        return self._strict_verdict(sentence, stated, hard, sources)

    def _strict_verdict(
        self, sentence: str, stated: set[str], hard: set[str], sources: tuple[Sentence, ...]
    ) -> Verdict:
        if not stated or not sources:
            return Verdict(is_supported=False)  # it only repeats the question
        here = frozenset[str]().union(*(_content(source, self._stems) for source in sources))
        if not (hard - self._asked) <= here:
            return Verdict(is_supported=False)  # a fact of another line than the one that answers
        weighty = {term for term in stated if not says_little(term)}
        if weighty and len(weighty & here) < STRICT_SHARE * len(weighty):
            return Verdict(is_supported=False)
        negative = bool(_NEGATION.search(sentence))
        if negative is not any(_NEGATION.search(source.text) for source in sources):
            return Verdict(is_supported=False)
        return Verdict(is_supported=True, sources=sources)

    def _hard(self, words: Sequence[Token], sentence: str) -> set[str]:
        """Return what must be in the texts as it is: numbers, names, addresses."""
        hard: set[str] = set()
        foreign = not self._strict and self._stems and not is_english((sentence,))
        for at, token in enumerate(words):
            if token.kind in {"number", "clock", "email", "url"}:
                if not (token.kind == "number" and self._counts_itself(token, sentence)):
                    hard.update(token.terms)
            elif token.terms and is_number(token.terms[0]):
                if self._strict and not self._counts_itself(token, sentence):
                    hard.update(token.terms)
            elif at and token.text[:1].isupper() and token.kind == "word" and not foreign:
                hard.update(token.terms)
        return hard

    @staticmethod
    def _counts_itself(token: Token, sentence: str) -> bool:
        """Tell whether a number counts what the sentence then lists."""
        listed = len(_LISTED.findall(sentence[token.start :])) + 1
        return listed > 1 and token.terms == (str(listed),)

    def _sources(self, stated: set[str], hard: set[str]) -> tuple[Sentence, ...]:
        """Return the one line, or the two, that hold most of what is stated."""
        chosen: list[Sentence] = []
        left, hard_left = set(stated), set(hard)
        for _ in range(2):
            best, best_score = None, 0.0
            for place, (sentence, content) in enumerate(self._nearby):
                score = 2 * len(hard_left & content) + len(left & content) - 0.01 * place
                if score > best_score + 0.5 and sentence not in chosen:
                    best, best_score = (sentence, content), score
            if best is None:
                break
            chosen.append(best[0])
            left -= best[1]
            hard_left -= best[1]
            if not hard_left and len(left) <= (1 - STRICT_SHARE) * len(stated):
                break
        return tuple(chosen)

    def _knows(self, term: str) -> bool:
        return any(term in terms for terms in self._known)

    def _terms(self, text: str) -> frozenset[str]:
        return _terms_in(text, self._stems)


@lru_cache(maxsize=4096)
def _content(sentence: Sentence, stems: bool) -> frozenset[str]:
    """Return the terms of a line and of what stands above it; lines are asked about again."""
    around = " ".join((*sentence.headings, sentence.intro))
    return _terms_in(sentence.text, stems) | _terms_in(around, stems)


@lru_cache(maxsize=64)
def _terms_of_text(text: str, stems: bool) -> frozenset[str]:
    return _terms_in(text, stems)


def _terms_in(text: str, stems: bool) -> frozenset[str]:
    return frozenset(term for token in tokens(text, stems=stems) for term in token.terms)


def says_nothing(answer: str, no_answer_text: str) -> bool:
    """Tell whether a model says that the texts do not hold the answer."""
    said = fold(answer).strip(" .!\"'")
    return said == fold(no_answer_text).strip(" .!\"'") or bool(NO_ANSWER.match(answer.strip()))


def split(answer: str) -> list[str]:
    """Return the sentences of an answer, with the line ends that stood between them."""
    found = sentences_in(answer)
    starts = [start for start, _ in found] + [len(answer)]
    return [answer[start:end] for start, end in pairwise(starts)]


def finished(written: str) -> int:
    """Return how many characters of what is written so far are whole sentences.

    A sentence without end is taken as it is, so that what waits is bounded.
    """
    if len(written) > LONGEST_SENTENCE:
        return len(written)
    found = sentences_in(written)
    line = written.rfind("\n") + 1
    return max(found[-1][0] if len(found) > 1 else 0, line)
