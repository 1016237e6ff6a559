"""One test for each exit code, and what is told with it."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from support.assistant_stub import SECONDS, AssistantStub, Reply
from support.cli_run import NOWHERE, FakeCluster, a_condition, an_assistant, run_va
from va_cli.failures import EXIT_CODES, ExitCode

if TYPE_CHECKING:
    from pathlib import Path


def test_0_it_worked(cluster: FakeCluster) -> None:
    assert run_va("ask", "Where?", cluster=cluster).code == 0


def test_1_it_failed(stub: AssistantStub) -> None:
    stub.usual = Reply(raw=(200, "text/html", b"<html>welcome</html>"))
    run = run_va("ask", "Where?", "--url", stub.url)
    assert run.code == 1
    assert run.error_lines == [
        f"Error: {stub.url} gave no answer.",
        f"Why:   {stub.url} is not an assistant: it answered 200 with text/html",
        f"Next:  curl -i {stub.url}/health",
    ]


def test_2_wrong_usage() -> None:
    run = run_va("ask", "--bogus")
    assert run.code == 2
    assert run.error_lines[0] == "Error: The command line is not understood."
    assert run.error_lines[1].startswith("Why:   No such option: --bogus")
    assert run.error_lines[2] == "Next:  va ask --help"


def test_2_a_question_is_missing_wherever_it_would_go(stub: AssistantStub) -> None:
    for arguments in (["ask"], ["ask", "--url", stub.url]):
        run = run_va(*arguments)
        assert run.code == 2
        assert run.error_lines[2] == 'Next:  add one, such as "Where does Ada work?"'


def test_2_a_url_that_no_parser_takes() -> None:
    run = run_va("ask", "Where?", "--url", "http://[bad")
    assert run.code == 2
    assert run.error_lines[1] == "Why:   it must have a host that can be; got 'http://[bad'"


@pytest.mark.parametrize("arguments", [["ask", "-o", "xml"], ["frob"], ["ask", "--wait", "soon"]])
def test_2_what_is_not_known(arguments: list[str]) -> None:
    run = run_va(*arguments)
    assert run.code == 2
    assert len(run.err.splitlines()) == 3


def test_3_there_is_no_such_assistant(cluster: FakeCluster) -> None:
    run = run_va("ask", "eve", "Where?", cluster=cluster)
    assert run.code == 3
    assert run.error_lines[2] == "Next:  va list -A"


def test_3_there_is_no_assistant_at_all() -> None:
    assert run_va("ask", "Where?", cluster=FakeCluster()).code == 3


def test_3_it_is_not_ready_and_the_condition_says_why() -> None:
    ready = a_condition("Ready", "False", "ContextNotFound", "ConfigMap 'cv' does not exist")
    cluster = FakeCluster([an_assistant(conditions=[ready])])
    run = run_va("ask", "ada", "Where?", cluster=cluster)
    assert run.code == 3
    assert run.error_lines == [
        "Error: 'ada' is not ready.",
        "Why:   ContextNotFound: ConfigMap 'cv' does not exist",
        "Next:  va status ada -n default",
    ]


@pytest.mark.parametrize("reason", ["TooBusy"])
def test_3_it_is_too_busy(reason: str, stub: AssistantStub) -> None:
    stub.usual = Reply(refusal=(503, reason, "all threads answer"), retry_after=20)
    run = run_va("ask", "Where?", "--url", stub.url)
    assert run.code == 3
    assert run.error_lines[2] == "Next:  ask again in 20 s, or with --wait 60s"


def test_3_it_is_nothing_to_wait_for_where_it_takes_hours(stub: AssistantStub) -> None:
    stub.usual = Reply(refusal=(429, "BudgetSpent", "until 00:00 UTC"), retry_after=36_000)
    run = run_va("ask", "Where?", "--url", stub.url)
    assert run.code == 3
    assert run.error_lines[2] == "Next:  ask again in 600m"


def test_3_nobody_listens() -> None:
    run = run_va("ask", "Where?", "--url", NOWHERE)
    assert run.code == 3
    assert run.error_lines[1] == "Why:   connection refused"


def test_3_there_is_no_such_host() -> None:
    run = run_va("ask", "Where?", "--url", "http://nobody.invalid")
    assert run.code == 3
    assert run.error_lines[1] == "Why:   no such host"


def test_4_not_allowed() -> None:
    cluster = FakeCluster([an_assistant()], forbidden=frozenset({"assistants"}))
    assert run_va("ask", "Where?", cluster=cluster).code == 4
    assert run_va("list", cluster=cluster).code == 4


def test_4_the_assistant_refuses_who_asks(stub: AssistantStub) -> None:
    stub.usual = Reply(refusal=(403, "Forbidden", "not you"))
    assert run_va("ask", "Where?", "--url", stub.url).code == 4


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (502, "KeyMissing"),
        (502, "KeyRefused"),
        (502, "CAMissing"),
        (502, "CAInvalid"),
        (502, "ModelNotFound"),
        (502, "RequestRefused"),
        (503, "RateLimited"),
        (503, "UpstreamError"),
        (503, "ConnectionLost"),
        (503, "HostNotFound"),
        (503, "ConnectionRefused"),
        (503, "TLSFailed"),
        (504, "Timeout"),
        (413, "ContextTooLarge"),
    ],
)
def test_5_the_model_failed(status: int, reason: str, stub: AssistantStub) -> None:
    stub.usual = Reply(refusal=(status, reason, "because"))
    run = run_va("ask", "Where?", "--url", stub.url)
    assert run.code == 5
    assert run.error_lines[1] == f"Why:   {reason}: because"
    assert "its log or with kubectl get va" in run.error_lines[2]


def test_5_of_an_assistant_with_a_name_its_status_says_more(
    stub: AssistantStub, cluster: FakeCluster
) -> None:
    stub.usual = Reply(refusal=(502, "KeyMissing", "because"))
    run = run_va("ask", "ada", "Where?", cluster=cluster)
    assert run.error_lines[2] == "Next:  va status ada -n default"


@pytest.mark.parametrize(
    "reply",
    [
        Reply(refusal=(500, "InternalError", "see the log")),
        Reply(pieces=("Ada",), error_event=("InternalError", "see the log")),
    ],
)
def test_1_a_fault_of_the_assistant_is_not_one_of_its_model(
    reply: Reply, stub: AssistantStub
) -> None:
    stub.usual = reply
    assert run_va("ask", "Where?", "--url", stub.url).code == 1


@pytest.mark.parametrize("reason", ["EmptyQuestion", "NotUTF8", "InvalidQuestion"])
def test_2_the_assistant_cannot_read_the_question(reason: str, stub: AssistantStub) -> None:
    stub.usual = Reply(refusal=(400, reason, "because"))
    assert run_va("ask", "Where?", "--url", stub.url).code == 2


@pytest.mark.parametrize(("status", "reason"), [(404, "NotFound"), (415, "UnsupportedMediaType")])
def test_1_the_assistant_speaks_another_language(
    status: int, reason: str, stub: AssistantStub
) -> None:
    stub.usual = Reply(refusal=(status, reason, "because"))
    assert run_va("ask", "Where?", "--url", stub.url).code == 1


def test_5_an_error_ends_the_answer_and_its_beginning_stays(stub: AssistantStub) -> None:
    stub.usual = Reply(pieces=("Ada works",), error_event=("ConnectionLost", "it went away"))
    run = run_va("ask", "Where?", "--url", stub.url)
    assert (run.code, run.out) == (5, "Ada works\n")
    assert run.error_lines[:2] == [
        f"Error: {stub.url} did not finish its answer.",
        "Why:   ConnectionLost: it went away",
    ]


def test_5_the_answer_was_cut_and_its_beginning_stays(stub: AssistantStub) -> None:
    stub.usual = Reply(pieces=("Ada works",), cut=True)
    run = run_va("ask", "Where?", "--url", stub.url)
    assert (run.code, run.out) == (5, "Ada works\n")
    assert "AnswerCut" in run.error_lines[1]


def test_5_a_stream_that_ends_with_neither_done_nor_error_was_cut(stub: AssistantStub) -> None:
    stub.usual = Reply(events=b'event: text\ndata: {"text": "Ada"}\n\n')
    run = run_va("ask", "Where?", "--url", stub.url)
    assert (run.code, run.out) == (5, "Ada\n")


def test_124_no_answer_in_time(stub: AssistantStub) -> None:
    stub.usual = Reply(silent=True)
    run = run_va("ask", "Where?", "--timeout", "200ms", "--url", stub.url)
    assert run.code == 124
    assert run.error_lines == [
        f"Error: {stub.url} gave no whole answer.",
        "Why:   Timeout: 0.2s are over",
        "Next:  ask again with a longer --timeout",
    ]


def test_124_an_answer_that_trickles_ends_in_time_too(stub: AssistantStub) -> None:
    stub.usual = Reply(pieces=("Ada",) * 2, hold=stub.ending)
    run = run_va("ask", "Where?", "--timeout", "300ms", "--url", stub.url)
    assert (run.code, run.out) == (124, "Ada\n")


def test_130_ctrl_c(stub: AssistantStub) -> None:
    stub.usual = Reply(pieces=("Ada",) * 2, hold=stub.ending)
    with subprocess.Popen(
        [sys.executable, "-m", "va_cli", "ask", "Where?", "--url", stub.url],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.read(3) == b"Ada", "text comes into a pipe as it comes"
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=SECONDS)
    assert (process.returncode, out, err) == (130, b"\n", b"")


def test_a_closed_pipe_is_left_quietly(stub: AssistantStub) -> None:
    stub.usual = Reply(pieces=("line\n",) * 20_000)
    command = f"{sys.executable} -m va_cli ask Where? --url {stub.url} | head -1"
    run = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command}"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert (run.returncode, run.stdout, run.stderr) == (141, "line\n", "")


@pytest.mark.parametrize(
    ("closed", "code"),
    [(">&-", 0), ("2>&-", 0), ("<&-", 0), (">&- 2>&- <&-", 0), ("> /dev/full", 1)],
)
def test_a_stream_that_is_closed_or_full_is_no_surprise(
    closed: str, code: int, stub: AssistantStub
) -> None:
    run = subprocess.run(
        ["bash", "-c", f"{sys.executable} -m va_cli ask Where? --url {stub.url} {closed}"],
        env={"VA_NO_HISTORY": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    told = [
        "Error: What was asked for cannot be written.",
        "Why:   No space left on device",
        "Next:  make room there, or write elsewhere",
    ]
    assert run.returncode == code
    assert run.stderr.splitlines() == (told if code else [])
    assert stub.questions == ["Where?"]


def test_what_nobody_foresaw_shows_no_trace_unless_it_is_asked_for() -> None:
    cluster = FakeCluster([{"metadata": {}}])
    run = run_va("list", cluster=cluster)
    assert run.code == 1
    assert "Traceback" not in run.err
    assert "KeyError" in run.error_lines[1]
    assert "Traceback" in run_va("list", "--debug", cluster=cluster).err


def test_every_code_is_in_the_help() -> None:
    text = run_va("--help").out
    for code in ExitCode:
        assert f"{code:>3}  {EXIT_CODES[code]}" in text


def test_a_file_of_an_unreadable_folder_is_named(tmp_path: Path) -> None:
    run = run_va("ask", "-f", str(tmp_path / "x"))
    assert str(tmp_path) in run.error_lines[0]
