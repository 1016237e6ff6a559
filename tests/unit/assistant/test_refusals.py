"""What a provider's error response is taken for."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from va_assistant.errors import Failure, ModelState, Reason
from va_assistant.refusals import failure_of, is_cut_to_nothing, retry_after_seconds

OF_A_MODEL = {
    Reason.KEY_MISSING,
    Reason.KEY_REFUSED,
    Reason.CA_MISSING,
    Reason.CA_INVALID,
    Reason.MODEL_NOT_FOUND,
    Reason.REQUEST_REFUSED,
    Reason.CONTEXT_TOO_LARGE,
    Reason.HOST_NOT_FOUND,
    Reason.CONNECTION_REFUSED,
    Reason.TLS_FAILED,
    Reason.RATE_LIMITED,
    Reason.UPSTREAM_ERROR,
    Reason.CONNECTION_LOST,
    Reason.TIMEOUT,
    Reason.CIRCUIT_OPEN,
}
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def failure(status: int, body: object = None, **headers: str) -> Failure:
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    return failure_of(status, body, headers, now=NOW)


@pytest.mark.parametrize(
    ("status", "body", "reason", "state"),
    [
        (301, None, Reason.REQUEST_REFUSED, ModelState.FAILED),
        (400, {"message": "Unsupported value"}, Reason.REQUEST_REFUSED, ModelState.FAILED),
        (400, {"code": "context_length_exceeded"}, Reason.CONTEXT_TOO_LARGE, ModelState.FAILED),
        (400, {"type": "exceed_context_size_error"}, Reason.CONTEXT_TOO_LARGE, ModelState.FAILED),
        (
            400,
            {"message": "This model's maximum context length is 8192 tokens"},
            Reason.CONTEXT_TOO_LARGE,
            ModelState.FAILED,
        ),
        (401, {"message": "Incorrect API key"}, Reason.KEY_REFUSED, ModelState.FAILED),
        (402, {"message": "Pay first"}, Reason.REQUEST_REFUSED, ModelState.FAILED),
        (403, {"message": "Not verified"}, Reason.KEY_REFUSED, ModelState.FAILED),
        (404, "<html>", Reason.MODEL_NOT_FOUND, ModelState.FAILED),
        (408, None, Reason.TIMEOUT, ModelState.DEGRADED),
        (409, None, Reason.UPSTREAM_ERROR, ModelState.DEGRADED),
        (413, None, Reason.CONTEXT_TOO_LARGE, ModelState.FAILED),
        (422, {"message": "bad"}, Reason.REQUEST_REFUSED, ModelState.FAILED),
        (429, {"code": "rate_limit_exceeded"}, Reason.RATE_LIMITED, ModelState.DEGRADED),
        (429, {"code": "insufficient_quota"}, Reason.RATE_LIMITED, ModelState.DEGRADED),
        (500, None, Reason.UPSTREAM_ERROR, ModelState.DEGRADED),
        (502, "<html>Bad gateway</html>", Reason.UPSTREAM_ERROR, ModelState.DEGRADED),
        (503, None, Reason.UPSTREAM_ERROR, ModelState.DEGRADED),
        (504, None, Reason.UPSTREAM_ERROR, ModelState.DEGRADED),
        (529, None, Reason.UPSTREAM_ERROR, ModelState.DEGRADED),
    ],
)
def test_every_status_has_a_reason(
    status: int, body: object, reason: Reason, state: ModelState
) -> None:
    assert failure(status, body).reason is reason
    assert failure(status, body).state is state


def test_what_looks_like_a_key_is_not_passed_on() -> None:
    for status in (400, 401, 403):
        message = failure(status, {"message": "Incorrect key sk-proj-abcdef123456 given"}).message
        assert "abcdef" not in message


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after-ms": "1500"}, 1.5),
        ({"retry-after": format_datetime(NOW + timedelta(seconds=30), usegmt=True)}, 30),
        ({"retry-after": format_datetime(NOW - timedelta(seconds=30), usegmt=True)}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "1e400"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": ""}, None),
    ],
)
def test_retry_after_is_read_in_all_its_spellings(
    headers: dict[str, str], seconds: float | None
) -> None:
    assert retry_after_seconds(headers, now=NOW) == seconds


def test_a_provider_without_retry_after_still_has_one_for_the_asker() -> None:
    assert failure(429).retry_after == 10
    assert failure(429, retry_after="42").retry_after == 42
    assert failure(503).retry_after == 5


def test_a_model_that_had_no_room_for_a_word_was_reached() -> None:
    message = "Could not finish the message because max_tokens or model output limit was reached."
    assert is_cut_to_nothing(failure(400, {"message": message}))
    assert not is_cut_to_nothing(failure(400, {"message": "Unsupported value"}))


def test_a_question_that_the_provider_does_not_like_says_nothing_of_the_model() -> None:
    assert failure(400, {"code": "content_filter"}).about_question
    assert not failure(400, {"code": "unsupported_value"}).about_question


OPENAI_LIMIT = "Rate limit reached for gpt-5 in organization org-Ab3dEf9hIj on tokens per min"


def test_no_account_is_named() -> None:
    said = failure(429, {"message": OPENAI_LIMIT}).message
    assert "tokens per min" in said
    assert "Ab3dEf9hIj" not in said


@pytest.mark.parametrize("reason", sorted(OF_A_MODEL))
def test_an_asker_is_told_our_own_words_of_a_model(reason: Reason) -> None:
    theirs = Failure(reason, "gpu-7.inner.example:8000 said CANARY")
    assert theirs.told
    assert "inner" not in theirs.told
    assert "CANARY" not in theirs.told


def test_why_an_answer_is_none_is_told() -> None:
    none = Failure(Reason.UPSTREAM_ERROR, "the model's answer is none", about_question=True)
    assert none.told == none.message
