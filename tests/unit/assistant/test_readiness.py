"""When a pod says that it is ready, and what it says else."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from support.openai_stub import RIGHT_KEY, Stub, Turn, error
from support.serving import CONTEXT, wait_for, write_revision
from va_assistant.deadlines import Deadline
from va_assistant.errors import Failure, ModelState, Reason
from va_assistant.keys import KeyFile
from va_assistant.model import Model
from va_assistant.prompt import build_prompt
from va_assistant.readiness import Readiness, Trial
from va_assistant.revision import ContextMode, read_revision

LOAD = [
    Reason.RATE_LIMITED,
    Reason.BUDGET_SPENT,
    Reason.UPSTREAM_ERROR,
    Reason.CONNECTION_LOST,
    Reason.TIMEOUT,
]
CONFIGURATION = [
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
]


@pytest.fixture
def readiness(tmp_path: Path) -> Readiness:
    return Readiness(read_revision(write_revision(tmp_path / "revision"), name="3f2a91c0de"))


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    file = tmp_path / "apiKey"
    file.write_text(RIGHT_KEY)
    return file


@pytest.fixture
def trying(stub: Stub, tmp_path: Path, key_file: Path) -> Callable[..., Any]:
    @contextmanager
    def run(
        *,
        first_pause: float = 0.02,
        answered: Callable[[], None] = lambda: None,
        failed: Callable[[Failure], None] = lambda _failure: None,
        spacing: float = 0.02,
    ) -> Iterator[Readiness]:
        revision = read_revision(
            write_revision(tmp_path / "revision", baseURL=stub.url, timeoutSeconds=2), name="r"
        )
        model = Model(revision.model, build_prompt(revision, revision.model), KeyFile(key_file))
        readiness = Readiness(revision)
        trial = Trial(
            model,
            readiness,
            answered=answered,
            failed=failed,
            first_pause=first_pause,
            access_check=0.02,
            spacing=spacing,
        )
        trial.start()
        try:
            yield readiness
        finally:
            trial.stop()
            trial.join(timeout=10)
            model.close()

    return run


def state(readiness: Readiness) -> str:
    return str(readiness.report().body["models"][0]["state"])


def test_nothing_is_known_at_first(readiness: Readiness) -> None:
    report = readiness.report()
    assert not report.ready
    assert report.body["reason"] == "Starting"
    assert report.body["models"] == [{"name": "stub", "state": "Unknown", "lastError": None}]
    size = len(CONTEXT.encode())
    assert report.body["context"] == {"bytes": size, "tokens": None, "whole": True}


@pytest.mark.parametrize(("mode", "whole"), [("Full", True), ("Auto", True), ("Retrieve", False)])
def test_it_says_whether_the_tokens_are_those_of_the_whole_text(
    tmp_path: Path, mode: str, whole: bool
) -> None:
    revision = read_revision(write_revision(tmp_path / "revision"), name="r")
    readiness = Readiness(replace(revision, context_mode=ContextMode(mode)))
    assert readiness.report().body["context"]["whole"] is whole


def test_a_pod_that_lets_nobody_ask_is_ready_and_says_why(readiness: Readiness) -> None:
    failure = Failure(Reason.TOKEN_MISSING, "the tokens' file is empty")
    closed = Readiness(readiness._revision, lambda: failure)
    closed.answered()
    report = closed.report()
    assert report.ready
    assert report.body["closed"] == {"reason": "TokenMissing", "message": failure.message}


def test_an_answer_makes_ready(readiness: Readiness) -> None:
    readiness.answered(prompt_tokens=345)
    report = readiness.report()
    assert report.ready
    assert report.body["reason"] is None
    assert report.body["context"]["tokens"] == 345
    assert state(readiness) == "Ready"


@pytest.mark.parametrize("reason", CONFIGURATION)
def test_what_points_to_configuration_keeps_a_new_pod_out(
    readiness: Readiness, reason: Reason
) -> None:
    readiness.failed(Failure(reason, "so it is"))
    report = readiness.report()
    assert not report.ready
    assert report.body["reason"] == reason
    assert state(readiness) == "Failed"
    assert report.body["models"][0]["lastError"] == {"reason": reason, "message": "so it is"}


@pytest.mark.parametrize("reason", LOAD)
def test_what_points_to_load_lets_it_in(readiness: Readiness, reason: Reason) -> None:
    readiness.failed(Failure(reason, "so it is"))
    report = readiness.report()
    assert report.ready
    assert report.body["reason"] is None
    assert state(readiness) == "Degraded"


@pytest.mark.parametrize("reason", [*LOAD, *CONFIGURATION])
def test_a_pod_that_was_ready_stays_so(readiness: Readiness, reason: Reason) -> None:
    readiness.answered()
    readiness.failed(Failure(reason, "so it is"))
    assert readiness.report().ready
    assert state(readiness) in {"Failed", "Degraded"}
    readiness.answered()
    assert readiness.report().body["models"][0] == {
        "name": "stub",
        "state": "Ready",
        "lastError": None,
    }


@pytest.fixture
def with_fallback(readiness: Readiness) -> Readiness:
    """Two models of one name."""
    revision = readiness._revision
    return Readiness(replace(revision, fallbacks=(revision.model,)))


def states(readiness: Readiness) -> list[str]:
    return [str(model["state"]) for model in readiness.report().body["models"]]


def test_each_model_has_an_entry_of_its_own(with_fallback: Readiness) -> None:
    with_fallback.answered(rung=1, prompt_tokens=9)
    with_fallback.failed(Failure(Reason.RATE_LIMITED, "slow down"))
    report = with_fallback.report()
    assert states(with_fallback) == ["Degraded", "Ready"]
    assert report.body["models"][0]["lastError"]["reason"] == "RateLimited"
    assert report.body["models"][1]["lastError"] is None
    assert report.body["context"]["tokens"] is None  # each model counts in its own way


def test_a_fallback_alone_lets_no_pod_in(with_fallback: Readiness) -> None:
    with_fallback.answered(rung=1)
    report = with_fallback.report()
    assert (report.ready, report.body["reason"]) == (False, "Starting")


@pytest.mark.parametrize("reason", CONFIGURATION)
def test_a_fallback_lets_a_new_pod_in_only_where_the_preferred_model_is_not_reached(
    with_fallback: Readiness, reason: Reason
) -> None:
    with_fallback.failed(Failure(reason, "so it is"))
    assert not with_fallback.report().ready
    with_fallback.answered(rung=1)
    may_be_an_outage = reason in {Reason.HOST_NOT_FOUND, Reason.CONNECTION_REFUSED}
    report = with_fallback.report()
    assert report.ready is may_be_an_outage
    assert report.body["reason"] == (None if may_be_an_outage else reason)


def test_it_does_so_too_where_the_fallback_answered_first(with_fallback: Readiness) -> None:
    with_fallback.answered(rung=1)
    with_fallback.failed(Failure(Reason.CONNECTION_REFUSED, "so it is"))
    assert with_fallback.report().ready


@pytest.mark.parametrize("reason", [*LOAD, *CONFIGURATION])
def test_a_fallback_that_fails_keeps_no_pod_out(with_fallback: Readiness, reason: Reason) -> None:
    with_fallback.failed(Failure(reason, "so it is"), rung=1)
    with_fallback.answered()
    assert with_fallback.report().ready
    assert not with_fallback.doubted(0).is_set()


def test_a_draining_pod_is_not_ready(readiness: Readiness) -> None:
    readiness.answered()
    readiness.draining = True
    report = readiness.report()
    assert not report.ready
    assert report.body["reason"] == "Draining"


@pytest.mark.parametrize(
    "failure",
    [
        Failure(Reason.CONTEXT_TOO_LARGE, "too long"),
        Failure(Reason.REQUEST_REFUSED, "not that", about_question=True),
    ],
)
def test_a_question_that_is_to_blame_says_nothing_of_the_model(
    readiness: Readiness, failure: Failure
) -> None:
    readiness.answered()
    readiness.question_failed(failure, started=time.monotonic())
    assert state(readiness) == ModelState.READY
    assert not readiness.doubted().is_set()


def test_a_question_that_is_refused_is_for_the_trial_to_judge(readiness: Readiness) -> None:
    readiness.answered()
    refused = Failure(Reason.REQUEST_REFUSED, "400: invalid_prompt")
    readiness.question_failed(refused, started=time.monotonic())
    assert state(readiness) == ModelState.READY
    assert readiness.doubted().is_set()
    readiness.failed(refused)  # by the trial
    assert state(readiness) == ModelState.FAILED


def test_a_question_that_waits_in_vain_while_others_are_answered_says_nothing(
    readiness: Readiness,
) -> None:
    started = time.monotonic()
    timeout = Failure(Reason.TIMEOUT, "too slow")
    readiness.answered()
    readiness.question_failed(timeout, started=started)
    assert state(readiness) == ModelState.READY
    assert not readiness.doubted().is_set()
    readiness.question_failed(timeout, started=time.monotonic())
    assert state(readiness) == ModelState.DEGRADED
    assert readiness.doubted().is_set()


def test_a_trial_that_waits_in_vain_while_others_are_answered_says_nothing(
    stub: Stub, trying: Callable[..., Any]
) -> None:
    with trying() as readiness:
        wait_for(lambda: state(readiness) == "Ready")
        stub.default = Turn(delay=-1)
        readiness.doubted().set()
        stub.wait_for(lambda: len(stub.log) == 2)
        readiness.answered()
        stub.wait_for(lambda: len(stub.log) == 3)  # the first has timed out
        assert state(readiness) == "Ready"
        wait_for(lambda: state(readiness) == "Degraded")
        stub.default = Turn()


def test_a_question_that_is_refused_leaves_the_pod_as_it_was(
    stub: Stub, trying: Callable[..., Any]
) -> None:
    with trying() as readiness:
        wait_for(lambda: state(readiness) == "Ready")
        refused = Failure(Reason.REQUEST_REFUSED, "400: invalid_prompt")
        readiness.question_failed(refused, started=time.monotonic())
        stub.wait_for(lambda: len(stub.log) == 2)
        assert state(readiness) == "Ready"


def test_questions_that_are_refused_buy_no_trial_each(
    stub: Stub, trying: Callable[..., Any]
) -> None:
    with trying(spacing=0.5) as readiness:
        wait_for(lambda: state(readiness) == "Ready")
        for _ in range(40):
            refused = Failure(Reason.REQUEST_REFUSED, "400: invalid_prompt")
            readiness.question_failed(refused, started=time.monotonic())
        stub.wait_for(lambda: len(stub.log) == 2)
    assert stub.log[1].started - stub.log[0].started >= 0.5


def test_a_model_that_fails_is_tried_at_once(stub: Stub, trying: Callable[..., Any]) -> None:
    with trying(spacing=60) as readiness:
        wait_for(lambda: state(readiness) == "Ready")
        readiness.question_failed(Failure(Reason.CONNECTION_REFUSED, "gone"), started=0)
        stub.wait_for(lambda: len(stub.log) == 2)


def test_a_trial_that_fails_tells_so(stub: Stub, trying: Callable[..., Any]) -> None:
    reasons: list[Reason] = []
    stub.turns(error(500, "boom"))
    with trying(failed=lambda failure: reasons.append(failure.reason)) as readiness:
        wait_for(lambda: state(readiness) == "Ready")
    assert reasons == [Reason.UPSTREAM_ERROR]


def test_a_model_that_answers_makes_ready(stub: Stub, trying: Callable[..., Any]) -> None:
    with trying() as readiness:
        wait_for(lambda: readiness.report().ready)
    body = readiness.report().body
    assert body["context"]["tokens"] > 0
    assert len(stub.log) == 1
    assert stub.log[0].body["max_tokens"] == 1


def test_a_model_that_does_not_is_tried_until_it_does(
    stub: Stub, trying: Callable[..., Any]
) -> None:
    stub.turns(error(404, "no such model"), error(401, "no"), error(500, "boom"))
    with trying() as readiness:
        wait_for(lambda: state(readiness) == "Ready")
    assert len(stub.log) == 4


def test_a_trial_outlives_what_nobody_foresaw(
    stub: Stub, trying: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    errors: list[Exception] = [MemoryError(), RuntimeError("can't start new thread")]
    try_out = Model.try_out

    def fail_at_first(self: Model, deadline: Deadline) -> int | None:
        if errors:
            raise errors.pop()
        return try_out(self, deadline)

    monkeypatch.setattr(Model, "try_out", fail_at_first)
    with trying(first_pause=0.2) as readiness:
        wait_for(lambda: state(readiness) == "Degraded")
        assert "RuntimeError" in str(readiness.report().body["models"][0]["lastError"])
        wait_for(lambda: state(readiness) == "Ready")
    assert len(stub.log) == 1


def test_only_a_trial_that_is_answered_tells_so(stub: Stub, trying: Callable[..., Any]) -> None:
    asked_when_answered: list[int] = []
    stub.turns(error(500, "boom"))
    with trying(answered=lambda: asked_when_answered.append(len(stub.log))):
        wait_for(lambda: bool(asked_when_answered))
    assert asked_when_answered == [2]


def test_a_failed_question_starts_the_trials_again(stub: Stub, trying: Callable[..., Any]) -> None:
    with trying() as readiness:
        wait_for(lambda: state(readiness) == "Ready")
        readiness.question_failed(Failure(Reason.CONNECTION_REFUSED, "gone"), started=0)
        wait_for(lambda: state(readiness) == "Ready")
    assert len(stub.log) == 2


def test_a_key_that_comes_late_is_tried_at_once(
    stub: Stub, trying: Callable[..., Any], key_file: Path
) -> None:
    key_file.unlink()
    with trying(first_pause=60) as readiness:
        wait_for(lambda: readiness.report().body["reason"] == "KeyMissing")
        assert not stub.log
        key_file.write_text(RIGHT_KEY)
        wait_for(lambda: readiness.report().ready)


def test_a_key_that_is_changed_is_tried_although_nobody_asks(
    stub: Stub, trying: Callable[..., Any], key_file: Path
) -> None:
    with trying(first_pause=60) as readiness:
        wait_for(lambda: state(readiness) == "Ready")
        key_file.write_text("sk-wrong")
        wait_for(lambda: state(readiness) == "Failed")
        assert readiness.report().ready
        key_file.write_text(RIGHT_KEY)
        wait_for(lambda: state(readiness) == "Ready")


@pytest.mark.parametrize(
    ("reason", "pause"), [(Reason.RATE_LIMITED, 30), (Reason.BUDGET_SPENT, 3600)]
)
def test_the_end_of_a_day_is_waited_for_and_a_provider_s_word_only_for_a_while(
    stub: Stub,
    trying: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    reason: Reason,
    pause: int,
) -> None:
    pauses: list[float] = []

    def wait(_self: Trial, seconds: float, _access: object, *, only_while: object = None) -> None:
        if not only_while:
            pauses.append(seconds)

    monkeypatch.setattr(Trial, "_wait", wait)
    failures = [Failure(reason, "later", retry_after=3600)]

    def try_out(self: Model, deadline: object) -> int:
        if failures:
            raise failures.pop()
        return 1

    monkeypatch.setattr(Model, "try_out", try_out)
    with trying() as readiness:
        wait_for(lambda: state(readiness) == "Ready")
    assert pauses == [pause]


def test_a_provider_that_asks_for_a_pause_gets_it(stub: Stub, trying: Callable[..., Any]) -> None:
    stub.default = error(429, "slow down", headers={"Retry-After": "0.2"})
    with trying(first_pause=0.001):
        stub.wait_for(lambda: len(stub.log) >= 2)
    first, second = stub.log[:2]
    assert second.started - first.started >= 0.2


def test_an_empty_answer_cut_by_its_length_counts(stub: Stub, trying: Callable[..., Any]) -> None:
    stub.default = Turn(text="", finish_reason="length")
    with trying() as readiness:
        wait_for(lambda: state(readiness) == "Ready")
