"""What stands beside an answer: how it was made, and the lines to look at; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from unicodedata import combining, east_asian_width

from va_cli.terminal import one_line, paint

if TYPE_CHECKING:
    from collections.abc import Iterator

    from va_cli.answers import Done, Source


USUAL_NO_ANSWER = "I found no answer to that in the text."
"""What an assistant says where its owner has no words of their own (crds/, `noAnswerText`)."""


NEAREST = "Lines that may help:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How an answer is shown."""

    sources: bool = False
    colour: bool = False
    width: int | None = None
    """Columns that a footnote may take; None for as many as it needs."""


def remarks(done: Done, answer: str) -> Iterator[str]:
    """Yield what is unusual about an answer, most important first.

    Lines of the text in its own words are not: with the embedded model nearly every
    answer is made of them, and a note below each would hide the one that matters.
    """
    if done.made_by == "NoAnswer" and answer.strip() != USUAL_NO_ANSWER:
        yield "no answer was found in the assistant's text"
    elif done.fallback and done.made_by == "Passages" and done.model is None:
        yield "no model answers: these are the best-matching lines of the text"
    elif done.fallback:
        yield f"answered by the stand-in {one_line(done.model or 'model')}"
    if done.was_cut_short:
        yield "the answer met its length limit (`spec.model.maxTokens`)"


def footnotes(done: Done, look: Look) -> list[str]:
    """Return one line for each source, such as `[1] cv.md:12  Ada works at …`.

    Where there is no answer: the lines that come nearest to one, below a heading.
    """
    lines = [
        _footnote(number, source, look)
        for number, source in enumerate((*done.sources, *done.nearest), start=1)
    ]
    if done.nearest:
        lines.insert(len(done.sources), paint(NEAREST, "dim", on=look.colour))
    return lines


def _footnote(number: int, source: Source, look: Look) -> str:
    place = one_line(source.file)
    if source.line is not None:
        place += f":{source.line}"
    text = f"[{number}] {place}  {one_line(source.text)}".rstrip()
    return paint(cut(text, look.width), "dim", on=look.colour)


def cut(text: str, width: int | None) -> str:
    """Return as much of the text as fits into that many columns, with `…` for what does not."""
    if width is None or sum(map(_columns, text)) <= width:
        return text
    shown, room = "", width - 1
    for letter in text:
        room -= _columns(letter)
        if room < 0:
            break
        shown += letter
    return f"{shown}…"


def _columns(letter: str) -> int:
    if combining(letter):
        return 0
    return 2 if east_asian_width(letter) in "WF" else 1
