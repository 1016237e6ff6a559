"""How the object is read, and what it means where it says nothing."""

import pytest

from support.builders import OPENAI, an_assistant, an_assistant_body, referring
from va_operator.api import (
    EMBEDDED_MODEL,
    EMBEDDED_WINDOW,
    Key,
    KeyRef,
    Manifest,
    PodSettings,
    parse,
)


def test_the_smallest_object_has_the_defaults_of_the_schema() -> None:
    assistant = an_assistant()

    assert assistant.key == Key("shop", "ada")
    assert assistant.replicas == assistant.pods_wanted == 2
    assert assistant.instructions == ""
    assert not assistant.suspend
    assert assistant.pods == PodSettings()
    assert assistant.service.type == "NodePort"
    assert assistant.service.port == 80
    assert assistant.service.node_port is None
    assert assistant.service.annotations == ()


def test_without_a_model_the_embedded_one_answers() -> None:
    model = an_assistant().model

    assert model.embedded
    assert model.name == EMBEDDED_MODEL
    assert model.context_window == EMBEDDED_WINDOW
    assert model.timeout_seconds == 60
    assert (model.base_url, model.api_key, model.max_tokens, model.temperature) == (None,) * 4


def test_a_name_means_openai() -> None:
    model = an_assistant(model=OPENAI).model

    assert not model.embedded
    assert model.provider == "OpenAI"
    assert model.name == "gpt-5-mini"
    assert model.api_key == KeyRef(name="openai", key="apiKey")
    assert model.context_window is None


def test_every_field_of_the_model_is_read() -> None:
    model = an_assistant(
        model={
            "provider": "OpenAI",
            "name": "llama",
            "baseURL": "http://ollama:11434/v1",
            "contextWindow": 4096,
            "maxTokens": 512,
            "temperature": 0.5,
            "timeoutSeconds": 30,
        }
    ).model

    assert model.base_url == "http://ollama:11434/v1"
    assert (model.context_window, model.max_tokens) == (4096, 512)
    assert (model.temperature, model.timeout_seconds) == (0.5, 30)


def test_a_temperature_of_zero_is_not_the_same_as_none() -> None:
    assert an_assistant(model={**OPENAI, "temperature": 0}).model.temperature == 0


def test_a_long_inline_text_is_kept_compressed() -> None:
    text = "She lives in Bergen. \U0001f600 \ud83d " * 4000
    [file] = an_assistant(text=text).files
    assert file.inline == text
    assert file.packed is not None
    assert len(file.packed) < len(text) / 50


def test_files_are_inline_or_refer_to_a_config_map() -> None:
    context = {"files": [{"name": "a", "inline": ""}, *referring("x", "y")["files"]]}
    assistant = an_assistant(context=context)

    assert [file.inline for file in assistant.files] == ["", None, None]
    assert assistant.files[1].config_map == KeyRef(name="x", key="cv.md")
    assert assistant.config_maps == {"x", "y"}


def test_a_suspended_assistant_wants_no_pods_but_keeps_its_number() -> None:
    assistant = an_assistant(replicas=3, suspend=True)
    assert (assistant.replicas, assistant.pods_wanted) == (3, 0)


def test_annotations_are_read_in_one_order() -> None:
    service = an_assistant(service={"annotations": {"b": "2", "a": "1"}}).service
    assert service.annotations == (("a", "1"), ("b", "2"))


def test_an_object_on_its_way_out_is_known_as_such() -> None:
    assert an_assistant(deleting=True).being_deleted
    assert not an_assistant().being_deleted


@pytest.mark.parametrize("spec", [{}, {"context": {}}, {"context": {"files": [{}]}}])
def test_what_the_schema_forbids_now_is_refused_by_name(spec: dict[str, object]) -> None:
    body = an_assistant_body()
    body["spec"] = spec
    with pytest.raises((KeyError, TypeError, ValueError)):
        parse(body)


@pytest.mark.parametrize(
    "spec",
    [
        {"replicas": "2"},
        {"replicas": None},
        {"instructions": {"a": "b"}},
        {"suspend": "no"},
        {"resources": "small"},
        {"resources": {"limits": "small"}},
        {"model": {"timeoutSeconds": "60"}},
        {"context": {"files": [{"name": "ada.md", "inline": 5}]}},
    ],
)
def test_a_field_of_another_type_from_before_the_schema_cannot_be_read(spec: Manifest) -> None:
    with pytest.raises((AttributeError, TypeError)):
        parse(an_assistant_body(**spec))
