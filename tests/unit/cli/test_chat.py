"""`va chat`, in a terminal and in a pipe."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING

import pexpect
import pytest

from support.assistant_stub import SECONDS, AssistantStub, Reply
from support.cli_run import NOWHERE, FakeCluster, run_va

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Start = Callable[..., "pexpect.spawn[str]"]

PASTE_BEGINS, PASTE_ENDS = "\x1b[200~", "\x1b[201~"
CTRL_C, CTRL_D = "\x03", "\x04"


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start `va chat` in a terminal of its own."""
    started: list[pexpect.spawn[str]] = []

    def chat(*arguments: str) -> pexpect.spawn[str]:
        child = pexpect.spawn(
            sys.executable,
            ["-m", "va_cli", "chat", *arguments],
            env={
                "TERM": "xterm",
                "PROMPT_TOOLKIT_NO_CPR": "1",
                "LANG": "C.UTF-8",
                "HOME": "/",
                "XDG_STATE_HOME": str(tmp_path),
            },
            encoding="utf-8",
            timeout=SECONDS,
            dimensions=(30, 100),
        )
        started.append(child)
        return child

    yield chat
    for child in started:
        child.close(force=True)


def ready(child: pexpect.spawn[str], stub: AssistantStub) -> None:
    """Wait for the prompt; what follows may be typed."""
    child.expect_exact(f"127.0.0.1:{stub.port}>")


def end_of(child: pexpect.spawn[str]) -> int | None:
    child.expect(pexpect.EOF)
    child.close()
    return child.exitstatus


def test_questions_and_answers_until_ctrl_d(start: Start, stub: AssistantStub) -> None:
    child = start("--url", stub.url)
    child.expect_exact("/help lists the commands")
    for question in ("one", "two"):
        ready(child, stub)
        child.send(f"{question}\r")
        child.expect_exact("Ada works at the Analytical Engine.")
    ready(child, stub)
    child.send(CTRL_D)
    assert end_of(child) == 0
    assert stub.questions == ["one", "two"]


def test_ctrl_c_stops_the_answer_and_not_the_chat(start: Start, stub: AssistantStub) -> None:
    stub.script.append(Reply(pieces=("It began", " and goes on"), hold=threading.Event()))
    child = start("--url", stub.url)
    ready(child, stub)
    child.send("one\r")
    child.expect_exact("It began")
    child.send(CTRL_C)
    child.expect_exact("stopped")
    ready(child, stub)
    child.send("/retry\r")
    child.expect_exact("Ada works at the Analytical Engine.")
    ready(child, stub)
    child.send("half a line" + CTRL_C)
    ready(child, stub)
    child.send("/exit\r")
    assert end_of(child) == 0
    assert stub.questions == ["one", "one"]


def test_a_question_is_kept_until_the_server_is_back(start: Start) -> None:
    with AssistantStub() as first:
        child = start("--url", first.url)
        ready(child, first)
    child.send("are you there?\r")
    child.expect_exact("waiting: connection refused")
    child.expect_exact("trying again in")
    with AssistantStub(port=first.port) as second:
        child.expect_exact("Ada works at the Analytical Engine.")
        ready(child, second)
        child.send(CTRL_D)
        assert end_of(child) == 0
        assert second.questions == ["are you there?"]


def test_ctrl_c_gives_the_waiting_up(start: Start) -> None:
    child = start("--url", NOWHERE)
    child.expect_exact("127.0.0.1:9>")
    child.send("are you there?\r")
    child.expect_exact("trying again in")
    child.send(CTRL_C)
    child.expect_exact("stopped")
    child.expect_exact("127.0.0.1:9>")
    child.send(CTRL_D)
    assert end_of(child) == 0


def test_a_failure_is_told_and_the_chat_goes_on(start: Start, stub: AssistantStub) -> None:
    stub.script.append(Reply(pieces=("It began",), cut=True))
    child = start("--url", stub.url)
    ready(child, stub)
    child.send("one\r")
    child.expect_exact("It began")
    child.expect_exact("AnswerCut")
    ready(child, stub)
    for unknown in ("/frob", "/Exit now", "/exit now", "/switch", "/switch a b", "/new please"):
        child.send(f"{unknown}\r")
        child.expect_exact("no such command")
        child.expect_exact("/help")
        ready(child, stub)
    assert stub.questions == ["one"]
    child.send("/switch bob\r")
    child.expect_exact("not by both")
    ready(child, stub)
    for question in ("/etc/passwd is what?", " /help is what?"):
        child.send(f"{question}\r")
        child.expect_exact("Ada works at the Analytical Engine.")
        ready(child, stub)
    assert stub.questions == ["one", "/etc/passwd is what?", "/help is what?"]


def test_pasted_lines_are_one_question(start: Start, stub: AssistantStub) -> None:
    child = start("--url", stub.url)
    ready(child, stub)
    child.send(f"{PASTE_BEGINS}first line\nsecond line{PASTE_ENDS}")
    child.expect_exact("second line")
    child.send("\r")
    child.expect_exact("Ada works at the Analytical Engine.")
    assert stub.questions == ["first line\nsecond line"]


def test_the_history_holds_the_questions_of_the_session(start: Start, stub: AssistantStub) -> None:
    child = start("--url", stub.url)
    ready(child, stub)
    child.send("one\r")
    child.expect_exact("Ada works at the Analytical Engine.")
    ready(child, stub)
    child.send("\x1b[A\r")
    child.expect_exact("Ada works at the Analytical Engine.")
    assert stub.questions == ["one", "one"]


def test_tab_completes_commands(start: Start, stub: AssistantStub) -> None:
    child = start("--url", stub.url)
    ready(child, stub)
    child.send("/ret\t")
    # Only what is missing is written anew.
    child.expect(r"ry")
    child.send("\r")
    child.expect_exact("nothing was asked yet")
    ready(child, stub)
    child.send(CTRL_D)
    assert end_of(child) == 0
    assert stub.questions == []


def test_help_names_the_commands(start: Start, stub: AssistantStub) -> None:
    child = start("--url", stub.url)
    ready(child, stub)
    child.send("/help\r")
    for command in ("/retry", "/sources", "/new", "/switch NAME", "/help", "/exit"):
        child.expect_exact(command)


def test_a_chat_is_understood_from_what_was_said_until_new(
    start: Start, stub: AssistantStub
) -> None:
    child = start("--url", stub.url)
    for line in ("one", "two", "/retry", "/new", "three"):
        ready(child, stub)
        child.send(f"{line}\r")
        what = "a new conversation" if line == "/new" else "Ada works at the Analytical Engine."
        child.expect_exact(what)
    ready(child, stub)
    told = [(asked.question, [text for _, text in asked.history]) for asked in stub.asked]
    first = ["one", "Ada works at the Analytical Engine."]
    assert told == [("one", []), ("two", first), ("two", first), ("three", [])]


def test_new_forgets_what_is_kept_too(start: Start, stub: AssistantStub) -> None:
    child = start("--url", stub.url)
    for line, what in (("one", "Ada works at the Analytical Engine."), ("/new", "a new convers")):
        ready(child, stub)
        child.send(f"{line}\r")
        child.expect_exact(what)
    ready(child, stub)
    child.send(CTRL_D)
    assert end_of(child) == 0
    child = start("-c", "--url", stub.url)
    child.expect_exact("no conversation with")
    ready(child, stub)


def test_a_chat_that_goes_on_has_the_questions_on_the_arrow_keys(
    start: Start, stub: AssistantStub
) -> None:
    for arguments, typed in (((), "one"), (("-c",), "\x1b[A")):
        child = start("--url", stub.url, *arguments)
        ready(child, stub)
        child.send(f"{typed}\r")
        child.expect_exact("Ada works at the Analytical Engine.")
        ready(child, stub)
    assert stub.questions == ["one", "one"]
    assert stub.asked[1].history[0] == ("user", "one")


def test_the_sources_of_the_last_answer_are_shown_in_full(
    start: Start, stub: AssistantStub
) -> None:
    text = "Ada works at the Engine, " + "and so on, " * 20 + "in London."
    sources = [{"file": "cv.md", "line": 5, "text": text}]
    stub.usual = Reply(about={"sources": sources, "madeBy": "Passages"})
    child = start("--url", stub.url)
    ready(child, stub)
    child.send("/sources\r")
    child.expect_exact("there is no answer yet that names its lines")
    ready(child, stub)
    child.send("one\r")
    child.expect_exact("[1] cv.md:5  Ada works")
    child.expect_exact("…")
    ready(child, stub)
    child.send("/sources\r")
    child.expect_exact("[1] cv.md:5  Ada works")
    child.expect_exact("in London.")
    ready(child, stub)
    stub.usual = Reply(about={"nearest": sources, "madeBy": "NoAnswer"})
    child.send("two\r")
    child.expect_exact("Lines that may help:")
    ready(child, stub)
    child.send("/sources\r")
    child.expect_exact("Lines that may help:")
    child.expect_exact("in London.")


def test_in_a_pipe_each_line_is_a_question(cluster: FakeCluster, stub: AssistantStub) -> None:
    run = run_va("chat", "ada", piped="one\n\n/help\ntwo", cluster=cluster)
    assert (run.code, run.err) == (0, "")
    assert run.out == "Ada works at the Analytical Engine.\n" * 3
    assert stub.questions == ["one", "/help", "two"]


def test_in_a_pipe_the_first_failure_decides_and_the_rest_is_asked(stub: AssistantStub) -> None:
    stub.script.extend([Reply(refusal=(502, "KeyRefused", "401")), Reply(cut=True, pieces=())])
    run = run_va("chat", "--url", stub.url, piped=b"one\n\xff\ntwo\nthree\n")
    assert run.code == 5
    assert run.out == "Ada works at the Analytical Engine.\n"
    assert run.err.count("Error:") == 3
    assert stub.questions == ["one", "two", "three"]


def test_in_a_pipe_an_unready_server_is_waited_for_until_the_timeout() -> None:
    run = run_va("chat", "--url", NOWHERE, "--timeout", "300ms", piped="one\n")
    assert run.code == 3
    assert run.err.startswith("va: waiting: connection refused\nError: ")


def test_in_a_pipe_what_was_waited_for_in_vain_is_not_waited_for_again(
    stub: AssistantStub,
) -> None:
    stub.usual = Reply(refusal=(503, "TooBusy", "all threads answer"), retry_after=0)
    run = run_va("chat", "--url", stub.url, "--timeout", "300ms", piped="one\ntwo\nthree\n")
    assert run.code == 3
    assert run.err.count("waiting: TooBusy") == 1
    assert run.err.count("Error:") == 3
    assert (stub.questions.count("two"), stub.questions.count("three")) == (1, 1)


def test_a_way_that_is_gone_is_replaced(cluster: FakeCluster, stub: AssistantStub) -> None:
    """The first answer came from an address that the second question finds empty."""
    with AssistantStub() as other:
        cluster.proxy_url = other.url
        questions = iter(["one", "two"])

        class Lines:
            def read(self, label: str) -> str:
                question = next(questions, None)
                if question is None:
                    raise EOFError
                if question == "two":
                    stub.close()
                return question

        import io

        from va_cli.asking import Asker
        from va_cli.assistants import parse_assistant
        from va_cli.conversation import Conversation
        from va_cli.finding import ClusterFinder
        from va_cli.footnotes import Look
        from va_cli.memory import Memory
        from va_cli.terminal import Notes
        from va_cli.transcript import Transcript

        out, err = io.StringIO(), io.StringIO()
        notes = Notes(err, verbose=True, lively=False)
        finder = ClusterFinder(cluster, parse_assistant(cluster.items[0]), notes)
        code = Conversation(
            asker=Asker(finder, notes),
            transcript=Transcript(target=finder.target, memory=Memory(None), notes=notes),
            look=Look(),
            lines=Lines(),
            out=out,
            notes=notes,
            tell=lambda failure: notes.say(failure.why),
            switch=lambda name: Asker(finder, notes),
            timeout=SECONDS,
            interactive=False,
        ).run()
        assert (code, stub.questions, other.questions) == (0, ["one"], ["two"])
        assert "asking through the API server's service proxy" in err.getvalue()
