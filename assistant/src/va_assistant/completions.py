"""What a model server says, turned into an answer; pure.

Only what is needed is taken from its JSON: building the `openai` package's
objects costs more than everything else in a request.
"""

import json
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from va_assistant.errors import Failure, Reason

MAX_LINE_BYTES = 1024 * 1024
"""A line of a stream beyond this is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens as the server counts them."""

    prompt: int = 0
    cached: int = 0
    completion: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A whole answer."""

    text: str
    finish_reason: str
    """`stop`, or `length` where the limit cut it."""

    usage: Usage | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A part of an answer that is still being written; the last one has the reason."""

    text: str = ""
    finish_reason: str | None = None
    usage: Usage | None = None


def parse_answer(body: bytes) -> Answer:
    """Return the answer of a whole response; raises `UpstreamError` where there is none."""
    raw = _parse(body)
    choice = _first_choice(raw)
    if choice is None:
        raise _no_answer("it has no choices")
    message = choice.get("message")
    text = _text(message.get("content")) if isinstance(message, dict) else ""
    finish_reason = _finish_reason(choice) or "stop"
    if not text.strip() and finish_reason != "length":
        raise _no_answer("it is empty", about_question=True)
    return Answer(text=text.strip(), finish_reason=finish_reason, usage=_usage(raw))


def event_data(pieces: Iterable[bytes]) -> Iterator[str]:
    """Return the data of server-sent events, however the bytes were cut on the way.

    A line that was not finished is no event.
    """
    rest = b""
    for piece in pieces:
        rest += piece
        if len(rest) > MAX_LINE_BYTES:
            raise _no_answer("a line of it is too long")
        *lines, rest = rest.split(b"\n")
        for line in lines:
            if not line.startswith(b"data:"):
                continue
            try:
                data = line[5:].decode().strip()
            except UnicodeDecodeError:
                raise _no_answer("it is not UTF-8") from None
            if data:
                yield data


def read_stream(pieces: Iterable[bytes]) -> Generator[Piece]:
    """Return the parts of a streamed answer, then one with the reason why it ended.

    Raises `ConnectionLost` where the bytes end before the answer does.
    """
    finish_reason: str | None = None
    usage: Usage | None = None
    written = False
    for data in event_data(pieces):
        if data == "[DONE]":
            finish_reason = finish_reason or "stop"
            continue  # read on: a response that was read to its end leaves a usable connection
        piece = _parse_piece(data)
        finish_reason = piece.finish_reason or finish_reason
        usage = piece.usage or usage
        if piece.text:
            written = written or not piece.text.isspace()
            yield Piece(text=piece.text)
    if finish_reason is None:
        raise Failure(Reason.CONNECTION_LOST, "the answer was cut")
    if not written and finish_reason != "length":
        raise _no_answer("it is empty", about_question=True)
    yield Piece(finish_reason=finish_reason, usage=usage)


def _parse_piece(data: str) -> Piece:
    raw = _parse(data)
    choice = _first_choice(raw)
    if choice is None:
        return Piece(usage=_usage(raw))
    delta = choice.get("delta")
    return Piece(
        text=_text(delta.get("content")) if isinstance(delta, dict) else "",
        finish_reason=_finish_reason(choice),
        usage=_usage(raw),
    )


def _text(content: object) -> str:
    """Return what was written; half of a surrogate pair, which JSON can hold, is no character."""
    if not isinstance(content, str):
        return ""
    return content.encode(errors="replace").decode()


def _first_choice(raw: dict[str, Any]) -> dict[str, Any] | None:
    choices = raw.get("choices")
    if isinstance(choices, list) and choices and isinstance(choices[0], dict):
        return choices[0]
    return None


def _finish_reason(choice: dict[str, Any]) -> str | None:
    """Return `stop` or `length`; raises where the model gave no answer on purpose."""
    reason = choice.get("finish_reason")
    if reason is None:
        return None
    if reason == "content_filter":
        raise _no_answer("the provider's content filter withheld it", about_question=True)
    if reason in {"tool_calls", "function_call"}:
        raise _no_answer("it is a call of a tool", about_question=True)
    return "length" if reason == "length" else "stop"


def _usage(raw: dict[str, Any]) -> Usage | None:
    usage = raw.get("usage")
    if not isinstance(usage, dict):
        return None
    details = usage.get("prompt_tokens_details")
    return Usage(
        prompt=_count(usage.get("prompt_tokens")),
        cached=_count(details.get("cached_tokens")) if isinstance(details, dict) else 0,
        completion=_count(usage.get("completion_tokens")),
    )


def _count(value: object) -> int:
    return value if isinstance(value, int) and value >= 0 else 0


def _parse(text: str | bytes) -> dict[str, Any]:
    try:
        raw: Any = json.loads(text)
    except (ValueError, RecursionError):
        raise _no_answer("it is not JSON") from None
    if not isinstance(raw, dict):
        raise _no_answer("it is not a JSON object")
    if raw.get("error"):
        raise _reported(raw["error"])
    return raw


def _reported(error: object) -> Failure:
    """Return the failure that a server reports inside of a response with status 200."""
    fields = error if isinstance(error, dict) else {"message": error}
    message = str(fields.get("message") or "no message")
    codes = {str(fields.get(name)) for name in ("code", "type")}
    if codes & {"429", "rate_limit_exceeded", "rate_limit_error", "insufficient_quota"}:
        return Failure(Reason.RATE_LIMITED, message)
    return Failure(Reason.UPSTREAM_ERROR, message)


def _no_answer(why: str, *, about_question: bool = False) -> Failure:
    return Failure(
        Reason.UPSTREAM_ERROR, f"the model's answer is none: {why}", about_question=about_question
    )
