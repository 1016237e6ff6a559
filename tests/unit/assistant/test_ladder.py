"""Who is asked when a model does not answer, against servers that do as they are told."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from support.openai_stub import RIGHT_KEY, Stub, Turn, error
from support.serving import wait_for
from va_assistant import breaker
from va_assistant.completions import Answer
from va_assistant.deadlines import Deadline
from va_assistant.errors import AskerLeft, Failure, ModelState, Reason
from va_assistant.keys import GivenKey
from va_assistant.ladder import Ladder, Outcome
from va_assistant.metrics import Metrics
from va_assistant.model import Model
from va_assistant.prompt import Query, build_prompt
from va_assistant.readiness import Readiness
from va_assistant.revision import (
    ContextFile,
    ModelSettings,
    Provider,
    Revision,
    model_settings,
)

QUERY = Query(question="Which instrument is it, a cello?")
ANSWER = "Ada plays the cello."


def settings(stub: Stub, name: str = "stub", **more: int) -> ModelSettings:
    return model_settings(provider=Provider.OPENAI, name=name, base_url=stub.url, **more)


class Asking:
    """A ladder, and what is asked of it."""

    def __init__(self, *models: ModelSettings, key: str = RIGHT_KEY) -> None:
        first, *fallbacks = models
        revision = Revision(
            name="r",
            instructions=None,
            files=(ContextFile(name="cv.md", text=ANSWER),),
            model=first,
            fallbacks=tuple(fallbacks),
        )
        self.models = [
            Model(model, build_prompt(revision, model), GivenKey(key)) for model in models
        ]
        self.readiness = Readiness(revision)
        self.metrics = Metrics()
        self.ladder = Ladder(self.models, self.readiness, self.metrics)

    def answer(self, seconds: float = 5) -> Outcome[Answer]:
        return self.ladder.climb(
            lambda model, deadline: model.answer(QUERY, deadline),
            Deadline.after(seconds, gap=5),
        )

    def stream(self, seconds: float = 5, gap: float = 5) -> str:
        outcome = self.ladder.climb_for_stream(
            lambda model, deadline: model.stream(QUERY, deadline),
            Deadline.after(seconds, gap=gap),
        )
        return "".join(piece.text for piece in outcome.result)

    def failure(self, seconds: float = 5) -> Failure:
        with pytest.raises(Failure) as failure:
            self.answer(seconds)
        return failure.value

    def counted(self, metric: str, **labels: str) -> float:
        value = self.metrics.registry.get_sample_value(metric, labels)
        return value or 0.0


Make = Callable[..., Asking]


@pytest.fixture
def asking() -> Iterator[Make]:
    made: list[Asking] = []

    def make(*models: ModelSettings, **more: str) -> Asking:
        made.append(Asking(*models, **more))
        return made[-1]

    yield make
    for one in made:
        for model in one.models:
            model.close()


@pytest.fixture
def other() -> Iterator[Stub]:
    """A second provider."""
    with Stub() as running:
        yield running


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let circuits rest for a fraction of a second."""
    monkeypatch.setattr(breaker, "REST_SECONDS", 0.3)


@pytest.mark.parametrize(
    ("turn", "reason"),
    [
        (error(429, "slow down", headers={"Retry-After": "1"}), Reason.RATE_LIMITED),
        (error(429, "no more", code="insufficient_quota"), Reason.RATE_LIMITED),
        (error(401, "no"), Reason.KEY_REFUSED),
        (error(403, "not you"), Reason.KEY_REFUSED),
        (error(404, "no such model"), Reason.MODEL_NOT_FOUND),
        (error(500, "boom"), Reason.UPSTREAM_ERROR),
        (error(502, "bad gateway"), Reason.UPSTREAM_ERROR),
        (error(503, "busy"), Reason.UPSTREAM_ERROR),
        (error(504, "too late"), Reason.UPSTREAM_ERROR),
        (error(408, "too slow"), Reason.TIMEOUT),
        (error(409, "conflict"), Reason.UPSTREAM_ERROR),
        (Turn(cut_at=0), Reason.CONNECTION_LOST),
        (Turn(raw='data: {"error": {"message": "boom"}}\n\n'), Reason.UPSTREAM_ERROR),
        (Turn(delay=-1), Reason.TIMEOUT),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_what_is_the_matter_with_a_model_is_answered_by_the_next(
    stub: Stub, other: Stub, asking: Make, turn: Turn, reason: Reason, stream: bool
) -> None:
    stub.default = turn
    asked = asking(settings(stub, timeout_seconds=1), settings(other, "second"))
    if stream:
        assert asked.stream(1) == ANSWER
    else:
        outcome = asked.answer(1)
        assert outcome.result.text == ANSWER
        assert (outcome.rung.author.model, outcome.rung.author.fallback) == ("second", True)
    assert len(other.log) == 1
    labels = {"rung": "0", "model": "stub", "reason": reason}
    assert asked.counted("va_assistant_fallbacks_total", **labels) == 1
    assert asked.readiness.state(0) in {ModelState.FAILED, ModelState.DEGRADED}
    assert asked.readiness.state(1) is ModelState.READY


def test_a_model_that_nobody_serves_is_answered_by_the_next(
    stub: Stub, other: Stub, asking: Make
) -> None:
    asked = asking(settings(stub), settings(other))
    stub.stop()
    assert asked.answer().rung.place == 1


def test_a_key_that_is_missing_asks_the_next_and_nobody_else(
    stub: Stub, other: Stub, asking: Make
) -> None:
    other.keys = None
    asked = asking(settings(stub), settings(other))
    asked.models[0]._key = GivenKey("")
    for _ in range(6):
        assert asked.answer().rung.place == 1
    assert not stub.log
    asked.models[0]._key = GivenKey(RIGHT_KEY)
    assert asked.answer().rung.place == 0


def test_the_preferred_model_answers_where_it_can(stub: Stub, other: Stub, asking: Make) -> None:
    outcome = asking(settings(stub), settings(other)).answer()
    assert (outcome.rung.author.model, outcome.rung.author.fallback) == ("stub", False)
    assert not other.log


@pytest.mark.parametrize(
    ("turn", "reason"),
    [
        (error(400, "unsupported"), Reason.REQUEST_REFUSED),
        (error(400, "not that", code="content_filter"), Reason.REQUEST_REFUSED),
        (Turn(text="", finish_reason="content_filter"), Reason.UPSTREAM_ERROR),
        (Turn(text="", finish_reason="tool_calls"), Reason.UPSTREAM_ERROR),
        (Turn(text=""), Reason.UPSTREAM_ERROR),
    ],
)
def test_what_is_the_matter_with_the_question_asks_nobody_else(
    stub: Stub, other: Stub, asking: Make, turn: Turn, reason: Reason
) -> None:
    stub.default = turn
    failure = asking(settings(stub), settings(other)).failure()
    assert failure.reason is reason
    assert not failure.about_model
    assert len(stub.log) == 1
    assert not other.log


def test_a_model_that_refuses_every_request_is_passed_by(
    stub: Stub, other: Stub, asking: Make
) -> None:
    stub.default = error(400, "Unsupported value: 'temperature'")
    asked = asking(settings(stub), settings(other))
    asked.readiness.failed(Failure(Reason.REQUEST_REFUSED, "as the trial found"))
    assert asked.answer().rung.place == 1


@pytest.mark.parametrize(
    ("window", "next_window", "place"),
    [(None, 9000, 1), (8000, 9000, 1), (8000, 8000, None), (8000, None, None), (None, None, None)],
)
def test_a_prompt_that_is_too_long_goes_to_a_model_that_is_known_to_take_more(
    stub: Stub,
    other: Stub,
    asking: Make,
    window: int | None,
    next_window: int | None,
    place: int | None,
) -> None:
    first = replace(settings(stub, "stub-too-long"), context_window=window)
    asked = asking(first, replace(settings(other), context_window=next_window))
    if place is None:
        assert asked.failure().reason is Reason.CONTEXT_TOO_LARGE
        assert not other.log
    else:
        assert asked.answer().rung.place == place


def test_when_all_fail_the_asker_is_told_who_and_when_to_come_back(
    stub: Stub, other: Stub, asking: Make
) -> None:
    stub.default = error(429, "slow down", headers={"Retry-After": "30"})
    other.default = error(503, "busy", headers={"Retry-After": "7"})
    failure = asking(settings(stub, "one"), settings(other, "two")).failure()
    assert (failure.reason, failure.status) == (Reason.NO_MODEL_ANSWERS, 503)
    assert failure.retry_after == 7
    assert failure.message == "one: RateLimited; two: UpstreamError"
    assert failure.about_model


def test_models_of_one_name_are_told_apart(stub: Stub, other: Stub, asking: Make) -> None:
    stub.default = error(401, "no")
    asked = asking(settings(stub, "same"), settings(other, "same"))
    asked.answer()
    calls = "va_assistant_model_calls_total"
    assert asked.counted(calls, rung="0", model="same", result="KeyRefused") == 1
    assert asked.counted(calls, rung="1", model="same", result="answered") == 1
    assert [model["state"] for model in asked.readiness.report().body["models"]] == [
        "Failed",
        "Ready",
    ]


def test_one_deadline_covers_all_models_and_leaves_each_a_share(
    stub: Stub, other: Stub, asking: Make
) -> None:
    stub.default = other.default = Turn(delay=-1)
    asked = asking(settings(stub), settings(other))
    started = time.monotonic()
    failure = asked.failure(0.8)
    assert failure.reason is Reason.NO_MODEL_ANSWERS
    assert 0.7 < time.monotonic() - started < 2
    [first], [second] = stub.log, other.log
    assert 0.3 < second.started - first.started < 0.7


def test_a_model_whose_circuit_is_open_gets_no_share(stub: Stub, other: Stub, asking: Make) -> None:
    asked = asking(settings(stub), settings(other))
    stub.default = other.default = error(401, "no")
    for _ in range(5):
        asked.failure()
    stub.default = Turn(delay=0.5)
    asked.ladder.rungs[0].answered()
    assert asked.answer(0.9).rung.place == 0


def test_a_fallback_takes_no_longer_than_its_own_limit(
    stub: Stub, other: Stub, asking: Make
) -> None:
    stub.default, other.default = error(401, "no"), Turn(delay=-1)
    asked = asking(settings(stub), settings(other, timeout_seconds=1))
    started = time.monotonic()
    asked.failure(30)
    assert time.monotonic() - started < 5


def test_a_stream_that_has_begun_has_the_whole_deadline(
    stub: Stub, other: Stub, asking: Make
) -> None:
    stub.default = Turn(pieces=10, piece_delay=0.08)
    assert asking(settings(stub), settings(other)).stream(1.2) == "Again. " * 10
    assert not other.log


@pytest.mark.parametrize("turn", [Turn(pieces=4, cut_at=2), Turn(pieces=4, malformed_at=2)])
def test_a_stream_that_breaks_off_after_its_first_piece_is_not_begun_anew(
    stub: Stub, other: Stub, asking: Make, turn: Turn
) -> None:
    stub.default = turn
    asked = asking(settings(stub), settings(other))
    with pytest.raises(Failure):
        asked.stream()
    assert len(stub.log) == 1
    assert not other.log
    assert asked.readiness.state(0) is ModelState.DEGRADED
    assert asked.readiness.doubted(0).is_set()


@pytest.mark.parametrize(
    "first",
    [error(500, "boom"), error(503, "busy"), Turn(cut_at=0), Turn(raw="<html>")],
    ids=["500", "503", "cut", "no answer"],
)
@pytest.mark.parametrize("stream", [False, True])
def test_one_more_try_is_made_before_the_first_piece(
    stub: Stub, other: Stub, asking: Make, first: Turn, stream: bool
) -> None:
    stub.turns(first)
    asked = asking(settings(stub), settings(other))
    assert (asked.stream() if stream else asked.answer().result.text) == ANSWER
    assert len(stub.log) == 2
    assert not other.log
    assert not asked.readiness.doubted(0).is_set()  # no trial is needed


@pytest.mark.parametrize("name", ["stub-401", "stub-404", "stub-429", "stub-quota", "stub-400"])
def test_what_another_try_does_not_cure_is_not_tried_again(
    stub: Stub, asking: Make, name: str
) -> None:
    asking(settings(stub, name)).failure()
    assert len(stub.log) == 1


@pytest.mark.parametrize(
    ("status", "tries"), [(500, 2), (502, 2), (503, 2), (504, 2), (529, 2), (409, 2), (408, 1)]
)
def test_a_model_is_tried_twice_at_most(stub: Stub, asking: Make, status: int, tries: int) -> None:
    stub.default = error(status, "boom")
    asking(settings(stub)).failure()
    assert len(stub.log) == tries


def test_the_last_model_is_waited_for_where_the_wait_is_short(stub: Stub, asking: Make) -> None:
    stub.turns(error(429, "slow down", headers={"Retry-After-Ms": "80"}))
    started = time.monotonic()
    assert asking(settings(stub)).answer().result.text == ANSWER
    assert time.monotonic() - started >= 0.08


@pytest.mark.parametrize(("wait", "seconds"), [("30", 60), ("300", 600), ("1", 0.5)])
def test_a_wait_that_is_long_or_does_not_fit_is_passed_on(
    stub: Stub, asking: Make, wait: str, seconds: float
) -> None:
    stub.default = error(429, "slow down", headers={"Retry-After": wait})
    assert asking(settings(stub)).failure(seconds).retry_after == float(wait)
    assert len(stub.log) == 1


@pytest.mark.parametrize("fallback", [False, True])
def test_a_failing_provider_gets_no_storm(
    stub: Stub, other: Stub, asking: Make, monkeypatch: pytest.MonkeyPatch, fallback: bool
) -> None:
    """The budget alone holds it: the circuit stays out of the way here."""
    monkeypatch.setattr(breaker, "FAILURES", 10_000)
    monkeypatch.setattr("random.uniform", lambda *_: 0.001)
    stub.default = error(500, "boom")
    asked = asking(settings(stub), *([settings(other)] if fallback else []))
    for _ in range(100):
        if fallback:
            asked.answer()
        else:
            asked.failure()
    assert len(stub.log) <= 111  # a tenth, and the one retry that is there from the start


def test_a_circuit_opens_after_five_failures_and_tells_when_to_come_back(
    stub: Stub, asking: Make
) -> None:
    stub.default = error(503, "busy")
    asked = asking(settings(stub))
    reasons = [asked.failure().reason for _ in range(20)]
    assert len(stub.log) == 5
    assert set(reasons[:4]) == {Reason.UPSTREAM_ERROR}
    failure = asked.failure()
    assert (failure.reason, failure.status) == (Reason.CIRCUIT_OPEN, 503)
    assert failure.retry_after
    assert 1 <= failure.retry_after <= 5
    assert "UpstreamError" in failure.message
    assert asked.counted("va_assistant_circuit_state", rung="0", model="stub") == 2
    # What the pod says of the model stays what the model said, and the pod stays in.
    report = asked.readiness.report()
    assert report.body["models"][0]["lastError"]["reason"] == "UpstreamError"
    assert report.ready


def test_behind_an_open_circuit_a_refused_key_is_still_a_refused_key(
    stub: Stub, asking: Make
) -> None:
    asked = asking(settings(stub), key="sk-wrong")
    assert {asked.failure().reason for _ in range(20)} == {Reason.KEY_REFUSED}
    assert len(stub.log) == 5


def test_questions_about_themselves_open_no_circuit(stub: Stub, asking: Make) -> None:
    stub.default = Turn(text="", finish_reason="content_filter")
    asked = asking(settings(stub))
    for _ in range(10):
        asked.failure()
    assert len(stub.log) == 10


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    "reason",
    [Reason.KEY_MISSING, Reason.CA_MISSING, Reason.CA_INVALID, Reason.BUDGET_SPENT],
)
def test_what_is_found_without_asking_anybody_opens_no_circuit(
    stub: Stub, asking: Make, reason: Reason
) -> None:
    [rung] = asking(settings(stub)).ladder.rungs
    for _ in range(10):
        rung.failed(Failure(reason, "so it is"))
    assert rung.circuit_state() == 0


def test_one_probe_is_made_of_an_open_circuit_and_an_answer_closes_it(
    stub: Stub, other: Stub, asking: Make
) -> None:
    stub.default = error(401, "no")
    asked = asking(settings(stub), settings(other))
    for _ in range(6):
        asked.answer()
    assert len(stub.log) == 5
    rung = asked.ladder.rungs[0]
    wait_for(lambda: rung.circuit_state() == 1)

    stub.default = Turn(delay=0.3)
    probe = threading.Thread(target=asked.answer)
    probe.start()
    stub.wait_for(lambda: len(stub.log) == 6)
    assert asked.answer().rung.place == 1  # meanwhile
    probe.join()
    assert rung.circuit_state() == 0
    assert asked.answer().rung.place == 0


@pytest.mark.usefixtures("quick")
def test_a_probe_whose_asker_leaves_makes_room_for_the_next(stub: Stub, asking: Make) -> None:
    stub.default = error(401, "no")
    asked = asking(settings(stub))
    for _ in range(5):
        asked.failure()
    wait_for(lambda: asked.ladder.rungs[0].circuit_state() == 1)

    def leave(_: Model, __: Deadline) -> None:
        raise AskerLeft

    with pytest.raises(AskerLeft):
        asked.ladder.climb(leave, Deadline.after(5, gap=5))
    stub.default = Turn()
    assert asked.answer().result.text == ANSWER


def test_an_embedded_fallback_takes_no_more_questions_than_it_can_answer(
    stub: Stub, other: Stub, asking: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("va_assistant.ladder.EMBEDDED_QUESTIONS", 1)
    stub.default, other.default = error(401, "no"), Turn(delay=0.4)
    embedded = model_settings(provider=Provider.EMBEDDED, name="small", base_url=other.url)
    other.keys = None
    asked = asking(settings(stub), embedded)
    first = threading.Thread(target=asked.answer)
    first.start()
    other.wait_for(lambda: len(other.log) == 1)
    failure = asked.failure()
    assert failure.message == "stub: KeyRefused; small: TooBusy"
    assert failure.retry_after == 1
    first.join()
    assert asked.answer().rung.place == 1  # there is room again


def test_a_trial_that_is_answered_closes_the_circuit(stub: Stub, asking: Make) -> None:
    stub.default = error(401, "no")
    asked = asking(settings(stub))
    for _ in range(5):
        asked.failure()
    stub.default = Turn()
    asked.ladder.rungs[0].answered()
    assert asked.answer().result.text == ANSWER
