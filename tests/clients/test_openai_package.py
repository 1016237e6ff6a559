"""The `openai` package, as it is installed from its lock, asks an assistant by its base URL."""

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from support.locked_environment import commands_of
from support.openai_stub import Stub, Turn
from support.serving import Served, serve

HERE = Path(__file__).parent
COMPLETE = "chat.completions.create"
WORK = "Ada works at Fjordspan AS, where she leads the building of the Sotra bridge."
TOKEN = "canary-token-4f1c"

Call = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def package() -> Iterator[Call]:
    """Calls a method of a client."""
    python = commands_of(HERE / "locked" / "openai.txt") / "python"
    with subprocess.Popen(
        [python, HERE / "openai_calls.py"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin
        assert process.stdout
        to, back = process.stdin, process.stdout

        def call(
            address: str, method: str, *, key: str = "none", **arguments: Any
        ) -> dict[str, Any]:
            client = {"base_url": f"{address}/v1", "api_key": key}
            told = {"client": client, "method": method, "arguments": arguments}
            print(json.dumps(told), file=to, flush=True)
            line = back.readline()
            assert line, "the process with the package has ended: see its stderr"
            found: dict[str, Any] = json.loads(line)
            return found

        yield call


@pytest.fixture
def call(package: Call, address: str) -> Call:
    return lambda method, **arguments: package(address, method, **arguments)


def ask(call: Call, *said: str, **more: Any) -> dict[str, Any]:
    """Ask after what was said in turns before."""
    roles = ("user", "assistant")
    messages = [{"role": roles[at % 2], "content": text} for at, text in enumerate(said)]
    return call(COMPLETE, model="ada", messages=messages, **more)


def test_a_question_is_answered_with_its_sources(call: Call) -> None:
    answer = ask(call, "Where does Ada work?")["result"]
    [choice] = answer["choices"]
    assert choice["message"]["content"] == WORK
    assert choice["finish_reason"] == "stop"
    assert answer["model"] == "virtual-assistant"
    assert answer["usage"]["total_tokens"] == 0  # it is a line of the text: no model was asked
    account = answer["virtual_assistant"]
    assert account["madeBy"] == "Passages"
    assert account["sources"] == [{"file": "ada.md", "line": 5, "text": WORK}]


def test_a_stream_says_the_same(call: Call) -> None:
    chunks = ask(call, "Where does Ada work?", stream=True, stream_options={"include_usage": True})[
        "chunks"
    ]
    *pieces, end, usage = chunks
    assert "".join(piece["choices"][0]["delta"]["content"] for piece in pieces) == WORK
    assert end["choices"][0]["finish_reason"] == "stop"
    assert end["virtual_assistant"]["sources"][0]["line"] == 5
    assert (usage["choices"], usage["usage"]["total_tokens"]) == ([], 0)


def test_what_the_text_does_not_hold_is_said_to_be_missing(call: Call) -> None:
    answer = ask(call, "What is her salary?")["result"]
    assert answer["choices"][0]["message"]["content"] == "I found no answer to that in the text."
    assert answer["virtual_assistant"]["madeBy"] == "NoAnswer"


def test_a_follow_up_is_understood(call: Call) -> None:
    before = ("Where did Ada study?", "She studied civil engineering at NTNU in Trondheim.")
    answer = ask(call, *before, "And when did she graduate there?")["result"]
    assert "2011" in answer["choices"][0]["message"]["content"]


def test_the_models_are_listed(call: Call) -> None:
    [model] = call("models.list")["result"]["data"]
    assert call("models.retrieve", model=model["id"])["result"] == model
    error = call("models.retrieve", model="gpt-5-mini")["error"]
    assert (error["class"], error["param"]) == ("NotFoundError", "model")


@pytest.mark.parametrize(
    ("arguments", "param"),
    [
        ({"n": 2}, "n"),
        ({"response_format": {"type": "json_object"}}, "response_format"),
        ({"tools": [{"type": "function", "function": {"name": "f"}}]}, "tools"),
    ],
)
def test_what_cannot_be_had_is_a_bad_request_that_names_it(
    call: Call, arguments: dict[str, Any], param: str
) -> None:
    error = ask(call, "Where does Ada work?", **arguments)["error"]
    assert (error["class"], error["type"]) == ("BadRequestError", "invalid_request_error")
    assert (error["param"], error["code"]) == (param, "UnsupportedParameter")


@pytest.fixture(scope="module")
def paid(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, Stub]]:
    """One with a token, a limit and a large model."""
    folder = tmp_path_factory.mktemp("paid")
    (folder / "token").write_text(TOKEN)
    environment = {
        "VA_ASSISTANT_TOKEN_FILE": str(folder / "token"),
        "VA_ASSISTANT_REQUESTS_PER_MINUTE": "3",
    }
    with Stub() as stub, serve(folder, stub, environment=environment) as running:
        running.wait_until_ready()
        yield running, stub


def test_a_key_is_the_token_and_failures_are_those_that_the_package_knows(
    package: Call, paid: tuple[Served, Stub]
) -> None:
    served, stub = paid
    address = f"http://127.0.0.1:{served.port}"

    def pay(method: str, **arguments: Any) -> dict[str, Any]:
        return package(address, method, **{"key": TOKEN, **arguments})

    question = "Which instrument is it, a cello?"
    refused = ask(pay, question, key="wrong")["error"]
    assert (refused["class"], refused["type"]) == ("AuthenticationError", "authentication_error")

    answer = ask(pay, question)["result"]
    assert answer["choices"][0]["message"]["content"].startswith("Ada plays the cello")
    assert answer["usage"]["completion_tokens"] > 0
    assert answer["virtual_assistant"]["model"] == "stub"

    stub.default = Turn(text="Ada plays the cello in a string quartet. And so on.", cut_at=10)
    broken = ask(pay, question, stream=True)
    assert broken["chunks"]
    assert (broken["error"]["class"], broken["error"]["code"]) == ("APIError", "ConnectionLost")

    stub.default = Turn(text="Ada plays", finish_reason="length")
    cut = ask(pay, question)["result"]
    assert cut["choices"][0]["finish_reason"] == "length"

    often = ask(pay, question)["error"]
    assert (often["class"], often["type"]) == ("RateLimitError", "rate_limit_error")
    assert int(often["retry_after"]) > 0
