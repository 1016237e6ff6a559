"""A revision is its content: equal content, equal name, and any change changes it."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.builders import OPENAI, an_assistant, the_revision
from va_operator.context import normalise, resolve
from va_operator.resources.config_map import build_config_map
from va_operator.revision import build_revision, revision_data

CONTRACT = Path(__file__).parents[2] / "support" / "contract"

SPEC: dict[str, Any] = {
    "context": {
        "files": [{"name": "cv.md", "inline": "Ada"}, {"name": "prices.md", "inline": "12 EUR"}]
    },
    "instructions": "Answer in one sentence.",
    "model": {
        "provider": "OpenAI",
        "name": "gpt-5-mini",
        "baseURL": "http://x/v1",
        "apiKeySecretRef": {"name": "openai", "key": "apiKey"},
        "contextWindow": 100_000,
        "maxTokens": 100,
        "temperature": 0.5,
        "timeoutSeconds": 30,
    },
}


def changed(path: str, value: Any) -> dict[str, Any]:
    spec = deepcopy(SPEC)
    *folders, leaf = path.split(".")
    place: Any = spec
    for folder in folders:
        place = place[int(folder) if folder.isdigit() else folder]
    if value is None:
        del place[leaf]
    else:
        place[leaf] = value
    return spec


def test_settings_have_the_shape_of_the_contract() -> None:
    model = {"provider": "OpenAI", "name": "gpt-5-mini", "timeoutSeconds": 30}
    assistant = an_assistant(**{**SPEC, "model": model})
    settings = json.loads(revision_data(assistant, resolve(assistant, {}))["settings.json"])

    assert settings == json.loads((CONTRACT / "settings.json").read_text())


def test_settings_of_the_embedded_model_name_it() -> None:
    assistant = an_assistant()
    settings = json.loads(revision_data(assistant, resolve(assistant, {}))["settings.json"])

    assert settings["instructions"] is None
    assert settings["model"] == {
        "provider": "Embedded",
        "name": "smollm2-135m-instruct",
        "baseURL": None,
        "contextWindow": 8192,
        "maxTokens": None,
        "temperature": None,
        "timeoutSeconds": 60,
    }


def test_settings_that_came_later_are_there_only_where_they_are_set() -> None:
    spec = {
        **SPEC,
        "context": {**SPEC["context"], "mode": "Retrieve"},
        "answering": {"noAnswerText": "No idea.", "citations": False},
        "fallbacks": [{"provider": "Embedded"}],
    }
    assistant = an_assistant(**spec)
    settings = json.loads(revision_data(assistant, resolve(assistant, {}))["settings.json"])
    plain = json.loads(revision_data(an_assistant(**SPEC), resolve(assistant, {}))["settings.json"])

    assert settings["contextMode"] == "Retrieve"
    assert settings["answering"] == {"noAnswerText": "No idea.", "citations": False}
    assert set(settings) - set(plain) == {"contextMode", "answering", "fallbacks"}


def test_fallbacks_stand_in_the_settings_where_there_are_some() -> None:
    assistant = an_assistant(**{**SPEC, "fallbacks": [{"provider": "Embedded"}]})
    settings = json.loads(revision_data(assistant, resolve(assistant, {}))["settings.json"])

    [fallback] = settings["fallbacks"]
    assert set(fallback) == set(settings["model"])
    assert fallback["name"] == "smollm2-135m-instruct"


def test_a_revision_without_fallbacks_has_the_name_that_it_always_had() -> None:
    """Another name would restart every pod of the cluster."""
    assert the_revision(an_assistant()).id == "2032ad80f5"
    assert the_revision(an_assistant(fallbacks=[])).id == "2032ad80f5"
    named = an_assistant(model=OPENAI, instructions="Be brief.")
    assert the_revision(named).id == "4da86df434"


def test_every_text_is_a_file_of_its_own() -> None:
    assistant = an_assistant(**SPEC)
    data = revision_data(assistant, resolve(assistant, {}))

    assert set(data) == {"settings.json", "context.cv.md", "context.prices.md"}
    assert data["context.cv.md"] == "Ada"


def test_the_config_map_is_immutable_and_named_by_its_content() -> None:
    assistant = an_assistant(**SPEC)
    files = resolve(assistant, {})
    revision = build_revision(assistant, files)
    config_map = build_config_map(assistant, revision, files)

    assert config_map["immutable"] is True
    assert config_map["metadata"]["name"] == f"ada-{revision.id}"
    assert config_map["metadata"]["labels"]["virtualassistant.dev/revision"] == revision.id
    assert config_map["data"] == revision_data(assistant, files)


def test_a_key_is_never_in_a_revision_nor_is_its_place() -> None:
    assistant = an_assistant(**SPEC)
    assert "apiKey" not in str(revision_data(assistant, resolve(assistant, {})))


def test_a_revision_tells_sizes_and_digests() -> None:
    revision = the_revision(an_assistant(**SPEC))

    assert len(revision.id) == 10
    assert revision.bytes == len("Ada12 EUR")
    assert [name for name, _ in revision.files] == ["cv.md", "prices.md"]


CHANGES = {
    "a text": ("context.files.0.inline", "Ada."),
    "a file's name": ("context.files.0.name", "ada.md"),
    "the order of the files": ("context.files", SPEC["context"]["files"][::-1]),
    "one file less": ("context.files", SPEC["context"]["files"][:1]),
    "the instructions": ("instructions", "Answer in French."),
    "the mode of the context": ("context.mode", "Full"),
    "what is said without an answer": ("answering", {"noAnswerText": "No."}),
    "whether lines are named": ("answering", {"citations": False}),
    "no instructions": ("instructions", None),
    "the model": ("model.name", "gpt-5"),
    "the endpoint": ("model.baseURL", "http://y/v1"),
    "no endpoint": ("model.baseURL", None),
    "the Secret": ("model.apiKeySecretRef.name", "other"),
    "the key of the Secret": ("model.apiKeySecretRef.key", "other"),
    "no key": ("model.apiKeySecretRef", None),
    "a private CA": ("model.caConfigMapRef", {"name": "corporate", "key": "ca.crt"}),
    "the window": ("model.contextWindow", 90_000),
    "the answer's length": ("model.maxTokens", 101),
    "the temperature": ("model.temperature", 0),
    "no temperature": ("model.temperature", None),
    "the time limit": ("model.timeoutSeconds", 31),
    "a fallback": ("fallbacks", [OPENAI]),
    "another fallback": ("fallbacks", [{}]),
}


@pytest.mark.parametrize(("path", "value"), CHANGES.values(), ids=CHANGES)
def test_any_change_of_what_answers_are_made_from_is_another_revision(
    path: str, value: Any
) -> None:
    before, after = an_assistant(**SPEC), an_assistant(**changed(path, value))
    assert the_revision(before).id != the_revision(after).id


def test_which_model_has_which_ca_counts() -> None:
    def with_ca(**ref: str) -> dict[str, Any]:
        return {**OPENAI, "caConfigMapRef": {"name": "corporate", "key": "ca.crt", **ref}}

    models = [
        (OPENAI, OPENAI),
        (with_ca(), OPENAI),
        (OPENAI, with_ca()),
        (with_ca(), with_ca()),
        (with_ca(name="other"), OPENAI),
        (with_ca(key="other"), OPENAI),
    ]
    ids = {the_revision(an_assistant(model=one, fallbacks=[two])).id for one, two in models}
    assert len(ids) == len(models)


OTHER_KEY = {**OPENAI, "apiKeySecretRef": {"name": "other", "key": "apiKey"}}
KEYLESS = {"name": "gpt-5-mini", "baseURL": "http://x/v1"}


@pytest.mark.parametrize(
    "fallbacks",
    [[OPENAI, KEYLESS], [KEYLESS, OPENAI], [OTHER_KEY, KEYLESS], [OPENAI], [OPENAI, OPENAI]],
)
def test_which_fallback_has_which_key_counts(fallbacks: list[dict[str, Any]]) -> None:
    base = the_revision(an_assistant(**SPEC, fallbacks=[OPENAI, OTHER_KEY]))
    assert the_revision(an_assistant(**SPEC, fallbacks=fallbacks)).id != base.id


SAME: dict[str, dict[str, Any]] = {
    "replicas": {"replicas": 5},
    "suspend": {"suspend": True},
    "the Service": {"service": {"type": "ClusterIP", "port": 8080}},
    "resources": {"resources": {"requests": {"cpu": "1"}}},
    "limits": {"limits": {"requestsPerMinute": 5}},
    "a budget": {"budget": {"tokensPerDay": 5000}},
    "who may ask": {"auth": {"tokenSecretRef": {"name": "t", "key": "k"}}},
    "line ends": {"context": {"files": [{"name": "cv.md", "inline": "A\r\nb"}]}},
}


@pytest.mark.parametrize("spec", SAME.values(), ids=SAME)
def test_what_answers_are_not_made_from_changes_no_revision(spec: dict[str, Any]) -> None:
    base = {**SPEC, "context": {"files": [{"name": "cv.md", "inline": "A\nb"}]}}
    assert the_revision(an_assistant(**{**base, **spec})) == the_revision(an_assistant(**base))


texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1).filter(
    lambda text: normalise(text).strip()
)


@given(texts, texts)
def test_two_texts_have_one_revision_only_where_they_are_equal(one: str, two: str) -> None:
    first, second = an_assistant(text=one), an_assistant(text=two)
    equal = resolve(first, {}) == resolve(second, {})
    assert (the_revision(first).id == the_revision(second).id) == equal


@given(texts)
def test_whose_the_text_is_does_not_matter(text: str) -> None:
    mine, other = an_assistant(text=text), an_assistant("bob", uid="other", text=text)
    assert the_revision(mine) == the_revision(other)
