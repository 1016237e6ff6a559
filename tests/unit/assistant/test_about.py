"""What an assistant says of itself."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from va_assistant.about import (
    MAX_EXAMPLE_CHARACTERS,
    MAX_EXAMPLES,
    about,
    example_questions,
    name_of_pod,
)
from va_assistant.revision import ContextFile, Provider, Revision, model_settings


def questions(*texts: str) -> list[str]:
    files = [ContextFile(name=f"{index}.md", text=text) for index, text in enumerate(texts)]
    return list(example_questions(files))


def test_about_names_the_assistant_its_model_its_revision_and_its_files() -> None:
    model = model_settings(provider=Provider.OPENAI, name="gpt-5-mini", base_url=None)
    files = (ContextFile(name="cv.md", text="# Work\nAda builds bridges.\n"),)
    revision = Revision(name="3f2a91c0de", instructions="Be brief.", files=files, model=model)
    assert about(revision, name="ada") == {
        "name": "ada",
        "model": "gpt-5-mini",
        "revision": "3f2a91c0de",
        "files": ["cv.md"],
        "examples": ["Work?"],
    }


@pytest.mark.parametrize(
    ("pod", "name"),
    [
        ("ada-7c9f4d8b6f-x2k4z", "ada"),
        ("my-price-list-9b8d7c-zzzzz", "my-price-list"),
        (f"{'a' * 46}-7c9f4d8b6f-x2k4z", "a" * 46),
        # The hash is cut where the name is longer, or gone.
        (f"{'a' * 47}-7c9f4d8b6fx2k4z", ""),
        (f"{'a' * 50}-bcdf-x2k4z", ""),
        ("my-laptop", ""),
        ("ada-0", ""),
        ("fedora.example.org", ""),
        ("", ""),
    ],
)
def test_a_pod_knows_its_assistant_by_its_own_name(pod: str, name: str) -> None:
    assert name_of_pod(pod) == name


@pytest.mark.parametrize(
    ("heading", "question"),
    [
        ("# Opening hours", "Opening hours?"),
        ("## How do I return a lamp?", "How do I return a lamp?"),
        ("### 2.3 Holidays ###", "Holidays?"),
        ("# 3) Prices:", "Prices?"),
        ("# **Work** and _life_", "Work and life?"),
        ("# The `va_ask` command", "The va_ask command?"),
        ("# [Contact](https://example.org/#a)", "Contact?"),
        ("# Öffnungszeiten", "Öffnungszeiten?"),
        ("# ساعات العمل", "ساعات العمل?"),
        ("# 営業時間は？", "営業時間は？"),  # noqa: RUF001
        ("Opening hours\n=============", "Opening hours?"),
        ("Opening hours\n---", "Opening hours?"),
    ],
)
def test_a_heading_becomes_a_question(heading: str, question: str) -> None:
    assert questions(f"{heading}\n\nFrom nine to five.\n") == [question]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Ada builds bridges.\nShe lives in Bergen.\n",
        "#hashtag\n",
        "#\n##\n",
        "# ***\n",
        "# 2024\n",
        "```sh\n# a comment\nmake\n```\n",
        "~~~\n```\n# a comment\n~~~\n",
        "- one\n- two\n---\n",
        "A paragraph.\n\n---\n",
        "# " + "long " * 20 + "\n",
        "# with a \x1b[31mcode\n",
    ],
)
def test_what_is_no_heading_makes_no_question(text: str) -> None:
    assert questions(text) == []


def test_a_title_is_asked_about_only_where_nothing_stands_below_it() -> None:
    assert questions("# Ada Marlowe\n## Work\n## Music\n") == ["Work?", "Music?"]
    assert questions("# Ada Marlowe\nA bridge engineer.\n") == ["Ada Marlowe?"]
    assert questions("# Work\n# Music\n") == ["Work?", "Music?"]


def test_each_file_has_its_say_and_nothing_is_said_twice() -> None:
    assert questions("# A1\n# A2\n# A3\n", "# B1\n# a1\n", "# C1") == [
        "A1?", "B1?", "C1?", "A2?", "A3?",
    ]  # fmt: skip


@given(st.lists(st.text(st.sampled_from("#-= `~*a1.\n\t?[]()"), max_size=80), max_size=3))
def test_whatever_the_texts_are_questions_are_few_and_short(texts: list[str]) -> None:
    made = questions(*texts)
    assert len(made) <= MAX_EXAMPLES
    assert all(0 < len(question) <= MAX_EXAMPLE_CHARACTERS for question in made)
    assert all(question.isprintable() for question in made)


@pytest.mark.parametrize(
    "line", ["# " + " " * 99_990, "#" * 100_000, "# " + "[" * 99_998, "# a" + "\n---" * 25_000]
)
def test_a_hostile_text_takes_no_long_look(line: str) -> None:
    began = time.process_time()
    questions(line)
    assert time.process_time() - began < 0.5
