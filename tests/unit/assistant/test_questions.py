"""What is taken as a question and what is not."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from va_assistant.errors import Failure, Reason
from va_assistant.questions import MAX_QUESTION_BYTES, Form, form_of, parse_question

TEXT = Form(as_json=False, stream=False)
JSON = Form(as_json=True, stream=False)


def reason_of(body: bytes, form: Form) -> Reason:
    with pytest.raises(Failure) as failure:
        parse_question(body, form)
    return failure.value.reason


@pytest.mark.parametrize(
    ("content_type", "as_json"),
    [
        ("", False),
        ("text/plain", False),
        ("Text/Plain; charset=UTF-8", False),
        ('text/plain; charset="utf-8"', False),
        ("application/x-www-form-urlencoded", False),
        ("application/json", True),
        ("application/json; charset=utf-8", True),
    ],
)
def test_these_types_are_questions(content_type: str, as_json: bool) -> None:
    form = form_of(content_type=content_type, content_encoding="", accept="*/*")
    assert form == Form(as_json=as_json, stream=False)


@pytest.mark.parametrize(
    ("content_type", "content_encoding"),
    [
        ("image/png", ""),
        ("multipart/form-data; boundary=x", ""),
        ("text/html", ""),
        ("application/jsonp", ""),
        ("text/plain; charset=latin-1", ""),
        ("application/json; charset=utf-16", ""),
        ("text/plain", "gzip"),
    ],
)
def test_other_types_are_not(content_type: str, content_encoding: str) -> None:
    with pytest.raises(Failure) as failure:
        form_of(content_type=content_type, content_encoding=content_encoding, accept="")
    assert failure.value.reason is Reason.UNSUPPORTED_MEDIA_TYPE


def test_a_stream_is_sent_to_whoever_accepts_one() -> None:
    assert form_of(content_type="", content_encoding="", accept="text/event-stream").stream


@pytest.mark.parametrize(
    ("body", "form", "reason"),
    [
        (b"", TEXT, Reason.EMPTY_QUESTION),
        (b" \n\t ", TEXT, Reason.EMPTY_QUESTION),
        ("\ufeff \u00a0".encode(), TEXT, Reason.EMPTY_QUESTION),
        (b"\xff\xfe", TEXT, Reason.NOT_UTF8),
        (b"\x89PNG\r\n\x1a\n", TEXT, Reason.NOT_UTF8),
        (b"caf\xc3", TEXT, Reason.NOT_UTF8),
        (b"a\0b", TEXT, Reason.INVALID_QUESTION),
        (b"x" * (MAX_QUESTION_BYTES + 1), TEXT, Reason.QUESTION_TOO_LARGE),
        (b"", JSON, Reason.INVALID_JSON),
        (b"{", JSON, Reason.INVALID_JSON),
        (b"[" * 100_000, JSON, Reason.INVALID_JSON),
        (b'{"question": ' + b"1" * 5000 + b"}", JSON, Reason.INVALID_JSON),
        (b"\xff", JSON, Reason.NOT_UTF8),
        (b"[]", JSON, Reason.INVALID_QUESTION),
        (b"null", JSON, Reason.INVALID_QUESTION),
        (b'"Who?"', JSON, Reason.INVALID_QUESTION),
        (b"{}", JSON, Reason.INVALID_QUESTION),
        (b'{"question": 1}', JSON, Reason.INVALID_QUESTION),
        (b'{"question": null}', JSON, Reason.INVALID_QUESTION),
        (b'{"question": "Who?", "stream": 1}', JSON, Reason.INVALID_QUESTION),
        (b'{"question": "Who?", "stream": "true"}', JSON, Reason.INVALID_QUESTION),
        (b'{"question": "\\ud800"}', JSON, Reason.INVALID_QUESTION),
        (b'{"question": "a\\u0000b"}', JSON, Reason.INVALID_QUESTION),
        (b'{"question": " "}', JSON, Reason.EMPTY_QUESTION),
        (
            json.dumps({"question": "x" * (MAX_QUESTION_BYTES + 1)}).encode(),
            JSON,
            Reason.QUESTION_TOO_LARGE,
        ),
    ],
)
def test_what_is_no_question_is_refused(body: bytes, form: Form, reason: Reason) -> None:
    assert reason_of(body, form) is reason


def outcome(body: bytes, form: Form) -> str | Reason:
    try:
        return parse_question(body, form).text
    except Failure as failure:
        return failure.reason


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=200))
def test_text_and_json_say_the_same(text: str) -> None:
    text = text.removeprefix("\ufeff")
    as_text = outcome(text.encode(), TEXT)
    assert as_text == outcome(json.dumps({"question": text}).encode(), JSON)
    assert as_text == (text.strip() or Reason.EMPTY_QUESTION)


def test_the_largest_question_is_taken_also_with_every_character_escaped() -> None:
    text = "ж" * (MAX_QUESTION_BYTES // 2)
    assert parse_question(text.encode(), TEXT).text == text
    assert parse_question(json.dumps({"question": text}).encode(), JSON).text == text


def test_json_may_ask_for_a_stream() -> None:
    assert parse_question(b'{"question": "Who?", "stream": true}', JSON).stream


@given(st.binary(max_size=300), st.booleans())
def test_no_body_does_worse_than_a_failure(body: bytes, as_json: bool) -> None:
    assert outcome(body, Form(as_json=as_json, stream=False))


@pytest.mark.parametrize(
    "history",
    [
        "before",
        ["before"],
        [{"role": "system", "text": "before"}],
        [{"role": ["user"], "text": "before"}],
        [{"role": {}, "text": "before"}],
        [{"role": "user"}],
        [{"role": "user", "text": "\ud800"}],
    ],
)
def test_what_is_no_conversation_is_refused(history: object) -> None:
    body = json.dumps({"question": "And then?", "history": history}).encode()
    assert reason_of(body, JSON) is Reason.INVALID_QUESTION
