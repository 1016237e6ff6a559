"""What is read out of a model server's answer."""

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from va_assistant.completions import Piece, Usage, event_data, parse_answer, read_stream
from va_assistant.errors import Failure, Reason


def body(message: object = None, finish_reason: str | None = "stop", **more: Any) -> bytes:
    choice = {"message": message or {"content": "Ada."}, "finish_reason": finish_reason}
    return json.dumps({"choices": [choice], **more}).encode()


def chunk(text: str | None, finish_reason: str | None = None) -> str:
    delta = {} if text is None else {"content": text}
    return json.dumps(
        {"choices": [{"delta": delta, "finish_reason": finish_reason}]}, ensure_ascii=False
    )


def stream(*data: str) -> list[bytes]:
    return [f"data: {item}\n\n".encode() for item in data]


def failure_of_stream(*data: str) -> tuple[list[str], Failure]:
    texts: list[str] = []
    with pytest.raises(Failure) as failure:
        texts.extend(piece.text for piece in read_stream(stream(*data)))
    return texts, failure.value


def test_an_answer_has_its_text_reason_and_tokens() -> None:
    usage = {
        "prompt_tokens": 100,
        "completion_tokens": 5,
        "prompt_tokens_details": {"cached_tokens": 64},
    }
    answer = parse_answer(body({"content": " Ada. \n"}, usage=usage))
    assert answer.text == "Ada."
    assert answer.finish_reason == "stop"
    assert answer.usage == Usage(prompt=100, cached=64, completion=5)


@pytest.mark.parametrize("usage", [None, [], {"prompt_tokens": "many"}, {"prompt_tokens": -1}])
def test_odd_usage_is_no_reason_to_fail(usage: object) -> None:
    assert parse_answer(body(usage=usage)).text == "Ada."


def test_half_a_character_is_none_and_the_rest_can_be_told() -> None:
    halved = '{"choices": [{"%s": {"content": "Ada \\ud83d!"}, "finish_reason": "stop"}]}'
    assert parse_answer((halved % "message").encode()).text == "Ada ?!"
    assert next(read_stream(stream(halved % "delta"))).text == "Ada ?!"


def test_a_cut_answer_says_so() -> None:
    assert parse_answer(body(finish_reason="length")).finish_reason == "length"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"<html>",
        b"\xff",
        b"null",
        b"[]",
        b"{}",
        b'{"choices": []}',
        b'{"choices": null}',
        b'{"choices": [null]}',
        b'{"choices": [{"message": {"content": "a"}}], "error": {"message": "overloaded"}}',
        body({"content": None}),
        body({"content": ""}),
        body({"content": " \n"}),
        body({"content": None, "refusal": "I cannot."}),
        body({"content": "half"}, "content_filter"),
        body({"content": None, "tool_calls": []}, "tool_calls"),
    ],
)
def test_what_is_no_answer_is_not_passed_off_as_one(raw: bytes) -> None:
    with pytest.raises(Failure) as failure:
        parse_answer(raw)
    assert failure.value.reason is Reason.UPSTREAM_ERROR


def test_a_stream_is_its_pieces_and_the_reason_of_its_end() -> None:
    pieces = list(
        read_stream(
            stream(
                chunk(""),
                chunk("Ada "),
                chunk("works."),
                chunk(None, "stop"),
                '{"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 2}}',
                "[DONE]",
            )
        )
    )
    assert pieces == [
        Piece(text="Ada "),
        Piece(text="works."),
        Piece(finish_reason="stop", usage=Usage(prompt=7, completion=2)),
    ]


def test_a_stream_without_done_is_whole_when_the_model_said_why_it_ended() -> None:
    *_, last = read_stream(stream(chunk("Ada"), chunk(None, "length")))
    assert last.finish_reason == "length"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ([], Reason.CONNECTION_LOST),
        ([chunk("")], Reason.CONNECTION_LOST),
        ([chunk("Ada ")], Reason.CONNECTION_LOST),
        ([chunk("Ada "), '{"choices": [{"del'], Reason.UPSTREAM_ERROR),
        ([chunk("Ada "), '{"error": {"message": "boom"}}'], Reason.UPSTREAM_ERROR),
        (
            [chunk("Ada "), '{"error": {"message": "slow down", "code": 429}}'],
            Reason.RATE_LIMITED,
        ),
        ([chunk("Ada "), chunk(None, "content_filter")], Reason.UPSTREAM_ERROR),
        ([chunk(" "), chunk(None, "stop"), "[DONE]"], Reason.UPSTREAM_ERROR),
        (["[DONE]"], Reason.UPSTREAM_ERROR),
    ],
)
def test_a_stream_that_goes_wrong_never_ends_as_if_it_were_whole(
    data: list[str], reason: Reason
) -> None:
    texts, failure = failure_of_stream(*data)
    assert failure.reason is reason
    assert "".join(texts).strip() in {"", "Ada"}


def test_a_line_without_end_is_given_up() -> None:
    with pytest.raises(Failure) as failure:
        list(read_stream(b"data: " + b"x" * 65536 for _ in range(100)))
    assert failure.value.reason is Reason.UPSTREAM_ERROR


def test_characters_that_are_none_are_an_error() -> None:
    with pytest.raises(Failure) as failure:
        list(read_stream([b'data: {"a": "\xff"}\n\n']))
    assert failure.value.reason is Reason.UPSTREAM_ERROR


@given(
    texts=st.lists(st.text(min_size=1, max_size=8), max_size=8),
    cuts=st.lists(st.integers(0, 2000), max_size=20),
    newline=st.sampled_from(["\n", "\r\n"]),
)
def test_events_are_the_same_however_the_bytes_are_cut(
    texts: list[str], cuts: list[int], newline: str
) -> None:
    data = [json.dumps({"text": text}, ensure_ascii=False) for text in texts]
    data = [item.encode(errors="replace").decode() for item in data]
    raw = "".join(f": ping{newline}data: {item}{newline}{newline}" for item in data).encode()
    edges = sorted({0, len(raw), *(cut % (len(raw) + 1) for cut in cuts)})
    pieces = [raw[start:end] for start, end in pairwise(edges)]
    assert list(event_data(pieces)) == data
