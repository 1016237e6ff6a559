"""A conversation that goes on: what is sent, what is kept, and where."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from support.assistant_stub import AssistantStub, Reply
from support.cli_run import FakeCluster, Run, an_assistant, run_va
from va_assistant.questions import MAX_QUESTION_BYTES, MAX_TURNS, Form, parse_question
from va_cli.endpoints import Target
from va_cli.memory import MOST_CONVERSATIONS, Memory
from va_cli.settings import Settings
from va_cli.turns import Turn, fitting, with_exchange

ANSWER = "Ada works at the Analytical Engine."
ADA = Target(name="ada", namespace="default", uid="1")


@pytest.fixture
def state(tmp_path: Path) -> dict[str, str]:
    """Where conversations are kept."""
    return {"XDG_STATE_HOME": str(tmp_path / "state")}


def kept(state: dict[str, str]) -> list[Path]:
    return sorted(Path(state["XDG_STATE_HOME"], "virtual-assistant", "conversations").glob("*"))


def exchanges(*questions: str) -> tuple[tuple[str, str], ...]:
    """Return the turns of those questions, each answered as the stub does."""
    return tuple(turn for q in questions for turn in (("user", q), ("assistant", ANSWER)))


def test_a_question_goes_on_with_the_conversation_only_where_it_is_asked_to(
    stub: AssistantStub, cluster: FakeCluster, state: dict[str, str]
) -> None:
    def ask(*arguments: str) -> Run:
        return run_va("ask", "ada", *arguments, cluster=cluster, environment=state)

    ask("one")
    assert (ask("two", "-c").code, ask("three", "--continue").err) == (0, "")
    ask("four")
    ask("five", "-c", "--json")
    assert [asked.history for asked in stub.asked] == [
        (),
        exchanges("one"),
        exchanges("one", "two"),
        (),
        exchanges("four"),
    ]


def test_without_a_conversation_a_new_one_begins_and_says_so(
    stub: AssistantStub, cluster: FakeCluster, state: dict[str, str]
) -> None:
    run = run_va("ask", "ada", "one", "-c", cluster=cluster, environment=state)
    assert run.code == 0
    assert run.err == "va: no conversation with 'ada' is kept; this begins one\n"
    assert stub.asked[0].history == ()


def test_each_assistant_has_a_conversation_of_its_own(
    stub: AssistantStub, state: dict[str, str]
) -> None:
    cluster = FakeCluster([an_assistant(url=stub.url), an_assistant("bob", url=stub.url)])
    run_va("ask", "ada", "one", cluster=cluster, environment=state)
    run_va("ask", "two", "--url", stub.url, environment=state)
    run_va("ask", "bob", "three", "-c", cluster=cluster, environment=state)
    run_va("ask", "four", "-c", "--url", stub.url, environment=state)
    assert [asked.history for asked in stub.asked[2:]] == [(), exchanges("two")]
    assert len(kept(state)) == 3


def test_a_namesake_is_told_nothing_of_the_conversation(
    stub: AssistantStub, state: dict[str, str]
) -> None:
    """As after a deletion, or in another cluster."""
    first, second = an_assistant(url=stub.url), an_assistant(url=stub.url)
    second["metadata"]["uid"] = "another"
    run_va("ask", "ada", "one", cluster=FakeCluster([first]), environment=state)
    run_va("ask", "ada", "two", "-c", cluster=FakeCluster([second]), environment=state)
    assert stub.asked[1].history == ()


def test_what_is_kept_is_for_its_owner_alone(cluster: FakeCluster, state: dict[str, str]) -> None:
    before = os.umask(0)
    try:
        run_va("ask", "ada", "one", cluster=cluster, environment=state)
    finally:
        os.umask(before)
    (file,) = kept(state)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert "ada" not in file.name


def test_an_answer_that_is_not_whole_is_no_part_of_it(
    stub: AssistantStub, cluster: FakeCluster, state: dict[str, str]
) -> None:
    run_va("ask", "ada", "one", cluster=cluster, environment=state)
    stub.script.append(Reply(pieces=("Ada",), error_event=("ConnectionLost", "")))
    run_va("ask", "ada", "two", "-c", cluster=cluster, environment=state)
    run_va("ask", "ada", "three", "-c", cluster=cluster, environment=state)
    assert stub.asked[2].history == exchanges("one")


def test_nothing_is_kept_where_the_user_wants_nothing_kept(
    cluster: FakeCluster, state: dict[str, str]
) -> None:
    run_va("ask", "ada", "x", cluster=cluster, environment={**state, "VA_NO_HISTORY": "1"})
    assert kept(state) == []


def test_an_answer_is_good_where_nothing_can_be_kept(cluster: FakeCluster) -> None:
    nowhere = {"XDG_STATE_HOME": "/dev/null"}
    run = run_va("ask", "ada", "one", cluster=cluster, environment=nowhere)
    assert (run.code, run.out, run.err) == (0, f"{ANSWER}\n", "")
    run = run_va("ask", "ada", "one", "-v", cluster=cluster, environment=nowhere)
    assert "va: the conversation is not kept: " in run.err


def test_what_is_forgotten_is_gone_and_what_was_never_kept_is_too(tmp_path: Path) -> None:
    memory = Memory(tmp_path)
    memory.forget(ADA)
    memory.keep(ADA, with_exchange((), "q", "a"))
    memory.forget(ADA)
    assert memory.recall(ADA) == ()
    assert list((tmp_path / "conversations").iterdir()) == []
    Memory(Path("/dev/null")).forget(ADA)
    Memory(None).forget(ADA)


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"\xff",
        b"[]",
        b'{"turns": 1}',
        b'{"turns": [1]}',
        b'{"turns": [{"role": "user", "text": "half"}]}',
        b'{"turns": [{"role": "system", "text": "x"}, {"role": "assistant", "text": "y"}]}',
        b'{"turns": [{"role": "user", "text": 1}, {"role": "assistant", "text": "y"}]}',
        b'{"turns": [{"role": "user", "text": "\\ud800"}, {"role": "assistant", "text": "y"}]}',
        b'{"turns": []}' + b" " * 1024 * 1024,
        b"[" * 100_000,
    ],
)
def test_a_damaged_file_counts_as_no_conversation(damage: bytes, tmp_path: Path) -> None:
    memory = Memory(tmp_path)
    memory.keep(ADA, with_exchange((), "q", "a"))
    (file,) = (tmp_path / "conversations").iterdir()
    assert [turn.text for turn in memory.recall(ADA)] == ["q", "a"]
    file.write_bytes(damage)
    assert memory.recall(ADA) == ()


def test_only_the_newest_conversations_are_kept(tmp_path: Path) -> None:
    memory = Memory(tmp_path)
    for number in range(MOST_CONVERSATIONS + 3):
        target = Target(url=f"http://host-{number}")
        memory.keep(target, with_exchange((), str(number), "a"))
        for file in (tmp_path / "conversations").iterdir():
            # Older by a second than what comes next, whatever the file system's clock is.
            os.utime(file, (file.stat().st_mtime - 1, file.stat().st_mtime - 1))
    assert len(list((tmp_path / "conversations").iterdir())) == MOST_CONVERSATIONS
    assert memory.recall(Target(url="http://host-2")) == ()
    assert memory.recall(Target(url="http://host-3"))


def test_a_conversation_keeps_to_what_an_assistant_takes() -> None:
    turns: tuple[Turn, ...] = ()
    for number in range(10):
        turns = with_exchange(turns, f"question {number}", "x" * 8000)
    assert len(turns) == MAX_TURNS
    assert turns[-2].text == "question 9"
    sent = fitting(turns, "y" * 40_000)
    assert [turn.text for turn in sent[::2]] == ["question 7", "question 8", "question 9"]
    assert fitting(turns, "y" * MAX_QUESTION_BYTES) == ()
    assert with_exchange(turns, "q", "x" * MAX_QUESTION_BYTES) == ()


def test_the_assistant_takes_what_is_sent_of_the_strangest_conversation(
    stub: AssistantStub, cluster: FakeCluster, state: dict[str, str]
) -> None:
    stub.script.append(Reply(pieces=("a\0b\x1b", "\ud800", "ж" * 30_000)))
    run_va("ask", "ada", "one", "--no-stream", cluster=cluster, environment=state)
    run_va("ask", "ada", "ж" * 1000, "-c", cluster=cluster, environment=state)
    history = [{"role": role, "text": text} for role, text in stub.asked[1].history]
    assert len(history) == 2
    body = json.dumps({"question": "ж" * 1000, "history": history}, ensure_ascii=False).encode()
    assert len(parse_question(body, Form(as_json=True, stream=False)).history) == 2


def test_the_folder_is_where_the_environment_says() -> None:
    def folder(**environment: str) -> str:
        return str(Settings.from_environment({"HOME": "/home/ada", **environment}).state)

    assert folder() == folder(XDG_STATE_HOME="") == "/home/ada/.local/state"
    assert folder(XDG_STATE_HOME="/state") == "/state"
    assert folder(XDG_STATE_HOME="not/absolute") == "/home/ada/.local/state"


def test_a_chat_is_a_conversation_also_in_a_pipe(
    stub: AssistantStub, cluster: FakeCluster, state: dict[str, str]
) -> None:
    run_va("chat", "ada", piped="one\ntwo\n", cluster=cluster, environment=state)
    run_va("chat", "ada", "-c", piped="three\n", cluster=cluster, environment=state)
    run_va("chat", "ada", piped="four\n", cluster=cluster, environment=state)
    run_va("ask", "ada", "five", "-c", cluster=cluster, environment=state)
    assert [asked.history for asked in stub.asked] == [
        (),
        exchanges("one"),
        exchanges("one", "two"),
        (),
        exchanges("four"),
    ]


def test_a_conversation_that_is_too_long_for_this_assistant_can_be_left(
    stub: AssistantStub, cluster: FakeCluster, state: dict[str, str]
) -> None:
    """An assistant may take less than others (`limits.questionBytes`)."""
    stub.usual = Reply(refusal=(413, "QuestionTooLarge", "at most 1 KiB"))
    run = run_va("ask", "ada", "one", cluster=cluster, environment=state)
    assert run.code == 2
    assert "in a conversation, begin a new one" in run.error_lines[2]
