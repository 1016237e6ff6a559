"""What the stub of a model server says, byte for byte; pure.

It quotes the benchmark's text from its first word on: an answer that an assistant
compares with its text must stand there.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

TEXT = Path(__file__).parent / "text.md"
MODEL = "stub"

_CHUNK = {
    "id": "chatcmpl-stub", "object": "chat.completion.chunk", "created": 1, "model": MODEL,
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Behaviour:
    """How the stub answers until it is told otherwise."""

    tokens: int = 1
    """Words of the answer, each a piece of its own when it is streamed."""

    delay: float = 0.0
    """Seconds to the first byte."""

    gap: float = 0.0
    """Seconds from one piece to the next."""

    words: int = 1
    """Words in a token: more make an answer that is long and little work."""


def words(text: str, count: int) -> list[str]:
    """Return the first words of a text, from its start again where it is too short."""
    found = text.split()
    return [found[i % len(found)] for i in range(count)]


def grouped(said: Sequence[str], size: int) -> list[str]:
    """Return the same words, so many in each item."""
    return [" ".join(said[i : i + size]) for i in range(0, len(said), size)]


def whole(said: Sequence[str]) -> bytes:
    """Return the response with the whole answer."""
    body = {
        "id": "chatcmpl-stub", "object": "chat.completion", "created": 1, "model": MODEL,
        "choices": [{
            "index": 0, "finish_reason": "stop", "logprobs": None,
            "message": {"role": "assistant", "content": " ".join(said), "refusal": None},
        }],
        "usage": _usage(len(said)),
    }  # fmt: skip
    return response(json.dumps(body).encode())


def response(body: bytes) -> bytes:
    """Return a JSON body with its head."""
    head = (
        f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n"
)


def pieces(said: Sequence[str]) -> list[bytes]:
    """Return what is written for each word."""
    found = []
    for i, word in enumerate(said):
        delta: dict[str, str] = {"content": word if i == 0 else f" {word}"}
        if i == 0:
            delta["role"] = "assistant"
        found.append(_event({**_CHUNK, "choices": [_choice(delta, None)]}))
    return found


def stream_end(count: int, *, usage: bool) -> bytes:
    """Return what is written after the last word."""
    end = _event({**_CHUNK, "choices": [_choice({}, "stop")]})
    if usage:
        end += _event({**_CHUNK, "choices": [], "usage": _usage(count)})
    return end + _chunked(b"data: [DONE]\n\n") + b"0\r\n\r\n"


def _choice(delta: dict[str, str], finish_reason: str | None) -> dict[str, object]:
    return {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}


def _usage(count: int) -> dict[str, int]:
    return {"prompt_tokens": 1000, "completion_tokens": count, "total_tokens": 1000 + count}


def _event(fields: dict[str, object]) -> bytes:
    return _chunked(b"data: " + json.dumps(fields, separators=(",", ":")).encode() + b"\n\n")


def _chunked(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)
