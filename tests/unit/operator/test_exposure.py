"""Whether strangers may ask at somebody's cost, and how that is told."""

from typing import Any

import pytest

from support.builders import OPENAI, an_assistant
from support.memory_operator import ADA, MemoryOperator
from va_operator.conditions import Condition
from va_operator.errors import ContextError
from va_operator.exposure import exposure, newly_exposed, with_exposure
from va_operator.troubles import MESSAGE_LENGTH

AUTH = {"tokenSecretRef": {"name": "ada-token", "key": "token"}}
NOTE = "whoever reaches a node may ask with the key of Secret 'openai': set `spec.auth`"


@pytest.mark.parametrize(
    ("service", "who"), [({}, "a node"), ({"type": "LoadBalancer"}, "the load balancer")]
)
def test_an_open_address_with_a_key_behind_it_is_exposed(service: Any, who: str) -> None:
    said = exposure(an_assistant(model=OPENAI, service=service))
    assert said == NOTE.replace("a node", who)


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"model": {"name": "m", "baseURL": "http://ollama/v1"}},
        {"model": OPENAI, "service": {"type": "ClusterIP"}},
        {"model": OPENAI, "auth": AUTH},
        {"model": OPENAI, "suspend": True},
        {"model": OPENAI, "replicas": 0},
    ],
    ids=str,
)
def test_what_costs_nothing_or_is_reached_by_nobody_is_not(spec: dict[str, Any]) -> None:
    assistant = an_assistant(**spec)
    assert exposure(assistant) is None
    assert newly_exposed(assistant, ContextError("ContextEmpty", ""), before=[]) == []


def test_the_key_of_a_fallback_is_somebodys_money_too() -> None:
    said = exposure(an_assistant(model={"provider": "Embedded"}, fallbacks=[OPENAI]))
    assert said
    assert f"'{OPENAI['apiKeySecretRef']['name']}'" in said


def test_the_note_survives_a_long_message() -> None:
    long = Condition(type="Available", status=False, reason="NoPodReady", message="x" * 5000)
    noted = with_exposure(long, an_assistant(model=OPENAI)).message
    assert len(noted) == MESSAGE_LENGTH
    assert noted.endswith(f"…; {NOTE}")
    assert with_exposure(long, an_assistant()) is long


def reasons(operator: MemoryOperator) -> list[str]:
    return [event["reason"] for event in operator.cluster.events]


def available(operator: MemoryOperator) -> str:
    conditions = operator.assistant()["status"]["conditions"]
    message: str = next(c["message"] for c in conditions if c["type"] == "Available")
    return message


def test_it_is_told_once_as_a_warning_and_stays_noted() -> None:
    operator = MemoryOperator()
    operator.ask_for(model=OPENAI)
    operator.settle()
    [event] = [e for e in operator.cluster.events if e["reason"] == "ExposedWithoutAuth"]
    assert event["type"] == "Warning"
    assert event["message"] == f"Exposed: {NOTE}"
    assert available(operator).endswith(NOTE)

    operator.ask_for(model=OPENAI, replicas=5)
    operator.settle()
    operator.restart()
    operator.settle()
    assert reasons(operator).count("ExposedWithoutAuth") == 1
    assert "Exposed" not in {
        c["type"] for c in operator.cluster.find("VirtualAssistant", ADA)["status"]["conditions"]
    }


def test_a_token_ends_it_and_taking_it_away_is_told_again() -> None:
    operator = MemoryOperator()
    operator.ask_for(model=OPENAI)
    operator.settle()
    operator.ask_for(model=OPENAI, auth=AUTH)
    operator.settle()
    assert "spec.auth" not in available(operator)
    operator.ask_for(model=OPENAI)
    operator.settle()
    assert available(operator).endswith(NOTE)
    told = [e for e in operator.cluster.events if e["reason"] == "ExposedWithoutAuth"]
    assert sum(e.get("count", 1) for e in told) == 2
