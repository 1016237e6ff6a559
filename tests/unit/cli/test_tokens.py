"""The token that a question carries: where it comes from, whom it reaches, who never sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.assistant_stub import AssistantStub, Reply
from support.cli_run import NOWHERE, FakeCluster, an_assistant, run_va

if TYPE_CHECKING:
    from pathlib import Path

TOKEN = "canary-token-4f1c"
UNAUTHORIZED = Reply(refusal=(401, "Unauthorized", "a token is needed"))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "token"
    file.write_text(f"\n{TOKEN}\nan-older-one\n")
    return file


def sent(stub: AssistantStub) -> dict[str, str]:
    [asked] = stub.asked
    headers = {name.lower(): value for name, value in asked.headers.items()}
    return {name: headers[name] for name in ("authorization", "x-va-token") if name in headers}


BOTH = {"authorization": f"Bearer {TOKEN}", "x-va-token": TOKEN}


def test_without_a_token_none_is_sent(stub: AssistantStub) -> None:
    assert run_va("ask", "Where?", "--url", stub.url).code == 0
    assert sent(stub) == {}


def test_the_variable_is_sent_in_both_headers(stub: AssistantStub) -> None:
    run = run_va("ask", "Where?", "--url", stub.url, environment={"VA_TOKEN": f" {TOKEN}\n"})
    assert run.code == 0
    assert sent(stub) == BOTH


def test_the_file_goes_before_the_variable(stub: AssistantStub, file: Path) -> None:
    run = run_va(
        "ask", "Where?", "--url", stub.url, "--token-file", str(file),
        environment={"VA_TOKEN": "other"},
    )  # fmt: skip
    assert run.code == 0
    assert sent(stub) == BOTH


def test_a_chat_sends_it_too(stub: AssistantStub, cluster: FakeCluster, file: Path) -> None:
    run = run_va("chat", "ada", "--token-file", str(file), cluster=cluster, piped="Where?\n")
    assert run.code == 0
    assert sent(stub) == BOTH


def test_through_the_api_server_its_own_authorization_stays(stub: AssistantStub) -> None:
    cluster = FakeCluster(
        [an_assistant(url=NOWHERE)], proxy_url=stub.url, proxy_token="Bearer sesame"
    )
    run = run_va("ask", "ada", "Where?", cluster=cluster, environment={"VA_TOKEN": TOKEN})
    assert run.code == 0
    assert sent(stub) == {"authorization": "Bearer sesame", "x-va-token": TOKEN}


def test_an_api_server_that_knows_the_user_by_a_certificate_gets_no_bearer_either(
    stub: AssistantStub,
) -> None:
    cluster = FakeCluster([an_assistant(url=NOWHERE)], proxy_url=stub.url)
    run = run_va("ask", "ada", "Where?", cluster=cluster, environment={"VA_TOKEN": TOKEN})
    assert run.code == 0
    assert sent(stub) == {"x-va-token": TOKEN}


def test_who_is_no_assistant_never_sees_it(stub: AssistantStub) -> None:
    with AssistantStub(health=(200, "text/html", b"<html>")) as other:
        cluster = FakeCluster([an_assistant(url=other.url)], proxy_url=stub.url)
        run = run_va("ask", "ada", "Where?", cluster=cluster, environment={"VA_TOKEN": TOKEN})
        assert run.code == 0
        assert not other.asked
    assert other.probed
    assert TOKEN not in str(other.probed)


@pytest.mark.parametrize("content", [None, "", " \n", "two words", "zażółć", "a\x07b"])
def test_a_file_that_holds_none_is_told_and_nothing_is_sent(
    content: str | None, stub: AssistantStub, tmp_path: Path
) -> None:
    path = tmp_path / "token"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    run = run_va("ask", "Where?", "--url", stub.url, "--token-file", str(path))
    assert run.code == 2
    assert run.error_lines[0] == "Error: The token cannot be used."
    assert str(path) in run.error_lines[1]
    assert not stub.asked


def test_a_missing_or_wrong_token_ends_with_4_and_says_what_to_give(stub: AssistantStub) -> None:
    stub.usual = UNAUTHORIZED
    run = run_va("ask", "Where?", "--url", stub.url, "--wait", "5s")
    assert run.code == 4
    assert run.error_lines[1:] == [
        "Why:   Unauthorized: a token is needed",
        "Next:  give the assistant's token with --token-file or VA_TOKEN",
    ]
    assert len(stub.asked) == 1


def test_a_secret_that_is_missing_in_the_cluster_is_not_the_models_fault(
    stub: AssistantStub,
) -> None:
    stub.usual = Reply(refusal=(503, "TokenMissing", "the tokens' file is empty"), retry_after=30)
    assert run_va("ask", "Where?", "--url", stub.url).code == 3


def test_too_many_questions_end_with_3_and_say_when_to_come_again(stub: AssistantStub) -> None:
    stub.usual = Reply(refusal=(429, "TooManyRequests", "too many questions"), retry_after=7)
    run = run_va("ask", "Where?", "--url", stub.url)
    assert run.code == 3
    assert run.error_lines[1:] == [
        "Why:   TooManyRequests: too many questions",
        "Next:  ask again in 7 s, or with --wait 60s",
    ]


def test_too_many_questions_are_waited_for_where_that_is_asked(stub: AssistantStub) -> None:
    refused = Reply(refusal=(429, "TooManyRequests", "too many questions"), retry_after=0)
    stub.script.append(refused)
    assert run_va("ask", "Where?", "--url", stub.url, "--wait", "10s").code == 0
    assert len(stub.asked) == 2


@pytest.mark.parametrize("verbose", [["-v", "--debug"], []], ids=str)
def test_nobody_sees_it(stub: AssistantStub, verbose: list[str]) -> None:
    stub.usual = UNAUTHORIZED
    with_token = {"VA_TOKEN": TOKEN}
    refused = run_va("ask", "Where?", "--url", stub.url, *verbose, environment=with_token)
    unusable = run_va(
        "ask", "Where?", "--url", stub.url, *verbose, environment={"VA_TOKEN": f"{TOKEN} x"}
    )
    assert unusable.code == 2
    for run in (refused, unusable):
        assert "canary" not in run.out + run.err
