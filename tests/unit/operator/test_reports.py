"""What pods say of themselves, and what is not believed."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from va_operator.reports import parse_report

CONTRACT = Path(__file__).parents[2] / "support" / "contract"
READY = json.loads((CONTRACT / "ready.json").read_text())


def failing(reason: Any = "KeyMissing", message: Any = "no key", **more: Any) -> dict[str, Any]:
    error = {"reason": reason, "message": message}
    return {**READY, "models": [{"name": "m", "state": "Failed", "lastError": error, **more}]}


def test_the_example_of_the_contract_is_understood() -> None:
    report = parse_report(READY)

    assert report.ready
    assert report.revision == "3f2a91c0de"
    assert (report.tokens, report.whole) == (345, True)
    assert report.closed is None
    assert [(model.name, model.state, model.error) for model in report.models] == [
        ("gpt-5-mini", "Ready", None)
    ]
    assert report.settled


def test_a_failure_is_one_line() -> None:
    report = parse_report({**failing(), "ready": False})

    assert report.models[0].error == "KeyMissing: no key"
    assert not report.settled


def test_what_no_status_could_hold_is_taken_out_of_foreign_words() -> None:
    body = failing("Timeout", "half \ud83d of\x1b[1m a pair", name="gpt\udc00")
    [model] = parse_report(body).models
    assert (model.name, model.message) == ("gpt ", "half   of [1m a pair")


def test_more_than_is_understood_is_fine() -> None:
    assert parse_report({**READY, "news": 1}) == parse_report(READY)


@pytest.mark.parametrize("tokens", [None, "345", 1.5, True, -1, 2**80, [1]])
def test_tokens_that_are_no_number_are_unknown(tokens: Any) -> None:
    assert parse_report({**READY, "context": {"tokens": tokens}}).tokens is None


@pytest.mark.parametrize("whole", [None, "yes", 1, []])
def test_what_is_no_yes_or_no_is_unknown(whole: Any) -> None:
    assert parse_report({**READY, "context": {"whole": whole}}).whole is None


def test_a_pod_says_why_nobody_may_ask() -> None:
    error = {"reason": "TokenMissing", "message": "half \ud83d of a pair " + "x" * 10_000}
    report = parse_report({**READY, "closed": error})

    assert report.closed
    assert report.closed.reason == "TokenMissing"
    assert report.closed.message.startswith("half   of a pair ")
    assert len(report.closed.message) == 512
    assert not report.settled, "somebody may put it right at any moment"


def test_a_pod_of_an_earlier_version_lets_people_ask() -> None:
    assert parse_report({k: v for k, v in READY.items() if k != "closed"}).closed is None


def test_long_words_are_cut_to_what_a_status_takes() -> None:
    report = parse_report(failing(message="x" * 10_000, name="n" * 10_000))
    assert len(report.models[0].name) == 256
    assert len(report.models[0].error or "") <= 1024


def test_more_models_than_a_status_takes_are_left_out() -> None:
    assert len(parse_report({**READY, "models": READY["models"] * 100}).models) == 16


HOSTILE: dict[str, Any] = {
    "nothing": {},
    "null": None,
    "a list": [],
    "a number": 5,
    "a text": "ready",
    "no revision": {k: v for k, v in READY.items() if k != "revision"},
    "no context": {k: v for k, v in READY.items() if k != "context"},
    "a context that is a text": {**READY, "context": "big"},
    "no models": {k: v for k, v in READY.items() if k != "models"},
    "models that are a number": {**READY, "models": 3},
    "models that are an object": {**READY, "models": {"a": 1}},
    "a model that is a text": {**READY, "models": ["gpt"]},
    "a model without a name": {**READY, "models": [{"state": "Ready"}]},
    "a state that there is not": {**READY, "models": [{"name": "m", "state": "Great"}]},
    "an error that is a text": {**READY, "models": [{**READY["models"][0], "lastError": "bad"}]},
    "an error that is a list": {**READY, "models": [{**READY["models"][0], "lastError": [1]}]},
    "closed for no reason": {**READY, "closed": {"message": "why"}},
    "closed for a text": {**READY, "closed": "yes"},
    "an empty reason": failing(reason=""),
    "a reason of several words": failing(reason="Send money\nto me"),
    "a reason that is an object": failing(reason={}),
    "a reason without end": failing(reason="A" * 65),
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
def test_what_is_no_report_is_refused(body: Any) -> None:
    with pytest.raises(ValueError, match="not a"):
        parse_report(body)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["name", "state", "lastError", "reason", "message", "tokens"]), inner
        )
    ),
    max_leaves=8,
)


@given(st.fixed_dictionaries(dict.fromkeys(READY, json_values)))
def test_no_body_does_more_than_be_refused(body: dict[str, Any]) -> None:
    try:
        report = parse_report(body)
    except ValueError:
        return
    assert all(model.state in {"Unknown", "Ready", "Degraded", "Failed"} for model in report.models)
