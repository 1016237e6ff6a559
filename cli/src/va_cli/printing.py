"""An answer on stdout, in the form that was asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

from va_cli.answers import Done, Text
from va_cli.failures import Failure
from va_cli.machine_formats import json_text
from va_cli.options import AnswerFormat
from va_cli.terminal import EscapeFilter

if TYPE_CHECKING:
    from collections.abc import Iterable

    from va_cli.answers import Event
    from va_cli.endpoints import Target
    from va_cli.terminal import Notes


def print_answer(
    events: Iterable[Event], *, output: AnswerFormat, target: Target, out: TextIO, notes: Notes
) -> None:
    """Write the answer in the format that the user chose."""
    match output:
        case AnswerFormat.TEXT:
            print_text(events, out=out, notes=notes)
        case AnswerFormat.JSON:
            print_json(events, target=target, out=out, notes=notes)
        case AnswerFormat.JSONL:
            print_json_lines(events, out=out, notes=notes)


def print_text(events: Iterable[Event], *, out: TextIO, notes: Notes) -> None:
    """Write each piece as it comes, and a line end after the last.

    What came before a failure stays, on a line of its own.
    """
    codes, last = EscapeFilter(), "\n"

    def show(text: str) -> None:
        nonlocal last
        if text:
            notes.quiet()
            # Before the writing, so that Ctrl-C in between still ends the line.
            last = text[-1]
            out.write(text)
            out.flush()

    try:
        for event in events:
            if isinstance(event, Text):
                show(codes.clean(event.text))
            elif event.was_cut_short:
                show(codes.rest() + "\n")
                notes.say("the answer met its length limit (`spec.model.maxTokens`)")
    finally:
        notes.quiet()
        show(codes.rest())
        if last != "\n":
            show("\n")


def print_json(events: Iterable[Event], *, target: Target, out: TextIO, notes: Notes) -> None:
    """Write one object when the answer is whole."""
    text, done = "", Done(model=None, revision=None, finish_reason=None)
    for event in events:
        if isinstance(event, Text):
            text += event.text
        else:
            done = event
    notes.quiet()
    answer = {
        "assistant": target.name,
        "namespace": target.namespace,
        "answer": text,
        "model": done.model,
        "revision": done.revision,
        "finishReason": done.finish_reason,
    }
    out.write(json_text(answer) + "\n")


def print_json_lines(events: Iterable[Event], *, out: TextIO, notes: Notes) -> None:
    """Write one object a line for each event; a failure is the last of them."""

    def show(event: dict[str, str | None]) -> None:
        notes.quiet()
        out.write(json_text(event, indent=None) + "\n")
        out.flush()

    try:
        for event in events:
            if isinstance(event, Text):
                show({"type": "text", "text": event.text})
            else:
                show(
                    {
                        "type": "done",
                        "model": event.model,
                        "revision": event.revision,
                        "finishReason": event.finish_reason,
                    }
                )
    except Failure as failure:
        show({"type": "error", "reason": failure.reason, "message": failure.why})
        raise
