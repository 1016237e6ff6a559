"""What a day may cost: what is counted, when nobody is asked any more, and what then answers."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from support.openai_stub import RIGHT_KEY, Stub, Turn, error
from support.serving import serve, wait_for, write_revision
from va_assistant.budget import AT_WORK_SECONDS, Budget, estimate, seconds_to_midnight
from va_assistant.completions import Usage
from va_assistant.deadlines import Deadline
from va_assistant.errors import AskerLeft, Failure, ModelState, Reason
from va_assistant.keys import GivenKey, NoKey
from va_assistant.ladder import Ladder
from va_assistant.metrics import Metrics
from va_assistant.model import Model
from va_assistant.prompt import Query, build_prompt
from va_assistant.readiness import Readiness, Trial
from va_assistant.revision import (
    ContextFile,
    Provider,
    Revision,
    model_settings,
    read_revision,
)

QUERY = Query(question="Which instrument is it, a cello?")
ANSWER = "Ada plays the cello."
PROMPT = b"x" * 300
"""A hundred tokens by the estimate."""


class Clock:
    """Stands where it is set."""

    def __init__(self) -> None:
        self.now = datetime(2026, 5, 4, 18, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def refused(budget: Budget) -> Failure:
    with pytest.raises(Failure) as failure:
        budget.hold(PROMPT)
    assert failure.value.reason is Reason.BUDGET_SPENT
    return failure.value


def spend(budget: Budget, tokens: int) -> None:
    charge = budget.hold(b"")
    charge.wrote("", Usage(prompt=tokens))
    charge.settle()


def test_what_the_provider_says_is_counted() -> None:
    budget = Budget(1000)
    charge = budget.hold(PROMPT)
    charge.wrote("", Usage(prompt=40, cached=30, completion=2))
    charge.settle()
    assert budget.spent == 42


def test_where_it_says_nothing_the_bytes_are_estimated() -> None:
    budget = Budget(1000)
    charge = budget.hold(PROMPT)
    charge.wrote("é" * 10, None)
    charge.wrote("x" * 10, Usage())
    charge.settle()
    assert budget.spent == 100 + estimate(30)


def test_a_call_is_counted_once() -> None:
    budget = Budget(1000)
    charge = budget.hold(PROMPT)
    charge.settle()
    charge.settle()
    charge.failed(AskerLeft())
    assert budget.spent == 100


def test_a_spent_budget_says_when_to_come_again(clock: Clock) -> None:
    budget = Budget(100, clock)
    spend(budget, 100)
    failure = refused(budget)
    assert (failure.status, failure.retry_after) == (429, 6 * 3600)
    assert failure.state is ModelState.DEGRADED
    assert failure.about_model
    assert failure.message == (
        "the day's budget of 100 tokens is spent; the next day begins at 00:00 UTC"
    )


def test_the_next_day_has_a_budget_of_its_own(clock: Clock) -> None:
    budget = Budget(100, clock)
    spend(budget, 250)
    clock.now += timedelta(hours=5, minutes=59)
    refused(budget)
    clock.now += timedelta(minutes=1)
    assert budget.spent == 0
    budget.hold(PROMPT).settle()
    refused(budget)


def test_a_clock_that_is_set_back_begins_no_day(clock: Clock) -> None:
    budget = Budget(100, clock)
    spend(budget, 100)
    clock.now -= timedelta(days=1)
    refused(budget)
    assert budget.spent == 100


def test_what_is_at_work_over_midnight_counts_for_the_new_day(clock: Clock) -> None:
    budget = Budget(1000, clock)
    charge = budget.hold(PROMPT)
    clock.now += timedelta(days=1)
    charge.settle()
    assert budget.spent == 100


def test_questions_at_once_go_beyond_it_by_one_prompt_at_most() -> None:
    budget = Budget(250)
    charges = [budget.hold(PROMPT) for _ in range(3)]
    failure = refused(budget)
    assert failure.retry_after == AT_WORK_SECONDS
    assert "at work" in failure.message
    for charge in charges:
        charge.wrote("", Usage(prompt=50))
        charge.settle()
    assert budget.spent == 150
    budget.hold(PROMPT).settle()
    refused(budget)


FREE = [
    *(Failure(reason, "no") for reason in (
        Reason.KEY_MISSING, Reason.KEY_REFUSED, Reason.CA_MISSING, Reason.MODEL_NOT_FOUND,
        Reason.REQUEST_REFUSED, Reason.CONTEXT_TOO_LARGE, Reason.HOST_NOT_FOUND,
        Reason.CONNECTION_REFUSED, Reason.TLS_FAILED, Reason.RATE_LIMITED, Reason.UPSTREAM_ERROR,
    )),
    Failure(Reason.REQUEST_REFUSED, "content policy", about_question=True),
]  # fmt: skip
BILLED = [
    Failure(Reason.TIMEOUT, "too slow"),
    Failure(Reason.CONNECTION_LOST, "cut"),
    Failure(Reason.UPSTREAM_ERROR, "withheld", about_question=True),
    AskerLeft(),
    GeneratorExit(),
]


@pytest.mark.parametrize(
    ("how", "cost"), [*((how, 0) for how in FREE), *((how, 100) for how in BILLED)], ids=repr
)
def test_what_a_call_without_an_answer_costs(how: BaseException, cost: int) -> None:
    budget = Budget(1000)
    budget.hold(PROMPT).failed(how)
    assert budget.spent == cost
    assert budget._held == 0


def test_the_end_of_the_day() -> None:
    assert seconds_to_midnight(datetime(2026, 12, 31, 23, 59, 30, tzinfo=UTC)) == 30
    assert seconds_to_midnight(datetime(2026, 5, 4, tzinfo=UTC)) == 24 * 3600


# A model


MakeModel = Callable[..., Model]


@pytest.fixture
def model() -> Iterator[MakeModel]:
    made: list[Model] = []

    def make(stub: Stub, budget: Budget | None, *, name: str = "stub") -> Model:
        settings = model_settings(
            provider=Provider.OPENAI, name=name, base_url=stub.url, timeout_seconds=5
        )
        key = GivenKey(RIGHT_KEY)
        prompt = build_prompt(a_revision(settings.base_url), settings)
        made.append(Model(settings, prompt, key, budget=budget))
        return made[-1]

    yield make
    for each in made:
        each.close()


def a_revision(*urls: str) -> Revision:
    first, *others = (
        model_settings(provider=Provider.OPENAI, name="stub", base_url=url) for url in urls
    )
    return Revision(
        name="r",
        instructions=None,
        files=(ContextFile(name="cv.md", text=ANSWER),),
        model=first,
        fallbacks=tuple(others),
    )


def deadline(seconds: float = 5) -> Deadline:
    return Deadline.after(seconds, gap=5)


def failure_of(of: Model, *, stream: bool) -> Failure:
    def ask() -> object:
        left = deadline(0.5)
        return list(of.stream(QUERY, left)) if stream else of.answer(QUERY, left)

    with pytest.raises(Failure) as failure:
        ask()
    return failure.value


def reported(stub: Stub, text: str = ANSWER) -> int:
    """Return the tokens of the last exchange as the stub tells them."""
    prompt = sum(len(message["content"].split()) for message in stub.log[-1].body["messages"])
    return prompt + len(text.split())


def test_an_answer_costs_what_the_provider_says(stub: Stub, model: MakeModel) -> None:
    budget = Budget(1_000_000)
    model(stub, budget).answer(QUERY, deadline())
    assert budget.spent == reported(stub)


def test_a_trial_costs_too(stub: Stub, model: MakeModel) -> None:
    budget = Budget(1_000_000)
    model(stub, budget).try_out(deadline())
    assert budget.spent == reported(stub, "Ada")


def test_a_stream_without_usage_costs_the_estimate(stub: Stub, model: MakeModel) -> None:
    budget = Budget(1_000_000)
    for _ in model(stub, budget).stream(QUERY, deadline()):
        pass
    size = len(stub.log[0].raw.encode())
    assert budget.spent == estimate(size) + estimate(len(ANSWER))


def test_a_stream_with_usage_costs_that(stub: Stub, model: MakeModel) -> None:
    usage = {"choices": [], "usage": {"prompt_tokens": 40, "completion_tokens": 2}}
    piece = {"choices": [{"delta": {"content": "Yes."}, "finish_reason": "stop"}]}
    events = "".join(f"data: {json.dumps(event)}\n\n" for event in (piece, usage))
    stub.default = Turn(raw=events + "data: [DONE]\n\n")
    budget = Budget(1_000_000)
    for _ in model(stub, budget).stream(QUERY, deadline()):
        pass
    assert budget.spent == 42


def test_a_stream_that_is_left_costs_what_was_written(stub: Stub, model: MakeModel) -> None:
    stub.default = Turn(pieces=100, hang_at=2)
    budget = Budget(1_000_000)
    pieces = model(stub, budget).stream(QUERY, deadline())
    next(pieces)
    next(pieces)
    pieces.close()
    assert budget.spent == estimate(len(stub.log[0].raw.encode())) + estimate(len("Again. " * 2))


@pytest.mark.parametrize("stream", [False, True])
def test_a_refusal_costs_nothing_and_a_lost_answer_does(
    stub: Stub, model: MakeModel, stream: bool
) -> None:
    budget = Budget(1_000_000)
    asked = model(stub, budget)

    for turn in (error(429, "slow down"), error(401, "no"), error(500, "boom")):
        stub.default = turn
        failure_of(asked, stream=stream)
    assert budget.spent == 0
    stub.default = Turn(delay=-1)
    assert failure_of(asked, stream=stream).reason is Reason.TIMEOUT
    assert budget.spent == estimate(len(stub.log[-1].raw.encode()))


@pytest.mark.parametrize("stream", [False, True])
def test_over_it_nobody_is_asked(stub: Stub, model: MakeModel, stream: bool) -> None:
    asked = model(stub, Budget(1))
    asked.answer(QUERY, deadline())
    for _ in range(3):
        assert failure_of(asked, stream=stream).reason is Reason.BUDGET_SPENT
    assert len(stub.log) == 1


# The ladder and the state of the models


@pytest.fixture
def other() -> Iterator[Stub]:
    with Stub() as running:
        yield running


def climb(ladder: Ladder) -> str:
    outcome = ladder.climb(lambda model, left: model.answer(QUERY, left), deadline())
    return f"{outcome.rung.place}: {outcome.result.text}"


def test_a_model_that_costs_nothing_answers_in_place_of_one_that_does(
    stub: Stub, other: Stub
) -> None:
    revision = a_revision(stub.url, other.url)
    other.keys = None
    budget = Budget(1)
    prompt = build_prompt(revision, revision.model)
    paid, free = revision.models
    models = [
        Model(paid, prompt, GivenKey(RIGHT_KEY), budget=budget),
        Model(free, prompt, NoKey()),
    ]
    readiness = Readiness(revision, budget=budget)
    ladder = Ladder(models, readiness, Metrics())
    assert climb(ladder) == f"0: {ANSWER}"
    assert [climb(ladder) for _ in range(12)] == [f"1: {ANSWER}"] * 12
    assert len(stub.log) == 1
    assert ladder.rungs[0].circuit_state() == 0
    body = readiness.report().body
    assert [entry["state"] for entry in body["models"]] == ["Degraded", "Ready"]
    assert body["models"][0]["lastError"]["reason"] == "BudgetSpent"
    assert body["budget"] == {"tokensPerDay": 1, "spent": budget.spent}
    for each in models:
        each.close()


def test_models_share_one_budget_and_its_word_is_passed_on(stub: Stub, other: Stub) -> None:
    revision = a_revision(stub.url, other.url)
    budget = Budget(1)
    spend(budget, 1)
    models = [
        Model(each, build_prompt(revision, each), GivenKey(RIGHT_KEY), budget=budget)
        for each in revision.models
    ]
    with pytest.raises(Failure) as failure:
        climb(Ladder(models, Readiness(revision), Metrics()))
    assert failure.value.reason is Reason.BUDGET_SPENT
    assert failure.value.retry_after
    assert not stub.log
    assert not other.log


def test_the_state_comes_right_by_itself_when_the_day_is_over(
    stub: Stub, tmp_path: Path, clock: Clock
) -> None:
    clock.now = datetime(2026, 5, 4, 23, 59, 59, 900_000, tzinfo=UTC)
    revision = read_revision(write_revision(tmp_path, baseURL=stub.url), name="r")
    budget = Budget(10, clock)
    spend(budget, 10)
    model = Model(
        revision.model, build_prompt(revision, revision.model), GivenKey(RIGHT_KEY), budget=budget
    )
    readiness = Readiness(revision, budget=budget)
    trial = Trial(model, readiness, first_pause=0.02, access_check=0.02)
    trial.start()
    try:
        wait_for(lambda: readiness.state() is ModelState.DEGRADED)
        assert readiness.report().ready
        assert not stub.log
        clock.now += timedelta(seconds=1)
        wait_for(lambda: readiness.state() is ModelState.READY)
        assert len(stub.log) == 1
    finally:
        trial.stop()
        trial.join(timeout=10)
        model.close()


def test_nothing_is_told_where_there_is_no_budget(tmp_path: Path) -> None:
    readiness = Readiness(read_revision(write_revision(tmp_path), name="r"))
    assert "budget" not in readiness.report().body


# A pod


def test_a_pod_answers_with_the_text_once_its_budget_is_spent(stub: Stub, tmp_path: Path) -> None:
    environment = {"VA_ASSISTANT_TOKENS_PER_DAY": "1"}  # the first trial takes it all
    with serve(tmp_path, stub, environment=environment) as served:
        served.wait_until_ready()
        spent = served.ready()["budget"]["spent"]
        assert spent > 1

        lines = served.ask("Which instrument does Ada play?")
        assert (lines.status, lines.headers["X-Answer-Made-By"]) == (200, "Passages")
        assert lines.text == "Ada plays the cello in a string quartet.\n"
        none = served.ask("What is her salary?", Accept="application/json")
        assert none.status == 429
        assert none.json["error"]["reason"] == "BudgetSpent"
        assert 0 < int(none.headers["Retry-After"]) <= 24 * 3600
        assert len(stub.log) == 1

        ready = served.ready()
        assert (ready["ready"], ready["models"][0]["state"]) == (True, "Degraded")
        assert ready["models"][0]["lastError"] == {
            "reason": "BudgetSpent",
            "message": "the day's budget of 1 tokens is spent; the next day begins at 00:00 UTC",
        }
        metrics = served.probe("/metrics").text
        assert f'va_assistant_budget_tokens{{kind="spent"}} {spent}.0\n' in metrics
        assert 'va_assistant_budget_tokens{kind="limit"} 1.0\n' in metrics


def test_a_server_without_a_key_costs_nothing(stub: Stub, tmp_path: Path) -> None:
    stub.keys = None
    environment = {
        "VA_ASSISTANT_TOKENS_PER_DAY": "1",
        "VA_ASSISTANT_FALLBACK_API_KEY_FILES": "[null]",
    }
    with serve(tmp_path, stub, environment=environment, fallbacks=[{"name": "local"}]) as served:
        served.wait_until_ready()
        wait_for(lambda: len(stub.log) == 2)
        reply = served.ask("What is her salary?", Accept="application/json")
        assert reply.status == 200
        assert stub.log[-1].body["model"] == "local"
        assert served.ready()["models"][1]["state"] == "Ready"
