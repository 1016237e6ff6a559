"""The assistant's own ways of answering, in this process."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from benchmarks.answers.asking import Ask, AskFailed, Beside
from benchmarks.answers.cases import Case
from benchmarks.answers.judging import Said
from va_assistant.deadlines import Deadline
from va_assistant.errors import Failure
from va_assistant.keys import NoKey
from va_assistant.knowledge import Knowledge
from va_assistant.ladder import Ladder
from va_assistant.metrics import Metrics
from va_assistant.model import Model
from va_assistant.passages import alone
from va_assistant.pipeline import SMALL_MODEL_LINES, Pipeline
from va_assistant.prompt import Query, build_prompt
from va_assistant.questions import Turn
from va_assistant.readiness import Readiness
from va_assistant.replies import Made
from va_assistant.reranker import Reranker
from va_assistant.revision import (
    EMBEDDED_MODEL,
    Provider,
    Revision,
    model_settings,
    revision_of_files,
)

PATIENCE_SECONDS = 120.0


@contextmanager
def retrieved(text: Path, beside: Beside) -> Iterator[Ask]:
    """Give what the model says to the lines that answer best, unchecked."""
    revision = revision_of(text, beside.url)
    knowledge = Knowledge(revision)
    with closing(_model(revision)) as model:

        def ask(case: Case) -> Said:
            nearby = knowledge.study(case.ask, turns(case)).nearby[:SMALL_MODEL_LINES]
            query = Query(
                question=case.ask, history=turns(case), passages=tuple(map(alone, nearby))
            )
            try:
                deadline = Deadline.after(PATIENCE_SECONDS, gap=PATIENCE_SECONDS)
                return Said(text=model.answer(query, deadline).text)
            except Failure as failure:
                raise AskFailed(f"{failure.reason}: {failure.message}") from failure

        yield ask


@contextmanager
def extraction(text: Path, beside: Beside) -> Iterator[Ask]:
    """Give what the assistant says by its rules alone: the best lines, or a refusal."""
    yield asking(pipeline_of(revision_of(text, beside.url), []))


@contextmanager
def reranked(text: Path, beside: Beside) -> Iterator[Ask]:
    """Give the lines that are the best for the reranker too."""
    yield asking(pipeline_of(revision_of(text, beside.url), [], _reranker(beside)))


@contextmanager
def ours(text: Path, beside: Beside) -> Iterator[Ask]:
    """Give the assistant's answers, from question to checked answer."""
    revision = revision_of(text, beside.url)
    with closing(_model(revision)) as model:
        yield asking(pipeline_of(revision, [model], _reranker(beside)))


def _reranker(beside: Beside) -> Reranker:
    """Return a reranker that has to give scores: by the rules alone it would be another way."""

    def failed() -> None:
        raise AskFailed("the reranker gave no scores")

    return Reranker(beside.reranker_port, failed)


def _model(revision: Revision) -> Model:
    return Model(revision.model, build_prompt(revision, revision.model), NoKey())


def revision_of(text: Path, model_url: str) -> Revision:
    """Return an assistant's revision that knows one text and has the embedded model."""
    model = model_settings(
        provider=Provider.EMBEDDED, name=EMBEDDED_MODEL, base_url=f"{model_url}/v1"
    )
    return revision_of_files([text], instructions=None, model=model)


def pipeline_of(
    revision: Revision, models: Sequence[Model], reranker: Reranker | None = None
) -> Pipeline:
    """Return the pipeline of a revision; without models it answers with lines of the text."""
    ladder = Ladder(models, Readiness(revision), Metrics())
    return Pipeline(Knowledge(revision), ladder, reranker)


def asking(pipeline: Pipeline) -> Ask:
    """Return a way that tells what a pipeline replied."""

    def ask(case: Case) -> Said:
        try:
            reply = pipeline.answer(case.ask, history=turns(case))
        except Failure as failure:
            raise AskFailed(f"{failure.reason}: {failure.message}") from failure
        nearest = tuple(line.text for line in reply.nearest)
        return Said(text=reply.text, refused=reply.made == Made.NO_ANSWER, nearest=nearest)

    return ask


def turns(case: Case) -> tuple[Turn, ...]:
    """Return what was said before, as the pipeline takes it."""
    return tuple(
        Turn(role=role, text=text)
        for exchange in case.before
        for role, text in zip(("user", "assistant"), exchange, strict=True)
    )
