"""The comparison: what one writes first, a Flask server that passes the question on.

`app.run` as it is, the whole text as the system message, the `openai` package's objects:
`python -m benchmarks.assistant.original PORT BASE_URL TEXT`.
"""

import logging
import sys
from pathlib import Path

from flask import Flask, request
from openai import OpenAI

from benchmarks.assistant.answers import MODEL


def create_app(base_url: str, text: str) -> Flask:
    """Return the application."""
    app = Flask("original")
    client = OpenAI(base_url=base_url, api_key="sk-benchmark")

    @app.post("/")
    def ask() -> str:
        question = request.get_data(as_text=True)
        completion = client.chat.completions.create(
            model=MODEL,
            messages=[
                {"role": "system", "content": f"Answer from this information:\n{text}"},
                {"role": "user", "content": question},
            ],
        )
        return completion.choices[0].message.content or ""

    @app.get("/health")
    def health() -> str:
        return "ok"

    return app


if __name__ == "__main__":
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # its line a request is not the subject
    port, base_url, text = sys.argv[1:]
    create_app(base_url, Path(text).read_text()).run(host="127.0.0.1", port=int(port))
