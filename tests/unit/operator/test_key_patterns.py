"""What looks like somebody's secret in a text that is meant for everybody."""

import time

import pytest

from support.memory_operator import MemoryOperator
from va_operator.errors import ContextError
from va_operator.exposure import keys_given_away
from va_operator.key_patterns import MOST, keys_in
from va_operator.revision import Revision

PRIVATE_KEY = "-----BEGIN OPENSSH PRIVATE KEY-----"
API_KEY = "sk-proj-canaryQ7Zp3vT9xKbW2mL5"
NOTE = "'cv.md', line 2, looks like an API key: whoever may ask may read the text"


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        (PRIVATE_KEY, "a private key"),
        ("-----BEGIN PRIVATE KEY-----", "a private key"),
        ("-----BEGIN RSA PRIVATE KEY-----", "a private key"),
        ("client-key-data: LS0tLS1CRUdJTiBSU0EgUFJJVkFURSBLRVktLS0tLQo=", "a private key"),
        (API_KEY, "an API key"),
        ("sk-ant-api03-Q7Zp3vT9xKbW2mL5", "an API key"),
        ("AIza" + "SyD3x9QkLmNpRsTuVwXyZ0123456789abcd"[:35], "an API key"),
        ("hf_" + "QkLmNpRsTuVwXyZ0123456789abcdefgh", "an API key"),
        ("AKIA" + "IOSFODNN7EXAMPLE", "a cloud provider's access key"),
        ("ghp_" + "abcdefghijklmnopqrstuvwxyz0123456789", "an access token"),
        ("glpat-" + "abcdefghij0123456789", "an access token"),
        ("xoxb-" + "123456789012-abcdefghijkl", "an access token"),
        (
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w",
            "an access token",
        ),
    ],
)
def test_a_key_is_told_by_its_place_and_kind(key: str, kind: str) -> None:
    [said] = keys_in([("'a.md'", "Prices."), ("'cv.md'", f"Ada.\nThe key is `{key}`.")])
    assert said == f"'cv.md', line 2, looks like {kind}"
    assert key not in said


@pytest.mark.parametrize(
    "text",
    [
        "The key is under the mat. Ask for sk-8 at the desk.",
        "Set OPENAI_API_KEY=sk-xxxxxxxxxxxxxxxxxxxxxxxx in your shell.",
        "-----BEGIN CERTIFICATE-----",
        "-----BEGIN PUBLIC KEY-----",
        "A task-force-of-the-harbour-office-and-others meets on Mondays.",
        "The digest is 3f2a91c0de3f2a91c0de3f2a91c0de3f2a91c0de3f2a91c0de3f2a91c0de3f2a.",
        "AKIAAAAAAAAAAAAAAAAA",
    ],
)
def test_what_is_no_key_is_not_told(text: str) -> None:
    assert keys_in([("'cv.md'", text)]) == ()


def test_a_text_full_of_them_is_read_in_a_moment() -> None:
    started = time.monotonic()
    assert len(keys_in([("'cv.md'", f"{API_KEY}\n" * 30_000)])) == MOST
    assert keys_in([("'cv.md'", "-----BEGIN " + "A " * 500_000)]) == ()
    assert time.monotonic() - started < 5


def test_several_are_counted_and_long_names_are_cut() -> None:
    found = ("'" + "n" * 500 + "', line 1, looks like an API key", "more", "and more")
    said = keys_given_away(Revision(id="r", bytes=1, estimated_tokens=1, files=(), keys=found))
    assert said
    assert "… (and 2 more): whoever may ask" in said
    assert len(said) < 400
    assert keys_given_away(ContextError("ContextEmpty", "")) is None


def test_instructions_are_looked_at_too() -> None:
    operator = MemoryOperator()
    operator.ask_for(instructions=f"Use {API_KEY} for all.")
    operator.settle()
    [event] = [e for e in operator.cluster.events if e["reason"] == "KeyInContext"]
    assert "`spec.instructions`, line 1, looks like an API key" in event["message"]


def test_it_is_told_once_as_a_warning_and_stays_noted_without_the_key() -> None:
    operator = MemoryOperator()
    context = {"files": [{"name": "cv.md", "inline": f"Ada plays the cello.\n{API_KEY}\n"}]}
    operator.ask_for(context=context)
    operator.settle()
    [event] = [e for e in operator.cluster.events if e["reason"] == "KeyInContext"]
    assert event["type"] == "Warning"
    assert event["message"] == f"Exposed: {NOTE}"
    resolved = _resolved(operator)
    assert (resolved["status"], resolved["message"].endswith(f"; {NOTE}")) == ("True", True)

    operator.ask_for(context=context, replicas=5)
    operator.settle()
    operator.restart()
    operator.settle()
    assert [e["reason"] for e in operator.cluster.events].count("KeyInContext") == 1
    assert API_KEY not in str(operator.cluster.events) + str(operator.assistant()["status"])

    operator.ask_for(context={"files": [{"name": "cv.md", "inline": "Ada plays the cello."}]})
    operator.settle()
    assert "looks like" not in _resolved(operator)["message"]


def _resolved(operator: MemoryOperator) -> dict[str, str]:
    conditions = operator.assistant()["status"]["conditions"]
    return next(dict(c) for c in conditions if c["type"] == "ContextResolved")


def test_a_text_without_one_has_no_note() -> None:
    operator = MemoryOperator()
    operator.ask_for()
    operator.settle()
    assert "KeyInContext" not in {e["reason"] for e in operator.cluster.events}
