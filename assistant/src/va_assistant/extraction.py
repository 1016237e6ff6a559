"""The lines of the texts that answer a question, without any model; pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from va_assistant import evidence
from va_assistant.asking import Asked
from va_assistant.matching import Hit
from va_assistant.passages import Sentence
from va_assistant.retrieval import Found, orders
from va_assistant.wanted import Wanted

MAX_LINES = 3
MAX_LIST_LINES = 12
"""Lines of an answer that is a list; the rest of a long one is left to the text itself."""

NEAR = 0.8
"""Share of the best score from which a line may support what a small model says."""

NEARLY_AS_GOOD = 0.85
"""A line that scores at least this share of the best one is given with it."""

NEXT_BEST = 0.85
"""Share of the best score from which a sentence with what is wanted goes before one without."""

WANTED_BONUS = 0.15
NOT_WANTED = 0.25
NOW_BONUS = 0.08
OWN_SHARE = 0.25
"""How much it counts that the sentence itself has the words, not what is around it."""


_PRONOUN = re.compile(r"(?:It|They|This|These|That|Those|Its|Their)\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A sentence that may answer."""

    hit: Hit
    score: float
    holds_wanted: bool
    """It has the kind of thing that is asked for."""


def candidates(found: Found) -> list[Candidate]:
    """Return the sentences that may answer, the best first."""
    asked = found.asked
    ranked = [candidate(asked, hit) for hit in found.hits]
    ranked.sort(key=lambda one: (-one.score, one.hit.sentence.file, one.hit.sentence.line))
    # What has the words may stand beside what has the answer.
    first = next((one for one in ranked if one.holds_wanted), None)
    if first and first.score >= NEXT_BEST * ranked[0].score:
        ranked.remove(first)
        ranked.insert(0, first)
    return ranked


def share_of_best(ranked: Sequence[Candidate], share: float) -> float:
    """Return so much of the best score; 0 where there is none."""
    return share * ranked[0].score if ranked else 0.0


def best_lines(asked: Asked, ranked: Sequence[Candidate], least: float) -> list[Sentence]:
    """Return the sentences to answer with, the best first: none that scores less than `least`."""
    if not ranked:
        return []
    best = ranked[0]
    if asked.wants_list and (listed := _whole_list(best)):
        return listed
    chosen = [
        one
        for one in ranked[: MAX_LINES * 2]
        if one.score >= least and one.holds_wanted >= best.holds_wanted
    ][:MAX_LINES]
    sentences = {id(one.hit.sentence): one.hit for one in chosen}
    hits = sorted(sentences.values(), key=lambda hit: hit is not best.hit)
    return list(dict.fromkeys(line for hit in hits for line in _with_what_it_means(hit)))


def _with_what_it_means(hit: Hit) -> list[Sentence]:
    """Return a sentence, after the one that tells what its `it` or `they` is."""
    before = None
    for sentence in hit.passage.sentences:
        if sentence is hit.sentence:
            break
        before = sentence
    if (
        before is None
        or before.is_question
        or orders(before.text)
        or before.statement != hit.sentence.statement
        or not _PRONOUN.match(hit.sentence.text)
    ):
        return [hit.sentence]
    return [before, hit.sentence]


def near_best(ranked: Sequence[Candidate], least: float) -> list[Sentence]:
    """Return the sentences that answer nearly as well as the best one."""
    return [one.hit.sentence for one in ranked[:12] if one.score >= least]


def candidate(asked: Asked, hit: Hit) -> Candidate:
    """Return how well a sentence may answer."""
    text = hit.sentence.text
    holds = hit.holds_wanted
    score = hit.coverage + OWN_SHARE * hit.own
    if (holds and asked.wanted in evidence.PREFERRED) or (
        asked.wanted is Wanted.WHO and evidence.names_somebody(asked, text)
    ):
        score += WANTED_BONUS
    elif not holds:
        score -= NOT_WANTED if asked.wanted in evidence.STRONG else NOT_WANTED / 3
    if asked.wanted is Wanted.HOW_TO and evidence.says_what_to_do(text):
        score += WANTED_BONUS
    if asked.is_present:
        score += NOW_BONUS * evidence.speaks_of_now(text)
    score -= 0.0002 * len(text)
    return Candidate(
        hit=hit, score=score, holds_wanted=holds or asked.wanted not in evidence.STRONG
    )


def _whole_list(best: Candidate) -> list[Sentence]:
    """Return all items of the list in which the best sentence stands, if the question is of it."""
    passage, sentence = best.hit.passage, best.hit.sentence
    if not sentence.in_list or best.hit.own > 0.5 * best.hit.coverage:
        return []
    listed = [other for other in passage.sentences if other.in_list and not orders(other.text)]
    return listed[:MAX_LIST_LINES]
