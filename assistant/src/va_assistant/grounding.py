"""Whether the texts say what an answer says, sentence by sentence; pure.

Two measures. A small model has to keep to the words of the lines that answer the question: what
it adds is more often invented than not. A large model may put things in its own words and its own
language, but numbers, names and dates must be those of the texts.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from va_assistant.calendars import MONTHS, WEEKDAYS
from va_assistant.citing import cited, line_of
from va_assistant.concepts import mates
from va_assistant.languages import SHARED_LETTERS, is_alike, language_of, skeleton
from va_assistant.passages import Sentence
from va_assistant.question_words import says_little
from va_assistant.sentences import sentences_in
from va_assistant.statements import Clause, Fact, read, terms_in
from va_assistant.words import Token, fold, is_number, tokens

STRICT_SHARE = 0.8
"""Share of an answer's words that a small model must have from the lines it was given."""

LONGEST_LIST = 12
"""A larger number is never taken for a count of what a line lists."""

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
_LISTED = re.compile(r",|;|\b(?:and|or|und|oder|et|ou|y|og)\b|&|\n")
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
        self._question = question
        texts = tuple(texts)
        sample = "" if stems else " ".join(line.text for line in nearby[:5]) or "".join(texts)
        self._language = "en" if stems else language_of(sample)
        self._nearby = [line_of(line, stems, self._language) for line in nearby]
        self._known = (
            *(line.content for line in self._nearby),
            *(_terms_of_text(text, stems, self._language) for text in texts),
        )
        self._asked = self._terms(question)
        for text in said_before:
            self._asked |= self._terms(text)

    def check(self, sentence: str) -> Verdict:
        """Tell whether the lines support a sentence of an answer, and which do."""
        sentence = _NUMBERING.sub("", sentence)
        return self._strict_verdict(sentence) if self._strict else self._free_verdict(sentence)

    def _free_verdict(self, sentence: str) -> Verdict:
        """Judge a sentence that may be in words, and a language, of its own.

        What it states as a fact the texts have, or the question has it and it is denied. Where
        words can be compared, each clause that denies nothing has some of the texts. A yes states
        what the question asks.
        """
        language = language_of(sentence, self._question)
        told = read(sentence, stems=self._stems, language=language)
        same = bool(language) and language == self._language
        for clause in told.clauses:
            for fact in clause.facts:
                if self._holds(fact, same) or self._counts(fact, sentence):
                    continue
                if not (clause.denies and self._asked.issuperset(fact.terms)):
                    return Verdict(is_supported=False)
            if same and not clause.denies and not self._says(clause):
                return Verdict(is_supported=False)
        if told.affirms and not any(clause.denies for clause in told.clauses):
            asked = read(self._question, stems=self._stems, language=language, asks=True)
            is_bare = not any(clause.words or clause.facts for clause in told.clauses)
            for clause in asked.clauses:
                if not all(self._holds(fact, same) for fact in clause.facts):
                    return Verdict(is_supported=False)
                if is_bare and same and not self._says(clause):
                    return Verdict(is_supported=False)
        sources = cited(told, self._asked, self._nearby, stems=self._stems)
        return Verdict(is_supported=True, sources=sources)

    def _strict_verdict(self, sentence: str) -> Verdict:
        words = tokens(sentence, stems=self._stems)
        hard = self._hard(words, sentence) - self._asked
        if any(not self._knows(term) for term in hard):
            return Verdict(is_supported=False)
        stated = {term for token in words for term in token.terms} - self._asked
        sources = self._sources(stated, hard)
        if not stated or not sources:
            return Verdict(is_supported=False)  # it only repeats the question
        here = frozenset[str]().union(
            *(line_of(source, self._stems, self._language).content for source in sources)
        )
        if not hard <= here:
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
        for at, token in enumerate(words):
            if token.kind in {"number", "clock", "email", "url"} or (
                token.terms and is_number(token.terms[0])
            ):
                if not _counts_what_follows(token.start, token.terms, sentence):
                    hard.update(token.terms)
            elif at and token.text[:1].isupper() and token.kind == "word":
                hard.update(token.terms)
        return hard

    def _holds(self, fact: Fact, same_language: bool) -> bool:
        """Tell whether the texts have a fact; a name may be inflected in another language."""
        if all(map(self._knows, fact.terms)) or any(map(self._knows, fact.clocks)):
            return True
        if not fact.is_name:
            return False
        if same_language and self._stems:
            return self._is_in_a_span(fact)
        return all(self._knows_alike(term) for term in fact.terms) or self._is_in_a_span(fact)

    def _is_in_a_span(self, fact: Fact) -> bool:
        """Tell whether a month or weekday lies between two that a line has."""
        for names in (MONTHS, WEEKDAYS):
            if fact.terms[0] in names:
                return any(len(line.content.intersection(names)) > 1 for line in self._nearby)
        return False

    def _counts(self, fact: Fact, sentence: str) -> bool:
        """Tell whether a number counts what the sentence, or the best line, then lists."""
        if fact.is_name or not fact.terms[0].isdigit() or int(fact.terms[0]) > LONGEST_LIST:
            return False
        return _counts_what_follows(fact.start, fact.terms, sentence) or any(
            int(fact.terms[0]) == _listed(line.sentence.text) for line in self._nearby[:1]
        )

    def _says(self, clause: Clause) -> bool:
        """Tell whether the texts have the words of a clause: more than half, or one and a fact."""
        if not clause.words:
            return True
        held = sum(map(self._has_word, clause.words))
        has_fact = any(not self._asked.issuperset(fact.terms) for fact in clause.facts)
        return held > (0 if has_fact else len(clause.words) / 2)

    def _has_word(self, term: str) -> bool:
        """Tell whether the texts have a word, another for the same, or another form of it."""
        if self._knows(term) or (self._stems and any(map(self._knows, mates(term)))):
            return True
        return self._knows_alike(term)

    def _sources(self, stated: set[str], hard: set[str]) -> tuple[Sentence, ...]:
        """Return the one line, or the two, that hold most of what is stated."""
        chosen: list[Sentence] = []
        left, hard_left = set(stated), set(hard)
        for _ in range(2):
            best, best_score = None, 0.0
            for place, line in enumerate(self._nearby):
                content = line.content
                score = 2 * len(hard_left & content) + len(left & content) - 0.01 * place
                if score > best_score + 0.5 and line.sentence not in chosen:
                    best, best_score = line, score
            if best is None:
                break
            chosen.append(best.sentence)
            left -= best.content
            hard_left -= best.content
            if not hard_left and len(left) <= (1 - STRICT_SHARE) * len(stated):
                break
        return tuple(chosen)

    def _knows(self, term: str) -> bool:
        return any(term in terms for terms in self._known)

    def _knows_alike(self, term: str) -> bool:
        """Tell whether a word of the texts differs from a term in its ending only."""
        sought = skeleton(term)
        if len(sought) < SHARED_LETTERS:
            return any(self._knows(term.removesuffix(ending)) for ending in ("s", "n"))
        return any(
            is_alike(sought, word)
            for terms in self._known
            for word in _by_beginning(terms).get(sought[:SHARED_LETTERS], ())
        )

    def _terms(self, text: str) -> frozenset[str]:
        return terms_in(text, stems=self._stems, language=language_of(text) or self._language)


@lru_cache(maxsize=64)
def _terms_of_text(text: str, stems: bool, language: str) -> frozenset[str]:
    return terms_in(text, stems=stems, language=language)


@lru_cache(maxsize=4096)
def _by_beginning(terms: frozenset[str]) -> Mapping[str, tuple[str, ...]]:
    """Return the words among terms by their first letters."""
    found: dict[str, tuple[str, ...]] = {}
    for word in map(skeleton, terms):
        found[word[:SHARED_LETTERS]] = (*found.get(word[:SHARED_LETTERS], ()), word)
    return found


def _counts_what_follows(start: int, terms: Sequence[str], sentence: str) -> bool:
    """Tell whether a number counts what the sentence then lists."""
    listed = _listed(sentence[start : start + LONGEST_SENTENCE])
    return listed > 1 and tuple(terms) == (str(listed),)


def _listed(text: str) -> int:
    return len(_LISTED.findall(text)) + 1


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
