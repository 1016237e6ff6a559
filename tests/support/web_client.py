"""An assistant in this process, asked over its WSGI application, with the stub as its model."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient

from support.openai_stub import RIGHT_KEY
from support.serving import REVISION, write_revision
from va_assistant.answering import Answering
from va_assistant.gate import Gate
from va_assistant.keys import GivenKey
from va_assistant.knowledge import Knowledge
from va_assistant.ladder import Ladder
from va_assistant.limits import Rates
from va_assistant.metrics import Metrics
from va_assistant.model import Model
from va_assistant.pipeline import Pipeline
from va_assistant.prompt import build_prompt
from va_assistant.readiness import Readiness
from va_assistant.revision import read_revision
from va_assistant.web import create_app

NO_LIMITS = Gate(rates=Rates(per_client=0, in_all=0))


@contextmanager
def web_client(
    folder: Path,
    base_url: str,
    *,
    context: str,
    settings: dict[str, Any] | None = None,
    gap_seconds: float = 5,
    **model: Any,
) -> Iterator[FlaskClient]:
    """Yield a client; `settings` are further ones of the revision, `model` those of its model."""
    write_revision(folder, baseURL=base_url, context=context, **model)
    path = folder / "settings.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **(settings or {})}))
    revision = read_revision(folder, name=REVISION)
    asked = Model(revision.model, build_prompt(revision, revision.model), GivenKey(RIGHT_KEY))
    metrics = Metrics()
    answering = Answering(
        Pipeline(Knowledge(revision), Ladder([asked], Readiness(revision), metrics)),
        metrics,
        timeout_seconds=revision.model.timeout_seconds,
        max_questions=4,
        gap_seconds=gap_seconds,
    )
    try:
        yield create_app(answering, revision, NO_LIMITS).test_client()
    finally:
        asked.close()


def events(body: bytes) -> list[tuple[str, Any]]:
    """Return the names and data of the events of a stream."""
    parsed = []
    for block in body.decode().strip().split("\n\n"):
        name, data = block.split("\n")
        parsed.append((name.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
    return parsed
