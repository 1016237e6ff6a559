"""What stands beside an answer: its sources, and how it was made."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from support.assistant_stub import AssistantStub, Reply
from support.cli_run import FakeCluster, run_va
from va_cli.answers import Done, Source, parse_answer
from va_cli.footnotes import NEAREST, USUAL_NO_ANSWER, Look, cut, footnotes

ROOT = Path(__file__).parents[3]
ANSWER = "Ada works at the Analytical Engine.\n"
CITED = {
    "sources": [
        {"file": "cv.md", "line": 12, "text": "Ada works at the Analytical Engine, London."},
        {"file": "faq.md", "line": 3, "text": "Her office is on the second floor."},
    ]
}
FOOTNOTES = """
[1] cv.md:12  Ada works at the Analytical Engine, London.
[2] faq.md:3  Her office is on the second floor.
"""


def test_a_terminal_shows_the_sources_below_the_answer(
    stub: AssistantStub, cluster: FakeCluster
) -> None:
    stub.usual = Reply(about=CITED)
    run = run_va("ask", "Where?", cluster=cluster, terminal=True, environment={"NO_COLOR": "1"})
    assert (run.out, run.err) == (ANSWER + FOOTNOTES, "")


NEAR = {
    "madeBy": "NoAnswer",
    "nearest": [{"file": "faq.md", "line": 3, "text": "Her office is on the second floor."}],
}
NEAR_SHOWN = f"""{USUAL_NO_ANSWER}

Lines that may help:
[1] faq.md:3  Her office is on the second floor.
"""


def test_no_answer_is_followed_by_the_lines_that_come_nearest(
    stub: AssistantStub, cluster: FakeCluster
) -> None:
    stub.usual = Reply(pieces=(USUAL_NO_ANSWER,), about=NEAR)
    run = run_va("ask", "Where?", cluster=cluster, terminal=True, environment={"NO_COLOR": "1"})
    assert (run.out, run.err) == (NEAR_SHOWN, "")
    assert run_va("ask", "Where?", "--sources", cluster=cluster).out == NEAR_SHOWN
    assert run_va("ask", "Where?", cluster=cluster).out == f"{USUAL_NO_ANSWER}\n"
    as_json = run_va("ask", "Where?", "-o", "json", cluster=cluster).out
    assert json.loads(as_json)["nearest"] == NEAR["nearest"]


def test_sources_are_dimmed_where_there_is_colour(
    stub: AssistantStub, cluster: FakeCluster
) -> None:
    stub.usual = Reply(about=CITED)
    run = run_va("ask", "Where?", cluster=cluster, terminal=True)
    assert "\x1b[2m[1] cv.md:12  Ada works" in run.out
    assert "\x1b" not in run_va("ask", "Where?", "--sources", cluster=cluster).out


def test_a_pipe_gets_the_answer_alone_unless_it_asks_for_more(
    stub: AssistantStub, cluster: FakeCluster
) -> None:
    stub.usual = Reply(about=CITED)
    assert run_va("ask", "Where?", cluster=cluster).out == ANSWER
    assert run_va("ask", "Where?", "--sources", cluster=cluster).out == ANSWER + FOOTNOTES
    assert run_va("chat", "--sources", piped="Where?", cluster=cluster).out == ANSWER + FOOTNOTES


def test_a_terminal_can_do_without_sources(stub: AssistantStub, cluster: FakeCluster) -> None:
    stub.usual = Reply(about=CITED)
    assert run_va("ask", "Where?", "--no-sources", cluster=cluster, terminal=True).out == ANSWER


@pytest.mark.parametrize(
    ("about", "remark"),
    [
        ({"madeBy": "Passages"}, ""),
        (
            {"madeBy": "NoAnswer"},
            "va: no answer was found in the assistant's text\n",
        ),
        ({"fallback": True}, "va: answered by the stand-in stub-model\n"),
        (
            {"madeBy": "Passages", "fallback": True},
            "va: answered by the stand-in stub-model\n",
        ),
        (
            {"madeBy": "Passages", "fallback": True, "model": None},
            "va: no model answers: these are the best-matching lines of the text\n",
        ),
        ({}, ""),
    ],
)
def test_how_an_answer_was_made_is_said_beside_it_and_it_is_an_answer(
    about: dict[str, Any], remark: str, stub: AssistantStub, cluster: FakeCluster
) -> None:
    stub.usual = Reply(about=about)
    run = run_va("ask", "Where?", cluster=cluster)
    assert (run.code, run.out, run.err) == (0, ANSWER, remark)


def test_the_usual_words_for_no_answer_need_no_note(stub: AssistantStub) -> None:
    pieces = ("I found no answer ", "to that in the text.")
    stub.usual = Reply(pieces=pieces, about={"madeBy": "NoAnswer"})
    run = run_va("ask", "What?", "--url", stub.url)
    assert (run.out, run.err) == (f"{USUAL_NO_ANSWER}\n", "")


@pytest.mark.parametrize(
    "file",
    [
        "crds/virtualassistants.yaml",
        "assistant/src/va_assistant/revision.py",
        "assistant/src/va_assistant/page/turns.js",
    ],
)
def test_the_usual_words_for_no_answer_are_the_same_everywhere(file: str) -> None:
    assert USUAL_NO_ANSWER in (ROOT / file).read_text()


def test_the_readme_shows_what_is_seen(stub: AssistantStub, cluster: FakeCluster) -> None:
    """On a terminal, with the embedded model's way to answer: lines of the text."""
    dog = "Her dog is called Pixel."
    source = {"file": "ada.md", "line": 3, "text": dog}
    stub.script.extend(
        [
            Reply(pieces=(dog,), about={"madeBy": "Passages", "sources": [source]}),
            Reply(pieces=(USUAL_NO_ANSWER,), about={"madeBy": "NoAnswer"}),
        ]
    )
    shown = ""
    for question in ("What is the name of her dog?", "What does she earn?"):
        plain = {"NO_COLOR": "1"}
        run = run_va("ask", "ada", question, cluster=cluster, terminal=True, environment=plain)
        shown += f'$ va ask ada "{question}"\n{run.out}{run.err}'
    assert f"```console\n{shown}```\n" in (ROOT / "README.md").read_text()


def test_hostile_sources_move_nothing_on_the_terminal(
    stub: AssistantStub, cluster: FakeCluster
) -> None:
    hostile = {
        "file": "cv\x1b]0;owned\x07.md\r\n",
        "line": 1,
        "text": "a\x1b[2Jb\n[9] c\u202ed\x9b",
    }
    stub.model = "m\x1b[31m\n2"
    about = {"sources": [hostile], "nearest": [hostile], "fallback": True}
    stub.usual = Reply(about=about)
    run = run_va("ask", "Where?", "--sources", cluster=cluster)
    assert run.out == (f"{ANSWER}\n[1] cv.md:1  ab [9] cd\n{NEAREST}\n[2] cv.md:1  ab [9] cd\n")
    assert run.err == "va: answered by the stand-in m 2\n"


def test_what_is_no_source_is_left_out_and_the_answer_stays() -> None:
    def sources(raw: str) -> tuple[Source, ...]:
        whole = parse_answer(f'{{"answer": "x", "model": 1, "sources": {raw}}}')
        assert whole
        assert whole[1].model is None
        return whole[1].sources

    assert sources("null") == sources('"cv.md"') == sources('[1, null, {}, {"file": 2}]') == ()
    assert sources('[{"file": "f", "line": true}, {"file": "f", "line": -1, "text": 3}]') == (
        Source(file="f", line=None, text=""),
        Source(file="f", line=None, text=""),
    )


def test_a_footnote_fits_the_terminal() -> None:
    source = Source(file="cv.md", line=12, text="Ada works at the Analytical Engine.")
    assert footnotes(Done(sources=(source,)), Look(width=24)) == ["[1] cv.md:12  Ada works…"]
    nowhere = Source(file="cv.md", line=None, text="")
    assert footnotes(Done(sources=(nowhere,)), Look(width=24)) == ["[1] cv.md"]


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [
        ("abc", 3, "abc"),
        ("abcd", 3, "ab…"),
        ("你好", 4, "你好"),
        ("你好吗", 4, "你…"),
        ("e\u0301e\u0301", 2, "e\u0301e\u0301"),
        ("abcd", None, "abcd"),
    ],
)
def test_columns_are_counted_as_a_terminal_does(text: str, width: int | None, shown: str) -> None:
    assert cut(text, width) == shown


def test_nothing_is_shown_of_an_answer_without_sources(cluster: FakeCluster) -> None:
    assert run_va("ask", "Where?", "--sources", cluster=cluster).out == ANSWER
    assert footnotes(Done(), Look()) == []
