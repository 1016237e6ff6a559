"""Is an answer right? Pure, and as strict as a careful reader, not as a search.

Words are compared as a whole, in any case of letters: the price 12 is not in "12.50" nor in
"112", and "no" is not in "now". Only the beginning of an answer is read for facts, because
whoever recites the text has not answered.
"""

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum

from benchmarks.answers.cases import Case, Expectation

READ_CHARACTERS = 600
"""How far an answer is read for the fact that was asked for: about a hundred words."""


class Verdict(StrEnum):
    """What became of a question."""

    RIGHT = "right"
    """It has an answer, and this is it."""

    UNANSWERED = "unanswered"
    """It has an answer, and a refusal came."""

    WRONG = "wrong"
    """It has an answer, and something else was said."""

    REFUSED = "refused"
    """It has no answer, and that was said."""

    INVENTED = "invented"
    """It has no answer, and something was said."""

    FAILED = "failed"
    """An error came, whatever was asked."""


GOOD = frozenset({Verdict.RIGHT, Verdict.REFUSED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a way of answering said."""

    text: str
    refused: bool | None = None
    """Its own flag for having no answer; None where it has no such flag."""

    nearest: tuple[str, ...] = ()
    """The lines that it names beside a refusal, for askers to see for themselves."""


def judge(case: Case, said: Said) -> Verdict:
    """Return what became of the question."""
    fits = case.expect is not None and holds(case.expect, said.text)
    if case.refuses:
        return Verdict.REFUSED if fits or is_refusal(said) else Verdict.INVENTED
    # Without a flag the fact counts first: "no information but the year, 2014" tells the year.
    if fits and not said.refused:
        return Verdict.RIGHT
    return Verdict.UNANSWERED if is_refusal(said) else Verdict.WRONG


def has_fact_near(case: Case, said: Said) -> bool:
    """Tell whether the lines beside a refusal have the words of a right answer.

    They are read to their end and claim nothing, so what an answer must not say does not count.
    """
    if case.expect is None or not said.nearest:
        return False
    lines = [normal(line) for line in said.nearest]
    all_of = all(any(has(line, word) for line in lines) for word in case.expect.all_of)
    any_of = any(has(line, word) for line in lines for word in case.expect.any_of)
    return all_of and (any_of or not case.expect.any_of)


def holds(expect: Expectation, text: str) -> bool:
    """Tell whether a text says what is expected, and nothing that must not be said."""
    read = normal(text)[:READ_CHARACTERS]
    return (
        all(has(read, word) for word in expect.all_of)
        and (not expect.any_of or any(has(read, word) for word in expect.any_of))
        and not any(has(read, word) for word in expect.none_of)
        and not _opens_with_the_opposite(expect, read)
    )


def _opens_with_the_opposite(expect: Expectation, read: str) -> bool:
    """Tell whether a "no" comes where a yes is due, whatever true words follow it."""
    opening = re.match(r"\W*(yes|no)\b", read)
    wanted = {"yes", "no"} & set(expect.any_of)
    return opening is not None and len(wanted) == 1 and opening[1] not in wanted


def has(read: str, word: str) -> bool:
    """Tell whether a word, number or phrase stands in a text that is `normal` already."""
    sought = normal(word)
    before, after = r"(?<!\w)", r"(?!\w)"
    if sought[0].isdigit():
        before += r"(?<!\d[.,:])"
    if sought[-1].isdigit():
        after += r"(?![.,:]\d)"
    return re.search(before + re.escape(sought) + after, read) is not None


def normal(text: str) -> str:
    """Return a text with one spelling of what means the same: case, quotes, dashes, spaces."""
    text = unicodedata.normalize("NFKC", text).casefold()
    text = re.sub("[\u2018\u2019]", "'", re.sub("[\u201c\u201d]", '"', text))
    text = re.sub("[\u2010-\u2015\u2212]", "-", text)
    text = re.sub(r"[*`]|(?<!\w)_|_(?!\w)", "", text)
    text = re.sub(r"\s+", " ", text).strip()
    return re.sub(r" (?=%)", "", text)


def is_refusal(said: Said) -> bool:
    """Tell whether an answer is none: by its flag, or else by its words."""
    return _REFUSAL.search(normal(said.text)) is not None if said.refused is None else said.refused


_REFUSAL = re.compile(
    r"""
    # the text does not say; this isn't explicitly mentioned
    (?:not|n't|never)(?:\ \w+){0,3}\ (?:say|said|mention(?:ed)?|contain|provided?|specif(?:y|ied)
        |included?|stated?|give|given|list(?:ed)?|tell|cover(?:ed)?|disclosed?|indicated?|answer
        |refer|address|reveal|described?|discuss(?:ed)?|know|known|available|found|clear|defined
        |in\ the\ (?:provided\ )?(?:text|document|context|information))\b
    # I cannot; I'm not able to; we have no
    | \b(?:i|we)\ (?:can't|cannot|can\ not|could\ not|couldn't|won't|will\ not|don't\ have
        |do\ not\ have|have\ no\b|must\ decline)
    | \b(?:i|we)(?:'m|'re|\ am|\ are)\ (?:unable|not\ able|not\ sure|sorry|afraid)
    | \b(?:sorry|apologi[sz]e|unfortunately)\b
    # there is no such thing; no information
    | \bno\ (?:\w+\ )?(?:information|mention|details?|data|record|answer|indication|such)\b
    | \bthere\ (?:is|are|was|were)(?:\ no|\ not|n't)\b
    | \b(?:unknown|unclear|unspecified|undisclosed|out\ of\ scope|beyond\ (?:the|my)\ scope)\b
    """,
    re.VERBOSE,
)
"""The ways in which models say that they have no answer: rather too many than too few, for
they speak in favour of whoever has no flag."""
