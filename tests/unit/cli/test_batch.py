"""`va ask -f`: the questions of a file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from support.assistant_stub import AssistantStub, Reply
from support.cli_run import NOWHERE, FakeCluster, run_va

if TYPE_CHECKING:
    from pathlib import Path

ANSWER = "Ada works at the Analytical Engine."
FILE = "\ufeff# asked by customers\n\n  Where does Ada work?\r\n   # later\nÄpfel?\x0b #1\n"
QUESTIONS = ["Where does Ada work?", "Äpfel?\x0b #1"]


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "questions.txt"
    path.write_bytes(FILE.encode())
    return str(path)


def test_each_line_is_a_question_and_each_answer_has_its_number(
    stub: AssistantStub, cluster: FakeCluster, file: str
) -> None:
    run = run_va("ask", "ada", "-f", file, piped="not this", cluster=cluster)
    assert (run.code, run.err) == (0, "")
    assert run.out == f"1. Where does Ada work?\n{ANSWER}\n\n2. Äpfel? #1\n{ANSWER}\n"
    assert stub.questions == QUESTIONS
    assert [asked.history for asked in stub.asked] == [(), ()]


def test_a_dash_is_the_standard_input(stub: AssistantStub, cluster: FakeCluster) -> None:
    assert run_va("ask", "-f", "-", piped=FILE, cluster=cluster).code == 0
    assert stub.questions == QUESTIONS


def test_a_url_needs_no_name(stub: AssistantStub, file: str) -> None:
    assert run_va("ask", "-f", file, "--url", stub.url).code == 0


def test_sources_stand_below_each_answer(
    stub: AssistantStub, cluster: FakeCluster, file: str
) -> None:
    stub.usual = Reply(about={"sources": [{"file": "cv.md", "line": 5, "text": "Ada"}]})
    out = run_va("ask", "-f", file, "--sources", cluster=cluster).out
    assert out.count(f"{ANSWER}\n\n[1] cv.md:5  Ada\n") == 2


def test_json_is_one_object_a_line_also_of_a_failure(
    stub: AssistantStub, cluster: FakeCluster, file: str
) -> None:
    stub.script.append(Reply(refusal=(502, "KeyRefused", "401")))
    run = run_va("ask", "-f", file, "--json", cluster=cluster)
    assert run.code == 5
    first, second = map(json.loads, run.out.splitlines())
    error = {"reason": "KeyRefused", "message": "401"}
    assert first == {"number": 1, "question": QUESTIONS[0], "error": error}
    assert second.items() >= {"number": 2, "question": QUESTIONS[1], "answer": ANSWER}.items()
    assert second.items() >= {"madeBy": "Model", "model": "stub-model", "assistant": "ada"}.items()


def test_after_a_failure_it_goes_on_and_the_worst_decides(
    stub: AssistantStub, cluster: FakeCluster
) -> None:
    stub.script.extend(
        [
            Reply(refusal=(502, "KeyRefused", "401")),
            Reply(refusal=(400, "InvalidQuestion", "NUL")),
            Reply(),
        ]
    )
    run = run_va("ask", "-f", "-", piped="one\ntwo\nthree", cluster=cluster)
    assert run.code == 5
    assert "va: question 1 has no answer:\nError: " in run.err
    assert "va: question 2 has no answer:\nError: " in run.err
    assert run.out == f"1. one\n\n2. two\n\n3. three\n{ANSWER}\n"


def test_an_assistant_that_is_asked_too_often_is_waited_for(
    stub: AssistantStub, cluster: FakeCluster, file: str
) -> None:
    stub.script.append(Reply(refusal=(429, "TooManyRequests", "60 a minute"), retry_after=0))
    run = run_va("ask", "-f", file, cluster=cluster)
    assert run.code == 0
    assert run.err == "va: waiting: TooManyRequests: 60 a minute\n"
    assert stub.questions == [QUESTIONS[0], *QUESTIONS]


def test_what_was_waited_for_in_vain_is_not_waited_for_again(file: str) -> None:
    run = run_va("ask", "-f", file, "--wait", "300ms", "--url", NOWHERE)
    assert run.code == 3
    assert run.err.count("waiting: connection refused") == 1
    assert run.err.count("Error:") == 2


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "has no line that is one"),
        (b"# only\n\n", "has no line that is one"),
        (b"one\n\xff\n", "must be UTF-8"),
        (b"one\n" + b"x" * 65537, "line 2 of the standard input must be at most 64 KiB"),
        (b"x\n" * 3 * 1024**2, "at most 4 MiB"),
    ],
)
def test_a_file_that_cannot_be_asked_is_refused_whole(
    content: bytes, why: str, cluster: FakeCluster
) -> None:
    run = run_va("ask", "-f", "-", piped=content, cluster=cluster)
    assert (run.code, run.out) == (2, "")
    assert why in run.error_lines[1]
    assert "nothing was sent" in run.error_lines[1]
    assert cluster.reads == []


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["-f", "/nonexistent"], "No such file"),
        (["-f", "/"], "Is a directory"),
        (["ada", "What?", "-f", "-"], "the questions are the file's lines"),
        (["ada", "-c", "-f", "-"], "stands for itself"),
        (["ada", "-o", "jsonl", "-f", "-"], "the stream of one answer"),
        (["ada", "What?", "-o", "jsonl", "--json"], "two formats"),
    ],
)
def test_what_does_not_go_together_is_refused(
    arguments: list[str], why: str, cluster: FakeCluster
) -> None:
    run = run_va("ask", *arguments, piped="one", cluster=cluster)
    assert run.code == 2
    assert why in run.error_lines[1]
    assert "nothing was sent" in run.error_lines[1]
    assert cluster.reads == []


def test_the_word_beside_a_file_is_the_name(cluster: FakeCluster, file: str) -> None:
    run = run_va("ask", "bob", "-f", file, cluster=cluster)
    assert (run.code, run.out) == (3, "")


def test_terminal_codes_of_a_question_are_not_shown(cluster: FakeCluster) -> None:
    out = run_va("ask", "-f", "-", piped="a\x1b[2Jb", cluster=cluster).out
    assert out.startswith("1. ab\n")
