"""From references to text: every reason and its words."""

import time
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.builders import a_config_map, an_assistant, referring
from va_operator.context import (
    MARKS_IN_A_ROW,
    MAX_BYTES,
    fewest_tokens,
    longest_run_of_marks,
    normalise,
    resolve,
)
from va_operator.errors import ContextError


def test_inline_and_referred_texts_keep_their_order() -> None:
    files = [referring("ada-cv")["files"][0], {"name": "b.md", "inline": "B"}]
    resolved = resolve(an_assistant(context={"files": files}), {"ada-cv": a_config_map()})

    assert [(file.name, file.text) for file in resolved] == [
        ("ada-cv.md", "Ada works in Bergen."),
        ("b.md", "B"),
    ]


def test_a_file_tells_its_size_in_utf_8_and_its_digest() -> None:
    [file] = resolve(an_assistant(text="Bodø"), {})
    assert file.bytes == 5
    assert file.digest == sha256("Bodø".encode()).hexdigest()[:12]


def test_an_empty_file_is_fine_beside_one_with_text() -> None:
    files = [{"name": "a", "inline": ""}, {"name": "b", "inline": "B"}]
    assert len(resolve(an_assistant(context={"files": files}), {})) == 2


def whole(text: str) -> dict[str, Any]:
    """Return a context that must go to the model as a whole."""
    return {"files": [{"name": "ada.md", "inline": text}], "mode": "Full"}


REFUSED: dict[str, tuple[dict[str, Any], dict[str, Any], str, str]] = {
    "the ConfigMap does not exist": (
        {"context": referring("ada-cv")},
        {"ada-cv": None},
        "ContextNotFound",
        "`spec.context.files[0]` must refer to a ConfigMap that exists: 'ada-cv' does not",
    ),
    "the second ConfigMap does not exist": (
        {"context": referring("ada-cv", "gone")},
        {"ada-cv": a_config_map(), "gone": None},
        "ContextNotFound",
        "`spec.context.files[1]` must refer to a ConfigMap that exists: 'gone' does not",
    ),
    "the key does not exist": (
        {"context": referring("ada-cv", key="x")},
        {"ada-cv": a_config_map(data={"b": "", "a": ""})},
        "ContextKeyNotFound",
        (
            "`spec.context.files[0]` must refer to a key of ConfigMap 'ada-cv': 'x' is not one, "
            "its keys are 'a', 'b'"
        ),
    ),
    "the ConfigMap has no keys at all": (
        {"context": referring("ada-cv", key="x")},
        {"ada-cv": {**a_config_map(), "data": None}},
        "ContextKeyNotFound",
        (
            "`spec.context.files[0]` must refer to a key of ConfigMap 'ada-cv': 'x' is not one, "
            "its keys are none"
        ),
    ),
    "a text holds a NUL": (
        {"context": referring("ada-cv", key="x")},
        {"ada-cv": a_config_map(data={"x": "a\0b"})},
        "ContextNotText",
        (
            "`spec.context.files[0]` must be UTF-8 text: "
            "key 'x' of ConfigMap 'ada-cv' has a NUL character"
        ),
    ),
    "the key is binary": (
        {"context": referring("ada-cv")},
        {"ada-cv": {**a_config_map(), "data": {}, "binaryData": {"cv.md": "AAE="}}},
        "ContextNotText",
        "`spec.context.files[0]` must be UTF-8 text: key 'cv.md' of ConfigMap 'ada-cv' is binary",
    ),
    "all files are empty": (
        {"text": " \n\t"},
        {},
        "ContextEmpty",
        "`spec.context.files` must hold some text: all files are empty",
    ),
    "the files do not fit a ConfigMap": (
        {"context": referring("ada-cv")},
        {"ada-cv": a_config_map(data={"cv.md": "x" * (MAX_BYTES + 1)})},
        "ContextTooLarge",
        "`spec.context.files` must together have at most 1000000 bytes; they have 1000001",
    ),
    "a text holds marks without an end": (
        {"text": "a" + "\u0301" * 31},
        {},
        "ContextNotText",
        (
            "`spec.context.files[0]` must be text that can be read: 'ada.md' has more than 30 "
            "combining marks in a row"
        ),
    ),
    "the words do not fit the embedded model": (
        {"context": whole("a " * 9000)},
        {},
        "ContextTooLarge",
        (
            "`spec.context.files` must fit the model's window of 8192 tokens: "
            "18000 bytes are at least 9000 tokens"
        ),
    ),
    "the words leave no room for the answer": (
        {"context": whole("a " * 500), "model": {"contextWindow": 512, "maxTokens": 100}},
        {},
        "ContextTooLarge",
        (
            "`spec.context.files` must fit the model's window of 512 tokens less 100 for the "
            "answer: 1000 bytes are at least 500 tokens"
        ),
    ),
    "the instructions count too": (
        {
            "context": whole("a " * 300),
            "instructions": "b " * 300,
            "model": {"contextWindow": 512},
        },
        {},
        "ContextTooLarge",
        (
            "`spec.context.files` must fit the model's window of 512 tokens: "
            "600 bytes are at least 600 tokens"
        ),
    ),
}


@pytest.mark.parametrize(
    ("spec", "config_maps", "reason", "message"), REFUSED.values(), ids=REFUSED
)
def test_a_context_that_cannot_be_used_is_named(
    spec: dict[str, Any], config_maps: dict[str, Any], reason: str, message: str
) -> None:
    with pytest.raises(ContextError) as refused:
        resolve(an_assistant(**spec), config_maps)
    assert (refused.value.reason, str(refused.value)) == (reason, message)


@pytest.mark.parametrize("mode", [{}, {"mode": "Auto"}, {"mode": "Retrieve"}])
def test_a_text_that_need_not_go_whole_may_be_larger_than_the_window(mode: dict[str, str]) -> None:
    assistant = an_assistant(context={"files": whole("a " * 9000)["files"], **mode})
    [file] = resolve(assistant, {})
    assert file.bytes == 18000


def test_a_megabyte_of_text_is_accepted_where_the_window_is_unknown() -> None:
    assistant = an_assistant(
        context=referring("ada-cv"), model={"name": "big", "baseURL": "http://x"}
    )
    [file] = resolve(assistant, {"ada-cv": a_config_map(data={"cv.md": "a " * (MAX_BYTES // 2)})})
    assert file.bytes == MAX_BYTES


@pytest.mark.parametrize(
    ("raw", "normal"),
    [
        ("a\r\nb\rc\n", "a\nb\nc\n"),
        ("\ufeffa", "a"),
        ("Bodo\u0308", "Bod\u00f6"),
        ("a\u200bb \u202eright to left", "a\u200bb \u202eright to left"),
        ("\r\r\n\n", "\n\n\n"),
    ],
)
def test_texts_that_look_alike_become_alike(raw: str, normal: str) -> None:
    assert normalise(raw) == normal


@pytest.mark.parametrize(
    ("text", "run"),
    [
        ("", 0),
        ("Bodø", 0),
        ("Bodo\u0308", 1),
        ("a\u0301\u0323b\u0301", 2),
        ("a" + "\u0f73" * 40, 40),  # No mark by its class, and two of them decomposed.
    ],
)
def test_marks_in_a_row_are_counted(text: str, run: int) -> None:
    assert longest_run_of_marks(text) == run


def test_as_many_marks_as_the_stream_safe_format_allows_are_fine() -> None:
    text = "a" + "\u0301" * MARKS_IN_A_ROW
    assert resolve(an_assistant(text=text), {})[0].text == normalise(text)


@pytest.mark.parametrize("size", [100_000, MAX_BYTES, 10 * MAX_BYTES])
def test_a_text_that_would_take_minutes_to_normalise_is_refused_in_a_moment(size: int) -> None:
    hostile = "a" + "\u0301" * (size // 5) + "\u0323" * (size // 5)
    assistant = an_assistant(context=referring("ada-cv"))
    begun = time.process_time()
    with pytest.raises(ContextError):
        resolve(assistant, {"ada-cv": a_config_map(data={"cv.md": hostile})})
    assert time.process_time() - begun < 1


@given(st.text())
def test_normalising_twice_changes_nothing_more(text: str) -> None:
    once = normalise(text.lstrip("\ufeff"))
    assert normalise(once) == once
    assert "\r" not in once


@given(st.text(), st.text())
def test_more_text_never_needs_fewer_tokens_by_more_than_a_seam(one: str, two: str) -> None:
    assert fewest_tokens(one + " " + two) >= max(fewest_tokens(one), fewest_tokens(two)) - 1


@given(st.text())
def test_there_are_never_more_tokens_than_bytes(text: str) -> None:
    assert fewest_tokens(text) <= len(text.encode())


@pytest.mark.parametrize(
    ("text", "at_most"),
    [
        ("", 0),
        ("word", 1),
        ("Ada works in Bergen.", 4),
        ("| Ada" + " " * 200 + "| Bergen |\n" + "-" * 400, 6),
        ("=" * 100_000, 1),
        ("\n" * 100_000, 0),
        ("മലയാളം" * 100, 100),
    ],
)
def test_the_lower_bound_of_tokens_is_below_what_tokenizers_need(text: str, at_most: int) -> None:
    assert fewest_tokens(text) <= at_most


def test_text_without_spaces_is_bounded_by_its_length() -> None:
    assert fewest_tokens("东京是日本的首都" * 1000) == 8000 // 16
