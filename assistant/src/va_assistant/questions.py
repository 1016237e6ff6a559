"""A question as it came over HTTP, checked; pure."""

import json
from dataclasses import dataclass
from typing import Any

from va_assistant.errors import Failure, Reason

MAX_QUESTION_BYTES = 64 * 1024
MAX_TURNS = 12
"""Turns of a conversation that are looked at; older ones are left out."""

_TEXT_TYPES = frozenset({"", "text/plain", "application/x-www-form-urlencoded"})
_JSON_TYPE = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What one side has said earlier in a conversation, as the client tells it."""

    role: str
    """`user` or `assistant`; `client` where a program speaks for itself, which is no question."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What was asked, and in which form the answer is wanted."""

    text: str
    as_json: bool
    stream: bool
    history: tuple[Turn, ...] = ()
    """The conversation so far, the oldest turn first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """How a question is sent, as its headers say."""

    as_json: bool
    stream: bool
    limit: int = MAX_QUESTION_BYTES
    """Bytes of a question."""

    @property
    def max_bytes(self) -> int:
        """Bytes of body beyond which nothing is read."""
        return _most_bytes(self.limit, as_json=self.as_json)


def largest_body(content_type: str, *, limit: int) -> int:
    """Return the bytes of body that are read at most where a question may have `limit`."""
    return _most_bytes(limit, as_json=_media_type(content_type) == _JSON_TYPE)


def _most_bytes(limit: int, *, as_json: bool) -> int:
    """As JSON the conversation comes with the question, and a character may be written in six."""
    return 6 * MAX_QUESTION_BYTES + 1024 if as_json else limit


def _media_type(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


def form_of(
    *,
    content_type: str,
    content_encoding: str,
    accept: str = "",
    limit: int = MAX_QUESTION_BYTES,
    json_only: bool = False,
) -> Form:
    """Tell from the headers how to read the body; raises `UnsupportedMediaType`.

    `limit` is how many bytes a question may have.
    """
    media_type = _media_type(content_type)
    if json_only and media_type != _JSON_TYPE:
        raise Failure(Reason.UNSUPPORTED_MEDIA_TYPE, "send the request as application/json")
    if media_type not in _TEXT_TYPES and media_type != _JSON_TYPE:
        raise Failure(
            Reason.UNSUPPORTED_MEDIA_TYPE,
            "send the question as text/plain or application/json",
        )
    charset = _charset(content_type.partition(";")[2])
    if charset not in {None, "utf-8", "utf8", "us-ascii"}:
        raise Failure(Reason.UNSUPPORTED_MEDIA_TYPE, "send the question in UTF-8")
    if content_encoding.strip().lower() not in {"", "identity"}:
        raise Failure(Reason.UNSUPPORTED_MEDIA_TYPE, "send the question without compression")
    return Form(
        as_json=media_type == _JSON_TYPE,
        stream="text/event-stream" in accept.lower(),
        limit=limit,
    )


def parse_question(body: bytes, form: Form) -> Question:
    """Return the question; raises a `Failure` that says what is wrong with it."""
    text = text_of(body, form)
    stream = form.stream
    history: tuple[Turn, ...] = ()
    if form.as_json:
        raw = _question_fields(json_of(text))
        text, stream = raw["question"], stream or _stream_of(raw)
        history = parse_history(raw.get("history"))
    return checked(text, history, form, stream=stream)


def text_of(body: bytes, form: Form) -> str:
    """Return a body as text; raises `QuestionTooLarge` or `NotUTF8`."""
    if len(body) > form.max_bytes:
        raise too_large(form.limit)
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Failure(Reason.NOT_UTF8, f"the body is not UTF-8 (byte {error.start})") from None


def json_of(text: str) -> Any:
    """Return what a JSON text says; raises `InvalidJSON`, also for what nests too deep to read."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise Failure(Reason.INVALID_JSON, f"the body is not JSON ({where})") from None
    except (ValueError, RecursionError):
        raise Failure(Reason.INVALID_JSON, "the body is not JSON that can be read") from None


def checked(text: str, history: tuple[Turn, ...], form: Form, *, stream: bool) -> Question:
    """Return a question whose texts can be asked; raises the `Failure` that says why not."""
    if "\0" in text or any("\0" in turn.text for turn in history):
        raise Failure(Reason.INVALID_QUESTION, "the question holds a NUL character")
    text = text.strip()
    if not text:
        raise Failure(Reason.EMPTY_QUESTION, "the question is empty")
    if len(text.encode()) > form.limit:
        raise too_large(form.limit)
    # The conversation has no room of its own: what is sent on has one limit.
    said = sum(len(turn.text.encode()) for turn in history)
    if len(text.encode()) + said > MAX_QUESTION_BYTES:
        raise too_large(MAX_QUESTION_BYTES)
    return Question(text=text, as_json=form.as_json, stream=stream, history=history)


def parse_history(raw: object) -> tuple[Turn, ...]:
    """Return a conversation as a client tells it, no more than its last turns."""
    if raw is None:
        return ()
    if not isinstance(raw, list):
        raise _no_history()
    turns = []
    for item in raw[-MAX_TURNS:]:
        if not isinstance(item, dict):
            raise _no_history()
        role, text = item.get("role"), item.get("text")
        if role not in ("user", "assistant") or not isinstance(text, str):
            raise _no_history()
        turns.append(Turn(role=role, text=encodable(text).strip()))
    return tuple(turns)


def _no_history() -> Failure:
    return Failure(
        Reason.INVALID_QUESTION,
        'history must be a list of {"role": "user" or "assistant", "text": "…"}',
    )


def too_large(limit: int) -> Failure:
    """Return the failure of a question over the limit, in bytes."""
    return Failure(Reason.QUESTION_TOO_LARGE, f"the question must be at most {_size(limit)}")


def _size(count: int) -> str:
    return f"{count} bytes" if count % 1024 else f"{count // 1024} KiB"


def _question_fields(raw: object) -> dict[str, Any]:
    """Return a body that has a question; what else it has is not looked at."""
    if not isinstance(raw, dict) or not isinstance(raw.get("question"), str):
        raise Failure(
            Reason.INVALID_QUESTION, 'the body must be {"question": "…", "stream": false}'
        )
    encodable(raw["question"])
    return raw


def _stream_of(raw: dict[str, Any]) -> bool:
    stream = raw.get("stream", False)
    if not isinstance(stream, bool):
        raise Failure(Reason.INVALID_QUESTION, "stream must be true or false")
    return stream


def encodable(text: str) -> str:
    """Return a text that can be sent on; raises `InvalidQuestion` where JSON wrote half of one."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise Failure(
            Reason.INVALID_QUESTION, "the question holds half of a surrogate pair"
        ) from None
    return text


def _charset(parameters: str) -> str | None:
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            return value.strip().strip('"').lower()
    return None
