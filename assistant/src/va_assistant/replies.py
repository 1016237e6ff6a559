"""What an asker gets: a text, how it was made, and the lines to look at; pure."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from va_assistant.answerability import Refusal
from va_assistant.completions import Usage
from va_assistant.errors import Failure
from va_assistant.passages import Sentence

MAX_SOURCES = 8


class Made(StrEnum):
    """How an answer was made; names are part of the interface."""

    MODEL = "Model"
    """A model wrote it, and it was checked against the texts."""

    PASSAGES = "Passages"
    """It is lines of the texts themselves."""

    NO_ANSWER = "NoAnswer"
    """The texts do not hold one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A line of the texts that an answer rests on, or that comes near to one."""

    file: str
    line: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """Who answered; how the text came about in the end is told by `Made`."""

    model: str | None = None
    """The provider's name of the model; None where none was asked, or none answered."""

    fallback: bool = False
    """Whether it, or lines of the texts, stand in for the preferred model."""


NO_MODEL = Author()
"""The texts needed nobody to speak for them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A whole answer, checked."""

    text: str
    made: Made
    author: Author = NO_MODEL
    sources: tuple[Source, ...] = ()
    nearest: tuple[Source, ...] = ()
    """Where there is no answer: the lines that come nearest to one."""

    finish_reason: str = "stop"
    """`stop`, or `length` where a limit cut what the model wrote."""

    usage: Usage | None = None
    """None where no model was asked, or where it does not tell."""

    refusal: Refusal | None = None
    """Why there is no answer."""

    instead_of: Failure | None = None
    """Why no model answered, where the texts speak in place of one that was asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part of an answer that is still being written, checked; the last one has the reply."""

    author: Author
    text: str = ""
    reply: Reply | None = None


def account_of(reply: Reply, revision: str) -> dict[str, Any]:
    """Return what is said of an answer beside its text, as JSON has it."""
    return {
        "model": reply.author.model,
        "fallback": reply.author.fallback,
        "revision": revision,
        "madeBy": reply.made,
        "sources": [asdict(source) for source in reply.sources],
        "nearest": [asdict(source) for source in reply.nearest],
        "finishReason": reply.finish_reason,
    }


def sources_of(sentences: Iterable[Sentence]) -> tuple[Source, ...]:
    """Return the sentences as sources, each once."""
    sources = dict.fromkeys(
        Source(file=sentence.file, line=sentence.line, text=sentence.text) for sentence in sentences
    )
    return tuple(sources)[:MAX_SOURCES]
