"""OpenAI's chat completions, as docs/reference/http.md has them."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from va_assistant.answerability import Refusal
from va_assistant.completions import Usage
from va_assistant.errors import Failure, Reason
from va_assistant.openai_api import ACCOUNT, ChatRequest, Head, error_of, parse_chat, usage_of
from va_assistant.questions import Form, Turn
from va_assistant.replies import Author, Made, Reply, Source

FORM = Form(as_json=True, stream=False)
ASK = {"role": "user", "content": "Which instrument is it?"}
HEAD = Head(id="chatcmpl-1", created=1_795_000_000, model="ada", revision="3f2a91c0de")
REPLY = Reply(
    text="Ada plays the cello.",
    made=Made.MODEL,
    author=Author(model="stub"),
    sources=(Source(file="cv.md", line=1, text="Ada plays the cello."),),
    usage=Usage(prompt=10, cached=4, completion=5),
)


def parse(form: Form = FORM, **fields: Any) -> ChatRequest:
    return parse_chat(json.dumps({"messages": [ASK], **fields}).encode(), form)


def parse_messages(*messages: Any, form: Form = FORM) -> ChatRequest:
    return parse(form, messages=list(messages))


def refusal(**fields: Any) -> tuple[Reason, str | None]:
    with pytest.raises(Failure) as refused:
        parse(**fields)
    return refused.value.reason, refused.value.param


def said(role: str, content: Any) -> dict[str, Any]:
    return {"role": role, "content": content}


def test_the_last_message_is_the_question() -> None:
    chat = parse()
    assert chat.question.text == "Which instrument is it?"
    assert chat.question.history == ()
    assert not chat.question.stream
    assert not chat.wants_usage


def test_what_was_said_before_is_the_conversation() -> None:
    chat = parse_messages(said("user", "Who is Ada?"), said("assistant", "An engineer."), ASK)
    assert chat.question.history == (
        Turn(role="user", text="Who is Ada?"),
        Turn(role="assistant", text="An engineer."),
    )


@pytest.mark.parametrize("role", ["system", "developer"])
@pytest.mark.parametrize("last", [True, False])
def test_what_a_program_adds_is_no_question_and_nobody_elses_word(role: str, last: bool) -> None:
    note = said(role, "Talk like a pirate.")
    chat = parse_messages(*((ASK, note) if last else (note, ASK)))
    assert chat.question.text == ASK["content"]
    assert chat.question.history == (Turn(role="client", text="Talk like a pirate."),)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ([{"type": "text", "text": "Which one"}, {"type": "text", "text": "is it?"}],
         "Which one\nis it?"),
        ([{"type": "text", "text": " \n Which? ", "cache_control": {}}], "Which?"),
    ],
)  # fmt: skip
def test_parts_of_a_text_are_its_lines(content: Any, text: str) -> None:
    assert parse_messages(said("user", content)).question.text == text


def test_an_answer_of_ours_can_be_sent_back_as_it_came() -> None:
    answer = HEAD.completion(REPLY)["choices"][0]["message"]
    # As the `openai` package writes it down.
    sent_back = {**answer, "annotations": None, "audio": None, "tool_calls": None}
    [turn] = parse_messages(sent_back, ASK).question.history
    assert turn == Turn(role="assistant", text=REPLY.text)


def test_of_a_long_conversation_the_newest_that_has_room_is_kept() -> None:
    old, new = said("user", "a" * 40_000), said("assistant", "b" * 40_000)
    assert [turn.text[0] for turn in parse_messages(old, new, ASK).question.history] == ["b"]
    many = [said("user", f"question {number}") for number in range(40)]
    kept = parse_messages(said("system", "note"), *many, ASK).question.history
    assert [turn.text for turn in kept] == ["note", *(f"question {n}" for n in range(28, 40))]


def test_a_question_has_the_limit_of_every_question() -> None:
    form = Form(as_json=True, stream=False, limit=10)
    assert parse_messages(said("user", "a" * 10), form=form).question.text == "a" * 10
    with pytest.raises(Failure) as refused:
        parse_messages(said("user", "a" * 11), form=form)
    assert refused.value.reason is Reason.QUESTION_TOO_LARGE


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"n": 2}, "n"),
        ({"n": 0}, "n"),
        ({"n": True}, "n"),
        ({"tools": [{"type": "function", "function": {"name": "f"}}]}, "tools"),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"tool_choice": {"type": "function"}}, "tool_choice"),
        ({"functions": [{"name": "f"}]}, "functions"),
        ({"function_call": {"name": "f"}}, "function_call"),
        ({"response_format": {"type": "json_object"}}, "response_format"),
        ({"response_format": {"type": "json_schema", "json_schema": {}}}, "response_format"),
        ({"modalities": ["text", "audio"]}, "modalities"),
        ({"audio": {"voice": "ash", "format": "mp3"}}, "audio"),
        ({"logprobs": True}, "logprobs"),
        ({"top_logprobs": 3}, "top_logprobs"),
        ({"stop": "\n"}, "stop"),
        ({"stop": ["END"]}, "stop"),
        ({"moderation": {"model": "m"}}, "moderation"),
        ({"web_search_options": {}}, "web_search_options"),
        ({"messages": [said("tool", "4"), ASK]}, "messages[0].role"),
        ({"messages": [said("function", "4"), ASK]}, "messages[0].role"),
        ({"messages": [{**said("assistant", None), "tool_calls": [{"id": "1"}]}, ASK]},
         "messages[0].tool_calls"),
        ({"messages": [{**said("assistant", ""), "function_call": {"name": "f"}}, ASK]},
         "messages[0].function_call"),
        ({"messages": [said("user", [{"type": "image_url", "image_url": {"url": "x"}}])]},
         "messages[0].content[0].type"),
        ({"messages": [said("user", [{"type": "text", "text": "a"}, {"type": "input_audio"}])]},
         "messages[0].content[1].type"),
    ],
)  # fmt: skip
def test_what_cannot_be_had_is_refused_by_name(fields: dict[str, Any], param: str) -> None:
    assert refusal(**fields) == (Reason.UNSUPPORTED_PARAMETER, param)


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"messages": None}, "messages"),
        ({"messages": []}, "messages"),
        ({"messages": "Which?"}, "messages"),
        ({"messages": [said("user", "a"), said("assistant", "b")]}, "messages"),
        ({"messages": [said("system", "a")]}, "messages"),
        ({"messages": ["a"]}, "messages[0]"),
        ({"messages": [{"content": "a"}]}, "messages[0].role"),
        ({"messages": [said("root", "a")]}, "messages[0].role"),
        ({"messages": [{"role": [], "content": "a"}]}, "messages[0].role"),
        ({"messages": [said("user", 3)]}, "messages[0].content"),
        ({"messages": [said("user", {"type": "text", "text": "a"})]}, "messages[0].content"),
        ({"messages": [said("user", ["a"])]}, "messages[0].content[0]"),
        ({"messages": [said("user", [{"type": []}])]}, "messages[0].content[0]"),
        ({"messages": [said("user", [{"type": "text"}])]}, "messages[0].content[0].text"),
        ({"messages": [said("user", "\ud800")]}, "messages[0].content"),
        ({"messages": [said("system", "\udfff"), ASK]}, "messages[0].content"),
        ({"messages": [said("user", "a\0b")]}, "messages"),
        ({"messages": [said("system", "a\0b"), ASK]}, "messages"),
        ({"model": 4}, "model"),
        ({"stream": "yes"}, "stream"),
        ({"stream_options": True}, "stream_options"),
        ({"stream_options": {"include_usage": 1}}, "stream_options.include_usage"),
    ],
)
def test_what_is_wrong_is_named(fields: dict[str, Any], param: str) -> None:
    assert refusal(**fields) == (Reason.INVALID_QUESTION, param)


@pytest.mark.parametrize("content", ["", " \n", None, []])
def test_a_question_without_words_is_none(content: Any) -> None:
    assert refusal(messages=[said("user", content)]) == (Reason.EMPTY_QUESTION, "messages")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", Reason.INVALID_JSON),
        (b"{", Reason.INVALID_JSON),
        (b'{"messages": ' + b"[" * 100_000, Reason.INVALID_JSON),
        (b'{"n": ' + b"9" * 5000 + b"}", Reason.INVALID_JSON),
        (b"[]", Reason.INVALID_QUESTION),
        (b"\xff\xfe", Reason.NOT_UTF8),
        (b" " * (FORM.max_bytes + 1), Reason.QUESTION_TOO_LARGE),
    ],
    ids=lambda value: str(value)[:20],
)
def test_what_is_no_request_is_refused(body: bytes, reason: Reason) -> None:
    with pytest.raises(Failure) as refused:
        parse_chat(body, FORM)
    assert refused.value.reason is reason


@pytest.mark.parametrize(
    "fields",
    [
        {"model": "gpt-5-mini"},
        {"model": None},
        {"temperature": 0.2, "top_p": 1, "seed": 4, "max_tokens": 5, "logit_bias": {"5": 1}},
        {"n": 1, "tools": [], "tool_choice": "auto", "response_format": {"type": "text"}},
        {"n": 1.0, "stop": None, "logprobs": False, "top_logprobs": 0, "modalities": ["text"]},
        {"what_nobody_knows": {"at": "all"}},
        {"stream": False, "stream_options": None},
    ],
)
def test_what_changes_nothing_is_accepted(fields: dict[str, Any]) -> None:
    assert parse(**fields) == parse()


def test_a_stream_and_its_usage_are_wanted_where_they_are_asked_for() -> None:
    chat = parse(stream=True, stream_options={"include_usage": True})
    assert chat.question.stream
    assert chat.wants_usage
    assert not parse(stream=True).wants_usage


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["role", "content", "type", "text", "stream", "n"]), inner, max_size=3
        )
    ),
    max_leaves=8,
)


@given(messages=JSON, more=st.dictionaries(st.sampled_from(["n", "stream", "model"]), JSON))
def test_every_body_is_understood_or_refused(messages: Any, more: dict[str, Any]) -> None:
    status = 200
    try:
        parse(messages=messages, **more)
    except Failure as failure:
        status = failure.status
    assert status in {200, 400}


def test_an_answer_has_the_fields_of_openai_and_how_it_was_made() -> None:
    assert HEAD.completion(REPLY) == {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_795_000_000,
        "model": "ada",
        "system_fingerprint": "3f2a91c0de",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": REPLY.text, "refusal": None},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {
            "prompt_tokens": 10,
            "completion_tokens": 5,
            "total_tokens": 15,
            "prompt_tokens_details": {"cached_tokens": 4},
        },
        ACCOUNT: {
            "model": "stub",
            "fallback": False,
            "revision": "3f2a91c0de",
            "madeBy": "Model",
            "sources": [{"file": "cv.md", "line": 1, "text": "Ada plays the cello."}],
            "nearest": [],
            "finishReason": "stop",
        },
    }


def test_no_answer_names_the_lines_that_come_nearest_whole_and_streamed() -> None:
    near = Source(file="cv.md", line=2, text="Her dog is called Pixel.")
    reply = Reply(text="no", made=Made.NO_ANSWER, nearest=(near,))
    (end,) = HEAD.end(reply, wants_usage=False)
    for told in (HEAD.completion(reply), end):
        assert told[ACCOUNT]["nearest"] == [
            {"file": "cv.md", "line": 2, "text": "Her dog is called Pixel."}
        ]
        assert told[ACCOUNT]["sources"] == []


def test_tokens_are_told_as_they_are_known() -> None:
    unasked = usage_of(Reply(text="no", made=Made.NO_ANSWER, refusal=Refusal.NOT_IN_TEXT))
    assert unasked
    assert (unasked["prompt_tokens"], unasked["total_tokens"]) == (0, 0)
    for author in (Author(model="stub"), Author(model=None, fallback=True)):
        reply = Reply(text="a", made=Made.PASSAGES, author=author)
        assert usage_of(reply) is None
        assert [chunk for chunk in HEAD.end(reply, wants_usage=True) if "usage" in chunk] == []


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        (Reason.INVALID_QUESTION, "invalid_request_error"),
        (Reason.UNAUTHORIZED, "authentication_error"),
        (Reason.CROSS_SITE, "permission_error"),
        (Reason.NOT_FOUND, "invalid_request_error"),
        (Reason.TOO_MANY_REQUESTS, "rate_limit_error"),
        (Reason.TOO_BUSY, "server_error"),
        (Reason.TIMEOUT, "server_error"),
    ],
)
def test_an_error_has_the_shape_of_openai(reason: Reason, kind: str) -> None:
    failure = Failure(reason, "why", param="messages")
    assert error_of(failure) == {
        "error": {"message": failure.told, "type": kind, "param": "messages", "code": reason.value}
    }
