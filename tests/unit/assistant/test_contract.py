"""What the operator writes and reads, as docs/reference/pod-contract.md says."""

import json
import re
from pathlib import Path

import pytest
from prometheus_client.metrics import MetricWrapperBase

from va_assistant.errors import STATUS, Failure, Reason
from va_assistant.metrics import Metrics
from va_assistant.readiness import Readiness
from va_assistant.revision import (
    InvalidRevisionError,
    Provider,
    parse_model,
    read_revision,
    read_text,
)

ROOT = Path(__file__).parents[3]
EXAMPLES = ROOT / "tests/support/contract"
SETTINGS = EXAMPLES / "settings.json"
CONTRACT = ROOT / "docs/reference/pod-contract.md"
HTTP = ROOT / "docs/reference/http.md"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "settings.json").write_bytes(SETTINGS.read_bytes())
    (tmp_path / "context.cv.md").write_text("Ada plays the cello.\n")
    (tmp_path / "context.prices.md").write_text("Cello: 100 EUR\n")
    return tmp_path


def test_the_example_of_settings_is_read(folder: Path) -> None:
    revision = read_revision(folder, name="3f2a91c0de")
    assert revision.instructions == "Answer in one sentence."
    assert [file.name for file in revision.files] == ["cv.md", "prices.md"]
    assert revision.files[1].text == "Cello: 100 EUR\n"
    assert revision.context_bytes == 36
    model = revision.model
    assert (model.provider, model.name, model.is_openai) == (Provider.OPENAI, "gpt-5-mini", True)
    assert model.base_url == "https://api.openai.com/v1"
    assert model.timeout_seconds == 30
    assert (model.max_tokens, model.temperature, model.context_window) == (None, None, None)


def test_fallbacks_are_read_in_their_order(folder: Path) -> None:
    raw = json.loads(SETTINGS.read_bytes())
    raw["fallbacks"] = [{**raw["model"], "name": name} for name in ("second", "third")]
    (folder / "settings.json").write_text(json.dumps(raw))
    revision = read_revision(folder, name="3f2a91c0de")
    assert [model.name for model in revision.models] == ["gpt-5-mini", "second", "third"]


def test_the_embedded_model_is_on_loopback() -> None:
    raw = json.loads(SETTINGS.read_bytes())["model"]
    raw |= {"provider": "Embedded", "name": "smollm2-135m-instruct", "contextWindow": 8192}
    model = parse_model(raw)
    assert model.base_url == "http://127.0.0.1:8080/v1"
    assert model.context_window == 8192


@pytest.mark.parametrize("missing", ["instructions", "files", "model"])
def test_a_field_that_is_missing_is_named(folder: Path, missing: str) -> None:
    raw = json.loads(SETTINGS.read_bytes())
    del raw[missing]
    (folder / "settings.json").write_text(json.dumps(raw))
    with pytest.raises(InvalidRevisionError, match=missing):
        read_revision(folder, name="")


@pytest.mark.parametrize("settings", [b"", b"[]", b"{", b"\xff"])
def test_settings_that_are_none_are_named(folder: Path, settings: bytes) -> None:
    (folder / "settings.json").write_bytes(settings)
    with pytest.raises(InvalidRevisionError, match=r"settings\.json"):
        read_revision(folder, name="")


def test_a_file_that_is_missing_is_named(folder: Path) -> None:
    (folder / "context.prices.md").unlink()
    with pytest.raises(InvalidRevisionError, match=r"context\.prices\.md: No such file"):
        read_revision(folder, name="")


def test_ready_has_the_fields_of_the_example(folder: Path) -> None:
    example = json.loads((EXAMPLES / "ready.json").read_bytes())
    readiness = Readiness(read_revision(folder, name="3f2a91c0de"))
    readiness.answered(prompt_tokens=345)
    body = readiness.report().body
    body["context"]["bytes"] = 1234
    assert body == example
    readiness.failed(Failure(Reason.TIMEOUT, "too slow"))
    [model] = readiness.report().body["models"]
    assert set(model["lastError"]) == {"reason", "message"}


def test_the_reasons_of_a_model_are_as_written() -> None:
    rows = re.findall(r"^\| `(\w+)` \| .* \| `(\w+)` \| (\d+)", CONTRACT.read_text(), re.MULTILINE)
    assert len(rows) > 10
    for name, state, status in rows:
        failure = Failure(Reason(name), "")
        assert (failure.state, failure.status) == (state, int(status)), name


def test_the_statuses_of_all_reasons_are_as_written() -> None:
    written = {
        Reason(name): int(status)
        for status, names in re.findall(r"^\| (\d{3}) \| (.*) \|$", HTTP.read_text(), re.MULTILINE)
        for name in re.findall(r"`(\w+)`", names)
    }
    assert written == STATUS


def test_the_metrics_and_their_labels_are_as_written() -> None:
    rows = re.findall(r"^\| `(va_\w+)` \| (.*?) ?\|", CONTRACT.read_text(), re.MULTILINE)
    written = {name: re.findall(r"`(\w+)`", labels) for name, labels in rows}
    metrics = Metrics()
    metrics.watch_budget(1, float)
    metrics.watch_reranker()
    collectors = metrics.registry._collector_to_names
    kept = [one for one in collectors if isinstance(one, MetricWrapperBase)]
    assert written == {
        found.name + ("_total" if found.type == "counter" else ""): list(one._labelnames)
        for one in kept
        for found in one.describe()
    }


@pytest.mark.parametrize("mark", ["\u0301", "\u0f73"])
def test_a_text_that_would_take_minutes_to_normalise_is_named(tmp_path: Path, mark: str) -> None:
    path = tmp_path / "cv.md"
    path.write_text("a" + mark * 30)
    assert read_text(path)
    path.write_text("a" + (mark + "\u0323") * 300_000)
    with pytest.raises(InvalidRevisionError, match=r"cv\.md: not a text .* 30 combining marks"):
        read_text(path)
