"""OpenAI's chat completions, as an assistant understands and speaks them; pure.

Fields are those of OpenAI's API reference (`POST /v1/chat/completions`). What would change the
answer and cannot be had is refused by name; what only colours the writing is passed over.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from va_assistant.completions import Usage
from va_assistant.errors import Failure, Reason
from va_assistant.questions import (
    MAX_QUESTION_BYTES,
    MAX_TURNS,
    Form,
    Question,
    Turn,
    checked,
    encodable,
    json_of,
    text_of,
)
from va_assistant.replies import NO_MODEL, Reply, account_of

NAMELESS: Final = "virtual-assistant"
"""The model's name where the assistant has none."""

ACCOUNT: Final = "virtual_assistant"
"""The field that OpenAI's API does not have: how an answer was made, and its sources."""

DONE: Final = b"data: [DONE]\n\n"

_NO_TOOLS: Final = "an assistant calls no tools"
_ONLY_TEXT: Final = "an assistant reads and writes nothing but text"

_ABSENT: Final[Mapping[str, tuple[str, tuple[Any, ...]]]] = {
    "n": ("one answer is given", (1,)),
    "tools": (_NO_TOOLS, ([],)),
    "tool_choice": (_NO_TOOLS, ("none", "auto")),
    "functions": (_NO_TOOLS, ([],)),
    "function_call": (_NO_TOOLS, ("none", "auto")),
    "response_format": ("an answer is plain text", ({"type": "text"},)),
    "modalities": (_ONLY_TEXT, (["text"],)),
    "audio": (_ONLY_TEXT, ()),
    "logprobs": ("an answer has no probabilities", (False,)),
    "top_logprobs": ("an answer has no probabilities", (0,)),
    "stop": ("an answer is not cut at a word", ([],)),
    "moderation": ("nothing is moderated", ()),
    "web_search_options": ("the texts are searched, and nothing else", ()),
}
"""Fields that ask for what no assistant does: why, and the values that do not ask for it."""

_CALLS: Final = ("tool_calls", "function_call")
"""What an assistant's message has instead of text."""

_ROLES: Final[Mapping[str, str]] = {
    "user": "user",
    "assistant": "assistant",
    # What they say is the asker's word, too, and is told to a model as that.
    "system": "client",
    "developer": "client",
}
_ERROR_TYPES: Final = {
    401: "authentication_error",
    403: "permission_error",
    429: "rate_limit_error",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatRequest:
    """What a client of OpenAI's asks."""

    question: Question
    wants_usage: bool
    """Whether a stream ends with its tokens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What all parts of an answer say alike."""

    id: str
    created: int
    """In Unix seconds."""

    model: str
    """The assistant: it answers, also where no language model was asked."""

    revision: str

    def completion(self, reply: Reply) -> dict[str, Any]:
        """Return a whole answer."""
        message = {"role": "assistant", "content": reply.text, "refusal": None}
        choice = _choice("message", message, reply.finish_reason)
        return {
            **self._fields("chat.completion", [choice]),
            "usage": usage_of(reply),
            ACCOUNT: account_of(reply, self.revision),
        }

    def piece(self, delta: dict[str, Any]) -> dict[str, Any]:
        """Return a part of an answer that is still being written."""
        return self._fields("chat.completion.chunk", [_choice("delta", delta, None)])

    def end(self, reply: Reply, *, wants_usage: bool) -> Iterator[dict[str, Any]]:
        """Yield what ends an answer: why it ended, how it was made and, on demand, its tokens.

        Tokens that nobody counted are left out: a client would take a null for an answer.
        """
        choice = _choice("delta", {}, reply.finish_reason)
        account = account_of(reply, self.revision)
        yield {**self._fields("chat.completion.chunk", [choice]), ACCOUNT: account}
        usage = usage_of(reply)
        if wants_usage and usage:
            yield {**self._fields("chat.completion.chunk", []), "usage": usage}

    def _fields(self, kind: str, choices: list[dict[str, Any]]) -> dict[str, Any]:
        return {
            "id": self.id,
            "object": kind,
            "created": self.created,
            "model": self.model,
            "system_fingerprint": self.revision,
            "choices": choices,
        }


def parse_chat(body: bytes, form: Form) -> ChatRequest:
    """Return what is asked; raises a `Failure` that names the field where something is wrong."""
    raw = json_of(text_of(body, form))
    if not isinstance(raw, dict):
        raise _wrong(None, "the body must be a JSON object with `messages`")
    for field, (why, idle) in _ABSENT.items():
        if not any(_is_same(raw.get(field), value) for value in (None, *idle)):
            raise _unsupported(field, why)
    if not isinstance(raw.get("model"), str | None):
        raise _wrong("model", "model must be a string; any will do")
    stream = _flag(raw, "stream", "stream")
    options = raw.get("stream_options")
    if not isinstance(options, dict | None):
        raise _wrong("stream_options", "stream_options must be an object")
    wants_usage = _flag(options or {}, "include_usage", "stream_options.include_usage")
    question = _question_of(raw.get("messages"), form, stream=stream)
    return ChatRequest(question=question, wants_usage=wants_usage)


def model_of(name: str, *, created: int) -> dict[str, Any]:
    """Return what the list of models has of an assistant."""
    return {"id": name, "object": "model", "created": created, "owned_by": "virtual-assistant"}


def error_of(failure: Failure) -> dict[str, Any]:
    """Return a failure as OpenAI's clients read it; `code` is its reason."""
    status = failure.status
    kind = "server_error" if status >= 500 else _ERROR_TYPES.get(status, "invalid_request_error")
    return {
        "error": {
            "message": failure.told,
            "type": kind,
            "param": failure.param,
            "code": failure.reason,
        }
    }


def usage_of(reply: Reply) -> dict[str, Any] | None:
    """Return the tokens of an answer; none were used where no model was asked.

    None where a model did not say, and where one failed before the texts spoke in its place.
    """
    usage = reply.usage
    if usage is None:
        if reply.author != NO_MODEL:
            return None
        usage = Usage()
    return {
        "prompt_tokens": usage.prompt,
        "completion_tokens": usage.completion,
        "total_tokens": usage.prompt + usage.completion,
        "prompt_tokens_details": {"cached_tokens": usage.cached},
    }


def _question_of(messages: object, form: Form, *, stream: bool) -> Question:
    """Return the last thing that the user said, with what was said before it."""
    if not isinstance(messages, list) or not messages:
        raise _wrong("messages", "messages must be a list of at least one message")
    said = [_turn(message, f"messages[{at}]") for at, message in enumerate(messages)]
    notes = [turn for turn in said if turn.role == "client"]
    turns = [turn for turn in said if turn.role != "client"]
    if not turns or turns[-1].role != "user":
        raise _wrong("messages", "the last message must be the user's")
    question = turns.pop()
    room = MAX_QUESTION_BYTES - len(question.text.encode())
    history = _newest([*notes, *turns[-MAX_TURNS:]], room)
    try:
        return checked(question.text, history, form, stream=stream)
    except Failure as failure:
        failure.param = "messages"
        raise


def _newest(turns: list[Turn], room: int) -> tuple[Turn, ...]:
    """Return the last turns that have room together, in bytes.

    Such a client sends all that was ever said, and cannot say less.
    """
    kept: list[Turn] = []
    for turn in reversed(turns):
        room -= len(turn.text.encode())
        if room < 0:
            break
        if turn.text:
            kept.append(turn)
    return tuple(reversed(kept))


def _turn(message: object, where: str) -> Turn:
    if not isinstance(message, dict):
        raise _wrong(where, f"{where} must be an object with `role` and `content`")
    role = message.get("role")
    if role in ("tool", "function"):
        raise _unsupported(f"{where}.role", _NO_TOOLS)
    if not isinstance(role, str) or role not in _ROLES:
        raise _wrong(f"{where}.role", f"{where}.role must be one of {', '.join(_ROLES)}")
    for field in _CALLS:
        if message.get(field) not in (None, []):
            raise _unsupported(f"{where}.{field}", _NO_TOOLS)
    text = _content(message.get("content"), f"{where}.content")
    try:
        return Turn(role=_ROLES[role], text=encodable(text).strip())
    except Failure as failure:
        failure.param = f"{where}.content"
        raise


def _content(content: object, where: str) -> str:
    if content is None or isinstance(content, str):
        return content or ""
    if not isinstance(content, list):
        raise _wrong(where, f"{where} must be a string or a list of text parts")
    return "\n".join(_part(part, f"{where}[{at}]") for at, part in enumerate(content))


def _part(part: object, where: str) -> str:
    kind = part.get("type") if isinstance(part, dict) else None
    if not isinstance(part, dict) or not isinstance(kind, str):
        raise _wrong(where, f'{where} must be {{"type": "text", "text": "…"}}')
    if kind != "text":
        raise _unsupported(f"{where}.type", _ONLY_TEXT)
    text = part.get("text")
    if not isinstance(text, str):
        raise _wrong(f"{where}.text", f"{where}.text must be a string")
    return text


def _flag(fields: Mapping[str, Any], name: str, where: str) -> bool:
    value = fields.get(name)
    if not isinstance(value, bool | None):
        raise _wrong(where, f"{where} must be true or false")
    return bool(value)


def _choice(name: str, content: dict[str, Any], finish_reason: str | None) -> dict[str, Any]:
    return {"index": 0, name: content, "logprobs": None, "finish_reason": finish_reason}


def _is_same(one: object, other: object) -> bool:
    """Tell whether two are the same as JSON has it, where `true` is not 1."""
    return isinstance(one, bool) == isinstance(other, bool) and one == other


def _wrong(param: str | None, message: str) -> Failure:
    return Failure(Reason.INVALID_QUESTION, message, param=param)


def _unsupported(param: str, why: str) -> Failure:
    return Failure(Reason.UNSUPPORTED_PARAMETER, f"{param}: {why}", param=param)
