"""Whom and what `va ask` asks, and how it prints the answer."""

from __future__ import annotations

import json

import pytest

from support.assistant_stub import AssistantStub, Reply
from support.cli_run import FakeCluster, an_assistant, run_va

ANSWER = "Ada works at the Analytical Engine.\n"


def test_two_arguments_are_name_and_question(stub: AssistantStub, cluster: FakeCluster) -> None:
    run = run_va("ask", "ada", "Where does Ada work?", cluster=cluster)
    assert (run.code, run.out, run.err) == (0, ANSWER, "")
    assert stub.questions == ["Where does Ada work?"]
    assert cluster.reads == ["assistant"]


def test_one_argument_is_the_question_to_the_only_assistant(
    stub: AssistantStub, cluster: FakeCluster
) -> None:
    assert run_va("ask", "Where does Ada work?", cluster=cluster).out == ANSWER
    assert stub.questions == ["Where does Ada work?"]


def test_one_argument_is_the_question_to_the_assistant_of_the_environment(
    stub: AssistantStub,
) -> None:
    cluster = FakeCluster([an_assistant("bob"), an_assistant(url=stub.url)])
    run = run_va("ask", "Where?", cluster=cluster, environment={"VA_ASSISTANT": "ada"})
    assert run.out == ANSWER
    assert stub.questions == ["Where?"]
    assert cluster.reads == ["assistant"]


def test_one_argument_is_the_question_where_a_url_is_given(stub: AssistantStub) -> None:
    assert run_va("ask", "ada", "--url", stub.url).out == ANSWER
    assert run_va("ask", "bob", environment={"VA_URL": stub.url}).out == ANSWER
    assert stub.questions == ["ada", "bob"]


def test_the_url_needs_no_scheme(stub: AssistantStub) -> None:
    assert run_va("ask", "hi", "--url", f"127.0.0.1:{stub.port}/").code == 0


def test_one_argument_is_the_name_where_an_assistant_is_called_so(
    stub: AssistantStub, cluster: FakeCluster
) -> None:
    assert run_va("ask", "ada", piped="Where?\n", cluster=cluster).out == ANSWER
    assert stub.questions == ["Where?"]


def test_an_existing_name_goes_before_the_environment(stub: AssistantStub) -> None:
    cluster = FakeCluster([an_assistant("bob"), an_assistant(url=stub.url)])
    run = run_va("ask", "ada", piped="Where?", cluster=cluster, environment={"VA_ASSISTANT": "bob"})
    assert run.code == 0
    assert stub.questions == ["Where?"]


def test_a_word_that_is_nobodys_name_is_the_question_and_the_pipe_follows(
    stub: AssistantStub, cluster: FakeCluster
) -> None:
    assert run_va("ask", "explain", piped="line 1\nline 2\n", cluster=cluster).code == 0
    assert stub.questions == ["explain\n\nline 1\nline 2"]


def test_a_word_is_the_question_where_assistants_may_not_be_listed(stub: AssistantStub) -> None:
    cluster = FakeCluster([an_assistant(url=stub.url)], forbidden=frozenset({"assistants"}))
    run = run_va("ask", "explain", cluster=cluster, environment={"VA_ASSISTANT": "ada"})
    assert run.code == 0
    assert stub.questions == ["explain"]


def test_the_name_of_an_assistant_alone_is_not_sent_as_a_question(
    stub: AssistantStub, cluster: FakeCluster
) -> None:
    run = run_va("ask", "ada", cluster=cluster)
    assert run.code == 2
    assert "There is no question" in run.err
    assert stub.questions == []


def test_a_pipe_follows_the_question_after_a_blank_line(
    stub: AssistantStub, cluster: FakeCluster
) -> None:
    run = run_va("ask", "ada", "What failed?", piped="boom\n", cluster=cluster)
    assert (run.code, run.out) == (0, ANSWER)
    assert run.err == "va: the text from the pipe is asked as a part of the question\n"
    assert stub.questions == ["What failed?\n\nboom"]
    assert run_va("ask", "ada", "What failed?", piped=" \n", cluster=cluster).err == ""
    assert run_va("ask", "ada", piped="What failed?\n", cluster=cluster).err == ""


@pytest.mark.parametrize(
    ("arguments", "piped", "why"),
    [
        ([], None, "are empty"),
        (["ada", " "], " \n", "are empty"),
        (["ada", "x"], b"\xff\xfe", "the pipe must be UTF-8"),
        (["ada", "x"], "x" * 65536, "at most 64 KiB"),
        (["ada", "x" * 65537], None, "at most 64 KiB"),
        (["ada", "\udcff"], None, "must be UTF-8"),
    ],
)
def test_what_cannot_be_asked_is_refused_before_anything_is_looked_up(
    arguments: list[str], piped: str | bytes | None, why: str, cluster: FakeCluster
) -> None:
    run = run_va("ask", *arguments, piped=piped, cluster=cluster)
    assert run.code == 2
    assert why in run.error_lines[1]
    assert "nothing was sent" in run.error_lines[1]
    assert cluster.reads == []


def test_several_assistants_are_listed_instead_of_guessed(stub: AssistantStub) -> None:
    cluster = FakeCluster([an_assistant(url=stub.url), an_assistant("bob", url=stub.url)])
    run = run_va("ask", "Where?", cluster=cluster)
    assert run.code == 2
    assert run.error_lines == [
        "Error: It is not clear which assistant is meant.",
        "Why:   the namespace 'default' has 2: ada, bob",
        "Next:  name one, such as 'ada', or set VA_ASSISTANT",
    ]
    assert stub.questions == []


@pytest.mark.parametrize("name", ["", "Where does Ada work?", "../../version", "a/b", "Ada"])
@pytest.mark.parametrize("verb", [["ask", "{}", "ada"], ["chat", "{}"], ["status", "{}"]])
def test_what_no_assistant_can_be_called_is_no_name(
    verb: list[str], name: str, cluster: FakeCluster
) -> None:
    run = run_va(*(word.format(name) for word in verb), cluster=cluster)
    assert run.code == 2
    assert run.error_lines[0] == f"Error: '{name}' cannot be the name of an assistant."
    assert ("not set" in run.error_lines[1]) == (name == "")
    assert "with the name first" in run.error_lines[2]
    assert cluster.reads == []


def test_the_name_of_the_environment_must_be_one_too(cluster: FakeCluster) -> None:
    run = run_va("ask", "Where?", cluster=cluster, environment={"VA_ASSISTANT": "a/b"})
    assert (run.code, cluster.reads) == (2, [])


@pytest.mark.parametrize("verb", ["ask", "chat", "list", "status", "version"])
def test_a_namespace_that_cannot_be_is_refused(verb: str, cluster: FakeCluster) -> None:
    run = run_va(verb, "-n", "a/b", cluster=cluster)
    assert run.code == 2
    assert "'a/b' cannot be the name of a namespace" in run.err
    assert cluster.reads == []


def test_a_name_beside_a_url_is_refused(stub: AssistantStub) -> None:
    run = run_va("ask", "ada", "Where?", environment={"VA_URL": stub.url})
    assert run.code == 2
    assert "not by both" in run.err
    assert stub.questions == []


@pytest.mark.parametrize(
    "url", ["ftp://x", "http://", "http://x:port", "http://x/?q", "http://x#f"]
)
def test_a_url_that_cannot_be_is_refused(url: str) -> None:
    assert run_va("ask", "Where?", "--url", url).code == 2


def test_the_namespace_option_goes_before_the_context(stub: AssistantStub) -> None:
    cluster = FakeCluster([an_assistant(namespace="hr", url=stub.url), an_assistant()])
    assert run_va("ask", "Where?", "-n", "hr", cluster=cluster).out == ANSWER


@pytest.mark.parametrize("option", [["-o", "json"], ["--json"]])
def test_json_is_one_object_with_stable_keys(
    option: list[str], stub: AssistantStub, cluster: FakeCluster
) -> None:
    source = {"file": "cv.md", "line": 5, "text": "Ada works at the Engine."}
    stub.usual = Reply(about={"madeBy": "Passages", "sources": [source]})
    run = run_va("ask", "ada", "Where?", *option, cluster=cluster)
    assert (run.code, run.err) == (0, "")
    assert json.loads(run.out) == {
        "assistant": "ada",
        "namespace": "default",
        "answer": ANSWER.strip(),
        "model": "stub-model",
        "fallback": False,
        "revision": "3f2a91c0de",
        "madeBy": "Passages",
        "sources": [{"file": "cv.md", "line": 5, "text": "Ada works at the Engine."}],
        "nearest": [],
        "finishReason": "stop",
    }
    assert not stub.asked[0].stream


def test_json_lines_are_one_event_each(cluster: FakeCluster) -> None:
    run = run_va("ask", "ada", "Where?", "-o", "jsonl", cluster=cluster)
    assert [json.loads(line) for line in run.out.splitlines()] == [
        {"type": "text", "text": "Ada works "},
        {"type": "text", "text": "at the Analytical Engine."},
        {
            "type": "done",
            "model": "stub-model",
            "fallback": False,
            "revision": "3f2a91c0de",
            "madeBy": "Model",
            "sources": [],
            "nearest": [],
            "finishReason": "stop",
        },
    ]


def test_the_last_json_line_of_a_failure_says_what_failed(
    stub: AssistantStub, cluster: FakeCluster
) -> None:
    stub.usual = Reply(pieces=("Ada",), error_event=("ConnectionLost", "it went away"))
    run = run_va("ask", "ada", "Where?", "-o", "jsonl", cluster=cluster)
    assert run.code == 5
    assert [json.loads(line) for line in run.out.splitlines()] == [
        {"type": "text", "text": "Ada"},
        {"type": "error", "reason": "ConnectionLost", "message": "it went away"},
    ]


def test_an_answer_that_takes_too_long_has_one_reason_and_a_message_without_it(
    stub: AssistantStub,
) -> None:
    stub.usual = Reply(pieces=("Ada",) * 2, hold=stub.ending)
    run = run_va("ask", "Where?", "-o", "jsonl", "--timeout", "300ms", "--url", stub.url)
    assert json.loads(run.out.splitlines()[-1]) == {
        "type": "error",
        "reason": "Timeout",
        "message": "0.3s are over",
    }


def test_json_stays_empty_when_there_is_no_answer(
    stub: AssistantStub, cluster: FakeCluster
) -> None:
    stub.usual = Reply(refusal=(502, "KeyRefused", "401"))
    run = run_va("ask", "ada", "Where?", "-o", "json", cluster=cluster)
    assert (run.code, run.out) == (5, "")


def test_without_streaming_the_whole_answer_is_asked_for(
    stub: AssistantStub, cluster: FakeCluster
) -> None:
    assert run_va("ask", "ada", "Where?", "--no-stream", cluster=cluster).out == ANSWER
    assert not stub.asked[0].stream


def test_an_answer_that_met_its_limit_says_so_beside_the_text(
    stub: AssistantStub, cluster: FakeCluster
) -> None:
    stub.usual = Reply(pieces=("Ada is",), finish_reason="length")
    run = run_va("ask", "ada", "Who?", cluster=cluster)
    assert (run.code, run.out) == (0, "Ada is\n")
    assert "length limit" in run.err


def test_terminal_codes_of_an_answer_are_left_out_of_text_and_harmless_in_json(
    stub: AssistantStub, cluster: FakeCluster
) -> None:
    stub.usual = Reply(
        pieces=(
            "a\x1b]0;own",
            "ed\x07b\x1b",
            "[31mc\x9b2Jd\re",
        )
    )
    assert run_va("ask", "ada", "q", cluster=cluster).out == "abcde\n"
    for output in ("json", "jsonl"):
        written = run_va("ask", "ada", "q", "-o", output, cluster=cluster).out
        assert not {"\x1b", "\x9b", "\x07", "\r"} & set(written)
    assert json.loads(run_va("ask", "ada", "q", "-o", "json", cluster=cluster).out)["answer"] == (
        "".join(stub.usual.pieces)
    )


def test_colour_is_never_in_json_and_in_errors_as_wanted(cluster: FakeCluster) -> None:
    forced = {"CLICOLOR_FORCE": "1"}
    run = run_va("ask", "ada", "q", "-o", "json", cluster=cluster, environment=forced)
    assert "\x1b" not in run.out
    assert "\x1b[31mError:" in run_va("ask", environment=forced).err
    assert "\x1b" not in run_va("ask", environment={**forced, "NO_COLOR": "1"}).err


def test_waiting_goes_on_until_it_can_be_asked_and_tells_each_reason_once(
    stub: AssistantStub,
) -> None:
    stub.script.extend(
        [
            Reply(refusal=(503, "ConnectionRefused", "the model starts"), retry_after=0),
            Reply(refusal=(503, "ConnectionRefused", "the model starts"), retry_after=0),
        ]
    )
    run = run_va("ask", "Where?", "--wait", "30s", "--url", stub.url)
    assert (run.code, run.out) == (0, ANSWER)
    assert run.err == "va: waiting: ConnectionRefused: the model starts\n"
    assert len(stub.questions) == 3


def test_waiting_ends_with_the_failure_that_lasts() -> None:
    run = run_va("ask", "Where?", "--wait", "300ms", "--url", "http://127.0.0.1:9")
    assert run.code == 3
    assert run.err.count("waiting: connection refused") == 1


def test_waiting_does_not_help_against_what_somebody_must_change(stub: AssistantStub) -> None:
    stub.usual = Reply(refusal=(502, "KeyRefused", "401"))
    assert run_va("ask", "Where?", "--wait", "1h", "--url", stub.url).code == 5
    assert len(stub.questions) == 1


def test_an_answer_that_has_begun_is_not_begun_anew(stub: AssistantStub) -> None:
    stub.usual = Reply(pieces=("Ada",), error_event=("RateLimited", "429"))
    run = run_va("ask", "Where?", "--wait", "1h", "--url", stub.url)
    assert (run.code, run.out) == (5, "Ada\n")
    assert len(stub.questions) == 1
