"""The routes that clients of OpenAI's API know."""

import time
from collections.abc import Iterator
from typing import Any, Final

from flask import Blueprint, Response

from va_assistant.errors import Failure, Reason
from va_assistant.openai_api import (
    DONE,
    NAMELESS,
    ChatRequest,
    Head,
    error_of,
    model_of,
    parse_chat,
)
from va_assistant.questions import Form
from va_assistant.reception import (
    JSON,
    Reception,
    asked,
    author_headers,
    dump,
    read_body,
    request_id,
)
from va_assistant.replies import Part

PREFIX: Final = "/v1"
"""Below it errors, too, have OpenAI's shape."""


def openai_routes(reception: Reception, *, name: str) -> Blueprint:
    """Return the routes of an assistant; `name` is empty where it has none."""
    routes = Blueprint("openai", __name__, url_prefix=PREFIX)
    name = name or NAMELESS
    model = model_of(name, created=int(time.time()))

    def answer(form: Form) -> Response:
        with reception.noting_refusal():
            chat = parse_chat(read_body(form), form)
        head = Head(
            id=f"chatcmpl-{request_id()}",
            created=int(time.time()),
            model=name,
            revision=reception.revision,
        )
        if chat.question.stream:
            return _streamed(reception, chat, head)
        reply = reception.answering.answer(asked(chat.question))
        response = Response(dump(head.completion(reply)), content_type=JSON)
        response.headers.extend(author_headers(reply.author))
        return response

    @routes.post("/chat/completions")
    def complete() -> Response:
        return reception.take(answer, json_only=True)

    @routes.get("/models")
    def list_models() -> Response:
        return Response(dump({"object": "list", "data": [model]}), content_type=JSON)

    @routes.get("/models/<path:wanted>")
    def tell_model(wanted: str) -> Response:
        if wanted != name:
            raise Failure(Reason.NOT_FOUND, f"the only model is {name}", param="model")
        return Response(dump(model), content_type=JSON)

    return routes


def _streamed(reception: Reception, chat: ChatRequest, head: Head) -> Response:
    begun = False

    def tell(part: Part) -> Iterator[bytes]:
        nonlocal begun
        if part.reply:
            for fields in head.end(part.reply, wants_usage=chat.wants_usage):
                yield _event(fields)
            yield DONE
            return
        role = {} if begun else {"role": "assistant"}
        begun = True
        yield _event(head.piece({**role, "content": part.text}))

    return reception.stream(chat.question, tell, lambda failure: _event(error_of(failure)))


def _event(fields: dict[str, Any]) -> bytes:
    return f"data: {dump(fields)}\n\n".encode()
