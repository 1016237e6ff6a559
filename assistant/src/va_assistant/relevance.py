"""What a reranker is shown of the texts, and what its scores say of a question; pure.

The rules of retrieval know words and lines; a reranker has learnt what questions and answers mean,
but nothing of the whole text. Both together choose better than either, and tell better what no
line answers.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace

from va_assistant.extraction import Candidate
from va_assistant.follow_ups import continues, last_question, may_be_a_part
from va_assistant.passages import Sentence
from va_assistant.questions import Turn
from va_assistant.words import fold

MOST_LINES = 12
"""That a reranker is shown at once: among the best is mostly the one that answers, if there is
one."""

MOST_FURTHER_LINES = 36
"""That it is shown where none of the best answers: a short text whole."""

NO_HEADING = "Information"
"""Above a line that has no heading: the reranker has learnt from lines that have one, and trusts
none without."""

RULES_WEIGHT = 2.5
"""What a score of the rules counts beside one of the reranker."""

ENOUGH = 1.25
"""From this sum on a line answers."""

DOUBT = 1.0
"""How much more is asked of a line where the rules would refuse."""

NEARLY_AS_GOOD = 2.0
"""How far below the best sum a line may lie that is given with it."""

NEAR = 3.0
"""How far below it a line may lie that supports what a small model says."""

NEAR_AN_ANSWER = -2.0
"""From this sum on a line is shown where none answers, so that people may see for themselves: in
the work sets of the benchmark three in four facts that are missed stand in such lines."""

MOST_NEAREST = 3


def shown(sentence: Sentence) -> str:
    """Return a line with what must be read with it: the headings above, its question, its topic."""
    headings = " > ".join(sentence.headings[-2:]) or NO_HEADING
    return f"{headings}: {_with_its_question(sentence)}"


def _with_its_question(sentence: Sentence) -> str:
    """Return a line after its question, or the line that opens its list, and its topic."""
    parts = [sentence.intro] if sentence.intro else []
    if sentence.topic and sentence.topic not in sentence.text:
        parts.append(f"{sentence.topic}:")
    return " ".join((*parts, sentence.text))


def readings(question: str, history: Sequence[Turn]) -> tuple[str, ...]:
    """Return how a question may be read, the likeliest first: alone, or with the one before it.

    What stands before a question that needs nothing before it only misleads: the next reading is
    for where the one before finds no answer.
    """
    earlier, _ = last_question(history)
    said = fold(question)
    if not earlier or not (continues(said) or may_be_a_part(said)):
        return (question,)
    both = f"{earlier} {question}"
    return (both, question) if continues(said) else (question, both)


def reranked(ranked: Sequence[Candidate], scores: Sequence[float]) -> list[Candidate]:
    """Return the lines with what both say of them, the best first; those not scored come last.

    None of these answers, but a larger model behind the embedded one may be given them.
    """
    found = [
        replace(one, score=score + RULES_WEIGHT * one.score)
        for one, score in zip(ranked, scores, strict=False)
    ]
    found.sort(key=lambda one: -one.score)
    return found + [replace(one, score=-math.inf) for one in ranked[len(scores) :]]


def nearest(reranked: Iterable[Candidate]) -> tuple[Sentence, ...]:
    """Return the lines that come nearest to an answer, each as it is best read.

    With the question that it answers: `Yes, always.` would be an answer to any other.
    """
    best = {id(one.hit.sentence): one for one in sorted(reranked, key=lambda one: one.score)}
    near = sorted(best.values(), key=lambda one: -one.score)[:MOST_NEAREST]
    sentences = [one.hit.sentence for one in near if one.score >= NEAR_AN_ANSWER]
    return tuple(replace(one, text=_with_its_question(one)) for one in sentences)
