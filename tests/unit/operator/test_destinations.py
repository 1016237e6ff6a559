"""Where an assistant may send its text and its key."""

from typing import Any

import pytest

from support.builders import OPENAI, an_assistant
from support.memory_operator import MemoryOperator
from va_operator.destinations import refused_destination

ALLOWED = ("api.openai.com", "*.models.example", "10.0.0.5", "fd00::5")


def at(url: str) -> dict[str, Any]:
    return {"model": {"name": "m", "baseURL": url}}


def proxy(name: str, url: str) -> dict[str, Any]:
    return {"env": [{"name": name, "value": url}]}


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"model": OPENAI},
        at("https://api.openai.com/v1"),
        at("https://API.OpenAI.com./v1"),
        at("http://a.models.example:8000/v1"),
        at("http://10.0.0.5/v1"),
        at("http://[FD00::5]:80/v1"),
        proxy("HTTPS_PROXY", "http://proxy.models.example:3128"),
        proxy("https_proxy", "proxy.models.example:3128"),
        proxy("HTTP_PROXY", ""),
        proxy("SHOP_URL", "http://evil.example"),
    ],
    ids=str,
)
def test_what_is_allowed_is_not_refused(spec: dict[str, Any]) -> None:
    assert refused_destination(an_assistant(**spec), ALLOWED) is None


@pytest.mark.parametrize(
    ("spec", "field", "host"),
    [
        (at("http://169.254.169.254/latest"), "spec.model.baseURL", "169.254.169.254"),
        (at("http://kubernetes.default.svc/v1"), "spec.model.baseURL", "kubernetes.default.svc"),
        (at("https://api.openai.com.evil.example"), "spec.model.baseURL", None),
        (at("https://models.example/v1"), "spec.model.baseURL", "models.example"),
        (at("https://evilmodels.example/v1"), "spec.model.baseURL", "evilmodels.example"),
        (
            {"model": OPENAI, "fallbacks": [OPENAI, {"name": "m", "baseURL": "http://evil/v1"}]},
            "spec.fallbacks[1].baseURL",
            "evil",
        ),
        (proxy("HTTPS_PROXY", "http://evil.example:3128"), "HTTPS_PROXY", "evil.example"),
        (proxy("http_proxy", "evil.example:3128"), "http_proxy", "evil.example"),
        (proxy("all_proxy", "http://[::1"), "all_proxy", ""),
    ],
    ids=str,
)
def test_another_host_is_refused_by_its_field(
    spec: dict[str, Any], field: str, host: str | None
) -> None:
    said = refused_destination(an_assistant(**spec), ALLOWED)
    assert said
    assert f"`{field}`" in said
    assert host is None or f"'{host}'" in said
    assert refused_destination(an_assistant(**spec), ()) is None


def test_the_default_address_is_one_too() -> None:
    assert refused_destination(an_assistant(model=OPENAI), ("ollama",))
    assert refused_destination(an_assistant(model={"provider": "Embedded"}), ("ollama",)) is None


def test_no_pods_are_made_that_would_ask_it_and_everybody_is_told() -> None:
    operator = MemoryOperator(model_hosts=ALLOWED)
    operator.ask_for(**at("http://169.254.169.254/latest"))
    refused = operator.settle()
    assert refused
    assert not operator.cluster.all("Deployment")
    assert operator.condition() == ("False", "ModelHostNotAllowed")
    assert operator.condition("Stalled") == ("True", "ModelHostNotAllowed")
    assert "ModelHostNotAllowed" in {event["reason"] for event in operator.cluster.events}

    operator.ask_for(model=OPENAI)
    assert operator.settle() is None
    assert operator.condition()[1] != "ModelHostNotAllowed"


def test_pods_that_are_there_serve_on_and_may_be_taken_away() -> None:
    operator = MemoryOperator(model_hosts=ALLOWED)
    operator.ask_for(model=OPENAI)
    operator.settle()
    before = operator.child("Deployment")["spec"]
    operator.ask_for(**at("http://evil.example/v1"))
    assert operator.settle()
    assert operator.child("Deployment")["spec"] == before
    operator.ask_for(**at("http://evil.example/v1"), suspend=True)
    assert operator.settle() is None
    assert operator.child("Deployment")["spec"]["replicas"] == 0


def test_without_a_list_every_host_is_allowed() -> None:
    operator = MemoryOperator()
    operator.ask_for(**at("http://ollama:11434/v1"))
    assert operator.settle() is None
