"""What an asker sees of a provider's faults: an answer that is whole, or that it is not.

The same faults as tests of the model, the ladder and the pipeline meet one by one, here at the
port for questions, at each position of an answer.
"""

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from support.openai_stub import Stub, Turn, black_hole
from support.web_client import events, web_client
from va_assistant import deadlines

QUESTION = "Which instrument is it, a cello?"
NOT_THERE = "What is her salary?"
CONTEXT = "Ada plays the cello in a string quartet.\nHer dog is called Pixel.\n"
SENTENCES = ["Ada plays the cello. ", "Her dog is called Pixel. ", "It is a string quartet."]
WORDS = [4, 9, 14]
"""Words after which each sentence has come."""

EVENTS = {"Accept": "text/event-stream"}
SLOW_DOWN = {"message": "slow down", "code": "rate_limit_exceeded"}


@pytest.fixture
def web(stub: Stub, tmp_path: Path) -> Iterator[FlaskClient]:
    revision = tmp_path / "revision"
    with web_client(
        revision, stub.url, context=CONTEXT, gap_seconds=0.2, timeoutSeconds=3
    ) as client:
        yield client


FAULTS = {
    "cut": lambda place: Turn(cut_at=place),
    "silent": lambda place: Turn(hang_at=place),
    "malformed": lambda place: Turn(malformed_at=place),
    "429": lambda place: Turn(error_at=place, error=SLOW_DOWN),
}


@pytest.mark.parametrize("position", range(WORDS[-1] + 1))
@pytest.mark.parametrize("fault", FAULTS)
def test_a_stream_that_goes_wrong_anywhere_is_never_as_if_it_were_whole(
    web: FlaskClient, stub: Stub, fault: str, position: int
) -> None:
    stub.default = replace(FAULTS[fault](position), text="".join(SENTENCES))
    started = time.monotonic()
    response = web.post("/", data=QUESTION, headers=EVENTS, buffered=True)
    assert time.monotonic() - started < 5
    *texts, (last, data) = events(response.data)
    told = [fields["text"] for _, fields in texts]
    # A sentence is told once the first word of the next has come.
    whole = sum(words < position for words in WORDS)
    if whole:
        assert told == SENTENCES[:whole]
        assert last == "error"
        assert data["error"]["reason"] in {
            "ConnectionLost", "Timeout", "UpstreamError", "RateLimited",
        }  # fmt: skip
    else:  # nothing was told yet: the lines of the text answer, marked as such
        assert "".join(told) == CONTEXT.splitlines()[0]
        assert (last, data["madeBy"], data["fallback"]) == ("done", "Passages", True)


@pytest.mark.parametrize("size", range(1, 12))
def test_characters_may_be_cut_anywhere_on_the_way(stub: Stub, tmp_path: Path, size: int) -> None:
    text = "Zoë plays the 🎻 in Ærøskøbing."
    with web_client(tmp_path / "revision", stub.url, context=text) as web:
        stub.default = Turn(text=text, split=size)
        response = web.post("/", data="Which 🎻 does Zoë play?", headers=EVENTS, buffered=True)
    *texts, (last, data) = events(response.data)
    assert "".join(fields["text"] for _, fields in texts) == text
    assert (last, data["madeBy"]) == ("done", "Model")


@pytest.mark.parametrize("cut", range(1, 4))
def test_a_stream_that_ends_within_a_character_was_cut(
    web: FlaskClient, stub: Stub, cut: int
) -> None:
    whole = 'data: {"choices": [{"delta": {"content": "Ada plays the cello. Her "}}]}\n\n'
    part = 'data: {"choices": [{"delta": {"content": "🎻'.encode()[:-cut]
    stub.default = Turn(raw=whole + part.decode(errors="surrogateescape"))
    response = web.post("/", data=QUESTION, headers=EVENTS, buffered=True)
    assert [name for name, _ in events(response.data)] == ["text", "error"]


WITHHELD = {
    "by a filter": Turn(text="", finish_reason="content_filter"),
    "in the middle by a filter": Turn(text="Ada plays the", finish_reason="content_filter"),
    "for a tool": Turn(text="", finish_reason="tool_calls"),
    "for a function": Turn(text="", finish_reason="function_call"),
    "empty": Turn(text=""),
    "blank": Turn(text=" \n"),
}


@pytest.mark.parametrize(
    ("turn", "headers"),
    [
        *((turn, headers) for turn in WITHHELD.values() for headers in ({}, EVENTS)),
        (Turn(null=True), {}),
        (Turn(choices=False), {}),
        (Turn(raw='data: {"choices": []}\n\ndata: [DONE]\n\n'), EVENTS),
        (Turn(raw='data: {"choices": [{"delta": {"content": null}}]}\n\n'), EVENTS),
    ],
    ids=[*(f"{name}, {way}" for name in WITHHELD for way in ("whole", "streamed")),
         "null", "no choice", "no choice, streamed", "null, streamed"],
)  # fmt: skip
def test_an_answer_that_a_model_withholds_is_none(
    stub: Stub, tmp_path: Path, turn: Turn, headers: dict[str, str]
) -> None:
    stub.default = turn
    with web_client(tmp_path / "revision", stub.url, context=CONTEXT) as web:
        response = web.post("/", data=NOT_THERE, headers=headers, buffered=True)
    assert (response.status_code, response.headers["Retry-After"]) == (503, "5")
    assert response.text.startswith(("UpstreamError: ", "ConnectionLost: "))


@pytest.mark.parametrize("headers", [{}, EVENTS], ids=["whole", "streamed"])
def test_an_answer_that_its_limit_cut_says_so(
    web: FlaskClient, stub: Stub, headers: dict[str, str]
) -> None:
    stub.default = Turn(text="Ada plays the", finish_reason="length")
    response = web.post("/", data=QUESTION, headers=headers, buffered=True)
    if headers:
        assert events(response.data)[-1][1]["finishReason"] == "length"
    else:
        assert response.headers["X-Finish-Reason"] == "length"


@pytest.mark.parametrize(
    ("base_url", "reason"),
    [
        ("http://127.0.0.1:1/v1", "ConnectionRefused"),
        ("http://nowhere.invalid/v1", "HostNotFound"),
        ("https://127.0.0.1:{port}/v1", "TLSFailed"),
    ],
)
@pytest.mark.parametrize("headers", [{}, EVENTS], ids=["whole", "streamed"])
def test_a_provider_that_cannot_be_reached_is_told_at_once_with_when_to_come_back(
    stub: Stub, tmp_path: Path, base_url: str, reason: str, headers: dict[str, str]
) -> None:
    url = base_url.format(port=stub.port)
    with web_client(tmp_path / "revision", url, context=CONTEXT) as web:
        started = time.monotonic()
        response = web.post("/", data=NOT_THERE, headers=headers, buffered=True)
        seconds = time.monotonic() - started
    assert (response.status_code, response.headers["Retry-After"]) == (503, "5")
    assert response.text.startswith(f"{reason}: ")
    assert seconds < 2


def test_a_host_that_swallows_connections_takes_no_longer_than_connecting_may(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert 3 <= deadlines.CONNECT_SECONDS <= 5
    monkeypatch.setattr(deadlines, "CONNECT_SECONDS", 0.3)
    with (
        black_hole() as port,
        web_client(
            tmp_path / "revision", f"http://127.0.0.1:{port}/v1", context=CONTEXT, timeoutSeconds=60
        ) as web,
    ):
        started = time.monotonic()
        response = web.post("/", data=NOT_THERE)
    assert response.text.startswith("ConnectionRefused: ")
    assert (response.status_code, response.headers["Retry-After"]) == (503, "5")
    assert time.monotonic() - started < 5


def test_silence_before_the_first_byte_is_held_to_the_one_deadline(
    stub: Stub, tmp_path: Path
) -> None:
    """Not to the provider client's own: ten minutes, three times."""
    stub.default = Turn(delay=-1)
    with web_client(tmp_path / "revision", stub.url, context=CONTEXT, timeoutSeconds=1) as web:
        started = time.monotonic()
        response = web.post("/", data=NOT_THERE)
        seconds = time.monotonic() - started
    assert (response.status_code, response.text.partition(":")[0]) == (504, "Timeout")
    assert 0.9 < seconds < 3
    assert len(stub.log) == 1


def test_a_provider_that_fails_for_everybody_is_called_hardly_more_than_asked(
    stub: Stub, tmp_path: Path
) -> None:
    """Fewer, for the circuit opens; where it does not, the budget of retries holds it."""
    stub.default = Turn(status=500, error={"message": "boom"})
    with web_client(tmp_path / "revision", stub.url, context=CONTEXT) as web:
        statuses = {web.post("/", data=NOT_THERE).status_code for _ in range(100)}
    assert statuses == {503}
    assert len(stub.log) <= 6  # five failures open it, one of them tried twice
