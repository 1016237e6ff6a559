"""Calls the `openai` package as it is told; runs with the Python of the package's environment.

Each line of stdin is a call: the client's settings, the method and its arguments. Each line of
stdout says what came of it: `result`, `chunks` or `error`.
"""

import json
import operator
import sys
from typing import Any

import openai


def called(call: dict[str, Any]) -> dict[str, Any]:
    """Return what came of one call."""
    client = openai.OpenAI(max_retries=0, timeout=30, **call["client"])
    method = operator.attrgetter(call["method"])(client)
    chunks: list[Any] = []
    try:
        result = method(**call["arguments"])
        if isinstance(result, openai.Stream):
            for chunk in result:
                chunks.append(chunk.model_dump())  # noqa: PERF401 - what came before a failure
            return {"chunks": chunks}
    except openai.APIError as error:
        response = getattr(error, "response", None)
        return {
            "chunks": chunks,
            "error": {
                "class": type(error).__name__,
                "message": error.message,
                "type": error.type,
                "param": error.param,
                "code": error.code,
                "retry_after": response and response.headers.get("Retry-After"),
            },
        }
    return {"result": result.model_dump()}


for line in sys.stdin:
    print(json.dumps(called(json.loads(line))), flush=True)
