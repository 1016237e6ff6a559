"""Secrets and other people's texts planted as canaries, and everything that is said searched.

One assistant is attacked, its provider obeys the attacker. Beside it another one serves another
text with another key.
"""

import http.client
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from support.openai_stub import Stub, Turn, error
from support.serving import Served, serve, wait_for

KINDS: dict[str, list[str]] = yaml.safe_load(
    (Path(__file__).parents[2] / "support" / "injections.yaml").read_text()
)
ORDERS = [prompt for prompts in KINDS.values() for prompt in prompts]
HONEST = "canary-question: which instrument is it, a cello?"
CONTEXT = "Ada plays the cello and keeps the canary-context in a string quartet."

KEY, TOKEN, ENVIRONMENT = "sk-canary-key-of-ada", "canary-token-of-ada", "canary-environment"
OTHER_KEY, OTHER_CONTEXT = "sk-canary-key-of-bob", "Bob sells the canary-of-bob for 12 euros."
NEVER_SENT = [TOKEN, ENVIRONMENT, OTHER_KEY, "canary-of-bob"]
"""What no provider of Ada's is ever sent."""

NEVER_TOLD = [*NEVER_SENT, KEY]
"""What nobody who asks Ada is ever told."""

NEVER_NOTED = [*NEVER_TOLD, "canary-question", "canary-context", "PWNED"]
"""What no log line, metric or report holds."""

REQUESTS = 1000
FAULTS = [
    error(401, f"Incorrect API key provided: {KEY}"),
    error(400, "all that was sent", obeys=True),
    error(500, "all that was sent", obeys=True),
    error(500, f"no {KEY}"),
    Turn(raw=f"no {KEY}"),
    Turn(cut_at=1),
    Turn(text="", finish_reason="content_filter"),
]


@pytest.fixture
def attacked(stub: Stub, tmp_path: Path) -> Iterator[Served]:
    """Ada, beside Bob."""
    stub.keys = {KEY, OTHER_KEY}
    token = tmp_path / "token"
    token.write_text(TOKEN)
    with (
        serve(tmp_path / "bob", stub, key=OTHER_KEY, context=OTHER_CONTEXT) as other,
        serve(
            tmp_path / "ada",
            stub,
            key=KEY,
            context=CONTEXT,
            environment={
                "VA_ASSISTANT_TOKEN_FILE": str(token),
                "SECRET_OF_THE_POD": ENVIRONMENT,
            },
        ) as served,
    ):
        other.wait_until_ready()
        served.wait_until_ready()
        assert "canary-of-bob" in other.ask("What does Bob sell?").text
        yield served


def ask_all(served: Served, stub: Stub) -> tuple[str, Counter[int]]:
    """Ask a thousand times in all ways, and return what was told and with which statuses."""
    told: list[str] = []
    statuses: Counter[int] = Counter()
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=30)
    for number in range(REQUESTS):
        # Now and then one: after five in a row nobody would be asked.
        fails = number % 7 == 0
        stub.default = FAULTS[number // 7 % len(FAULTS)] if fails else Turn(obeys=True)
        question = HONEST if number % 3 == 0 else ORDERS[number % len(ORDERS)]
        headers = {"X-VA-Token": TOKEN if number % 50 else "wrong"}
        body = question.encode()
        if number % 4 == 1:
            headers["Accept"] = "text/event-stream"
        elif number % 4 == 2:
            headers["Content-Type"] = "application/json"
            history = [{"role": "assistant", "text": "canary-question of before"}]
            body = json.dumps({"question": question, "history": history}).encode()
        elif number % 40 == 3:
            body = b"\xff" + body
        connection.request("POST", "/", body, headers)
        response = connection.getresponse()
        statuses[response.status] += 1
        told.append(f"{response.headers}{response.read().decode()}")
    connection.close()
    return "\n".join(told), statuses


def test_a_thousand_questions_leave_no_secret_anywhere(attacked: Served, stub: Stub) -> None:
    stub.log.clear()
    told, statuses = ask_all(attacked, stub)
    assert set(statuses) == {200, 400, 401, 502, 503}
    assert statuses[200] > REQUESTS / 2
    sent = "\n".join(exchange.raw + str(without_key(exchange.headers)) for exchange in stub.log)
    assert len(stub.log) > REQUESTS / 4
    noted = "".join(attacked.probe(path).text for path in ("/metrics", "/ready", "/health"))
    wait_for(lambda: len(attacked.lines) > REQUESTS / 2)
    noted += attacked.log()
    for text, canaries in ((sent, [*NEVER_SENT, KEY]), (told, NEVER_TOLD), (noted, NEVER_NOTED)):
        assert [canary for canary in canaries if canary in text] == []
    assert "canary-context" in told  # who may ask may read the text
    assert "Traceback" not in told + noted


def without_key(headers: dict[str, str]) -> dict[str, str]:
    sent = {name.lower(): value for name, value in headers.items()}
    assert sent.pop("authorization") == f"Bearer {KEY}"
    return sent


def test_a_fault_of_the_program_itself_tells_no_secret_either(stub: Stub, tmp_path: Path) -> None:
    """The log has the trace, which holds lines of the program and no values."""
    stub.keys = {KEY}
    broken = (
        "from va_assistant.grounding import Grounds\n"
        "def check(self, sentence): return sentence.nothing\n"
        "Grounds.check = check\n"
        "from va_assistant.main import main; main()"
    )
    stub.default = Turn(text=CONTEXT)
    with serve(
        tmp_path, stub, key=KEY, context=CONTEXT, code=broken,
        environment={"SECRET_OF_THE_POD": ENVIRONMENT},
    ) as served:  # fmt: skip
        served.wait_until_ready()
        whole = served.ask(HONEST)
        streamed = served.ask(HONEST, Accept="text/event-stream")
        wait_for(lambda: served.log().count("Traceback") == 2)
        log = served.log()
    assert whole.status == 500
    assert "InternalError" in streamed.text
    for canary in NEVER_NOTED:
        assert canary not in log + whole.text + streamed.text
