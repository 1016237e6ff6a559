"""An answer on stdout, in the form that was asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TextIO

from va_cli.answers import Done, Text, done_fields
from va_cli.failures import Failure
from va_cli.footnotes import footnotes, remarks
from va_cli.machine_formats import json_text
from va_cli.options import AnswerFormat
from va_cli.terminal import EscapeFilter

if TYPE_CHECKING:
    from collections.abc import Iterable

    from va_cli.answers import Event
    from va_cli.endpoints import Target
    from va_cli.footnotes import Look
    from va_cli.terminal import Notes


def print_answer(
    events: Iterable[Event],
    *,
    output: AnswerFormat,
    target: Target,
    look: Look,
    out: TextIO,
    notes: Notes,
) -> None:
    """Write the answer in the format that the user chose."""
    match output:
        case AnswerFormat.TEXT:
            print_text(events, look=look, out=out, notes=notes)
        case AnswerFormat.JSON:
            answer = whole_answer(events, target=target)
            notes.quiet()
            out.write(json_text(answer) + "\n")
        case AnswerFormat.JSONL:
            print_json_lines(events, out=out, notes=notes)


def print_text(events: Iterable[Event], *, look: Look, out: TextIO, notes: Notes) -> None:
    """Write each piece as it comes, a line end after the last, and the lines to look at.

    What came before a failure stays, on a line of its own. What is to be known of
    the answer is a note beside it, so that a pipe carries the answer alone.
    """
    codes, done = EscapeFilter(), None
    shown: list[str] = []

    def show(text: str) -> None:
        if text:
            notes.quiet()
            # Before the writing, so that Ctrl-C in between still ends the line.
            shown.append(text)
            out.write(text)
            out.flush()

    try:
        for event in events:
            if isinstance(event, Text):
                show(codes.clean(event.text))
            else:
                done = event
    finally:
        notes.quiet()
        show(codes.rest())
        if shown and not shown[-1].endswith("\n"):
            show("\n")
    if done:
        for remark in remarks(done, "".join(shown)):
            notes.say(remark)
        if look.sources:
            print_sources(done, look=look, out=out)


def print_sources(done: Done, *, look: Look, out: TextIO) -> None:
    """Write the lines that an answer rests on below it, or, without one, those that come near."""
    lines = footnotes(done, look)
    if lines:
        out.write("\n".join(["", *lines, ""]))
        out.flush()


def whole_answer(events: Iterable[Event], *, target: Target) -> dict[str, Any]:
    """Return an answer as one object, when it is whole."""
    text, done = "", Done()
    for event in events:
        if isinstance(event, Text):
            text += event.text
        else:
            done = event
    return {
        "assistant": target.name,
        "namespace": target.namespace,
        "answer": text,
        **done_fields(done),
    }


def print_json_lines(events: Iterable[Event], *, out: TextIO, notes: Notes) -> None:
    """Write one object a line for each event; a failure is the last of them."""

    def show(event: dict[str, Any]) -> None:
        notes.quiet()
        out.write(json_text(event, indent=None) + "\n")
        out.flush()

    try:
        for event in events:
            if isinstance(event, Text):
                show({"type": "text", "text": event.text})
            else:
                show({"type": "done", **done_fields(event)})
    except Failure as failure:
        show({"type": "error", "reason": failure.reason, "message": failure.message})
        raise
