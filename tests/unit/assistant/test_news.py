"""What the log says of a model that fails again and again."""

import json
import re
from typing import Any

import pytest

from support.openai_stub import RIGHT_KEY, Stub, Turn, error
from support.serving import Served, wait_for
from va_assistant.errors import Reason
from va_assistant.news import MOST_LINES, REPEAT_SECONDS, News

NOT_THERE = "What is her salary?"
"""No line of the text stands in where the model does not answer this."""


def told(served: Served, event: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in list(served.lines)]
    return [line for line in lines if line["event"] == event]


def failed(served: Served) -> float:
    """Return how many questions had no answer."""
    samples = re.findall(
        r'^va_assistant_questions_total\{.*result="failed".*\} (\S+)$',
        served.probe("/metrics").text,
        re.MULTILINE,
    )
    return sum(map(float, samples))


@pytest.mark.parametrize(
    ("turn", "reason"),
    [
        (error(401, f"Incorrect API key provided: {RIGHT_KEY}"), Reason.KEY_REFUSED),
        (error(403, f"{RIGHT_KEY} may not do this"), Reason.KEY_REFUSED),
        (error(429, "Rate limit reached"), Reason.RATE_LIMITED),
    ],
    ids=["401", "403", "429"],
)
def test_what_each_question_meets_is_logged_once_and_counted_each_time(
    served: Served, stub: Stub, turn: Turn, reason: Reason
) -> None:
    stub.default = turn
    for _ in range(20):
        assert served.ask(NOT_THERE).status in {502, 503}
    wait_for(lambda: len(told(served, "not answered")) == 20)

    [line] = told(served, "model fails")
    assert (line["level"], line["reason"], line["model"]) == ("warning", reason, "stub")
    assert str(turn.status) in line["message"]
    warnings = [line for line in map(json.loads, list(served.lines)) if line["level"] == "warning"]
    assert warnings == [line]
    assert not [line for line in told(served, "not answered") if "message" in line]
    assert RIGHT_KEY not in served.log()
    assert failed(served) == 20

    stub.default = Turn()
    wait_for(lambda: bool(told(served, "model answers")))
    assert len(told(served, "model fails")) == 1


def test_a_failure_that_stays_is_said_again_with_how_often_it_was_met() -> None:
    news, failures = News().failed(Reason.KEY_REFUSED, 0)
    assert failures == 1
    for second in range(1, int(REPEAT_SECONDS)):
        news, failures = news.failed(Reason.KEY_REFUSED, second)
        assert failures is None
    news, failures = news.failed(Reason.KEY_REFUSED, REPEAT_SECONDS)
    assert failures == REPEAT_SECONDS
    assert news.failed(Reason.KEY_REFUSED, REPEAT_SECONDS + 1)[1] is None


def test_another_reason_and_the_end_of_it_are_said_at_once() -> None:
    news, _ = News().failed(Reason.RATE_LIMITED, 0)
    news, failures = news.failed(Reason.KEY_REFUSED, 1)
    assert failures == 1
    news, is_news = news.answered(2)
    assert is_news
    assert not news.answered(3)[1]


def test_a_model_that_never_failed_is_no_news() -> None:
    assert News().answered(0) == (News(), False)


def test_one_that_comes_and_goes_fills_no_log_and_the_last_word_is_true() -> None:
    news, lines = News(), 0
    for second in range(int(REPEAT_SECONDS)):
        news, failures = news.failed(Reason.RATE_LIMITED, second)
        news, is_news = news.answered(second + 0.5)
        lines += bool(failures) + is_news
    assert lines == MOST_LINES
    news, failures = news.failed(Reason.RATE_LIMITED, 2 * REPEAT_SECONDS)
    assert failures
    assert news.answered(2 * REPEAT_SECONDS + 1)[1]
