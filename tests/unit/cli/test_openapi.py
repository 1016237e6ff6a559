"""The command line and the assistant share the OpenAPI document, and no Python.

What `va` sends is what the document lets it send, and what its tests are told is what the
document lets an assistant say.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator, ValidationError

from support.assistant_stub import Reply
from support.serving import fetch
from va_cli.answers import parse_answer, parse_refusal
from va_cli.turns import Turn
from va_cli.wire import _body

if TYPE_CHECKING:
    from support.assistant_stub import AssistantStub

DOCUMENT = Path(__file__).parents[3] / "assistant" / "src" / "va_assistant" / "openapi.json"
SOURCE = {"file": "cv.md", "line": 5, "text": "Ada works at Fjordspan AS."}


@cache
def document() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(DOCUMENT.read_bytes())
    return found


def check(schema: str, value: object) -> None:
    """Raise where a value is not as the document says."""
    whole = {**document(), "$ref": f"#/components/schemas/{schema}"}
    Draft202012Validator(whole).validate(value)


def ask(stub: AssistantStub, *, stream: bool = False) -> tuple[int, str]:
    body = _body("Where does Ada work?", stream, ())
    reply = fetch(stub.port, "POST", "/", body, {"Content-Type": "application/json"})
    return reply.status, reply.text


def test_the_document_tells_right_from_wrong() -> None:
    with pytest.raises(ValidationError, match="is a required property"):
        check("Answer", {"answer": "a"})


@pytest.mark.parametrize("stream", [True, False])
def test_what_is_sent_is_a_question(stream: bool) -> None:
    history = (Turn(role="user", text="Who is Ada?"), Turn(role="assistant", text="An engineer."))
    for turns in ((), history):
        check("Question", json.loads(_body("Where does Ada work?", stream, turns)))


def test_the_answers_of_these_tests_are_answers(stub: AssistantStub) -> None:
    stub.script.append(Reply(about={"madeBy": "Passages", "sources": [SOURCE], "model": None}))
    for _ in range(2):
        _, text = ask(stub)
        check("Answer", json.loads(text))
        assert parse_answer(text)


def test_the_events_of_these_tests_are_events(stub: AssistantStub) -> None:
    stub.script.append(Reply(error_event=("ConnectionLost", "cut")))
    for last in ("error", "done"):
        _, text = ask(stub, stream=True)
        names = []
        for event in text.strip().split("\n\n"):
            name, data = event.split("\n")
            names.append(name.removeprefix("event: "))
            check("Event", {"event": names[-1], "data": data.removeprefix("data: ")})
            inner = {"text": None, "done": "Account", "error": "Error"}[names[-1]]
            if inner:
                check(inner, json.loads(data.removeprefix("data: ")))
        assert names[-1] == last


def test_the_refusals_of_these_tests_are_errors(stub: AssistantStub) -> None:
    stub.script.append(Reply(refusal=(503, "TooBusy", "too many questions at once")))
    status, text = ask(stub)
    check("Error", json.loads(text))
    refusal = parse_refusal(status, "application/json", text)
    assert refusal
    assert refusal.reason == "TooBusy"
