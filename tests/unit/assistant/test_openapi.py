"""The OpenAPI document is in step with the program; tests/clients holds its answers against it."""

import json
import re
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

import pytest

from support.serving import write_revision
from va_assistant.errors import STATUS, Reason
from va_assistant.replies import Made
from va_assistant.revision import read_revision
from va_assistant.web import create_app

DOCUMENT = Path(__file__).parents[3] / "assistant" / "src" / "va_assistant" / "openapi.json"
BY_THE_WAY = {"HEAD", "OPTIONS"}
"""What Flask answers to by itself."""


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(DOCUMENT.read_bytes())
    return found


@pytest.fixture
def routes(tmp_path: Path) -> set[tuple[str, str]]:
    revision = read_revision(write_revision(tmp_path, baseURL="http://model.test"), name="3f2a")
    app = create_app(cast("Any", None), revision)  # nothing is asked
    return {
        (method, re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule))
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - BY_THE_WAY
    }


def test_every_route_is_described_and_nothing_else(
    document: dict[str, Any], routes: set[tuple[str, str]]
) -> None:
    described = {
        (method.upper(), path) for path, item in document["paths"].items() for method in item
    }
    assert {(method, re.sub(r"{\w+}", "{}", path)) for method, path in described} == {
        (method, re.sub(r"{\w+}", "{}", path)) for method, path in routes
    }


def test_every_reason_and_its_status_is_described(document: dict[str, Any]) -> None:
    assert set(document["components"]["schemas"]["Reason"]["enum"]) == set(Reason)
    # No route of these is missing, and none refuses its method.
    statuses = set(STATUS.values()) - {404, 405}
    for path in ("/", "/v1/chat/completions"):
        responses = set(document["paths"][path]["post"]["responses"])
        assert responses == {"200"} | set(map(str, statuses)), path


def test_how_answers_are_made_is_described(document: dict[str, Any]) -> None:
    assert set(document["components"]["schemas"]["MadeBy"]["enum"]) == set(Made)


def test_it_has_the_version_of_the_program(document: dict[str, Any]) -> None:
    assert document["info"]["version"] == version("va-assistant")


def test_its_file_of_the_page_is_one(document: dict[str, Any]) -> None:
    name, *_ = document["paths"]["/page/{name}"]["get"]["parameters"]
    assert name["example"] in {path.name for path in Path(DOCUMENT.parent / "page").iterdir()}


def references(item: Any) -> Iterator[str]:
    """Yield all references in a JSON value."""
    if isinstance(item, dict):
        if isinstance(item.get("$ref"), str):
            yield item["$ref"]
        for value in item.values():
            yield from references(value)
    elif isinstance(item, list):
        for value in item:
            yield from references(value)


def test_nothing_is_described_that_nothing_refers_to(document: dict[str, Any]) -> None:
    components = document["components"]
    named = {
        f"#/components/{kind}/{name}"
        for kind in ("schemas", "responses", "headers", "parameters")
        for name in components[kind]
    }
    assert named == set(references(document))
