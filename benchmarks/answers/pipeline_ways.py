"""The assistant's own ways of answering, in this process."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from benchmarks.answers.asking import Ask, AskFailed
from benchmarks.answers.cases import Case
from benchmarks.answers.judging import Said
from va_assistant.errors import Failure
from va_assistant.keys import NoKey
from va_assistant.knowledge import Knowledge
from va_assistant.ladder import Ladder
from va_assistant.metrics import Metrics
from va_assistant.model import Model
from va_assistant.pipeline import Pipeline
from va_assistant.prompt import build_prompt
from va_assistant.questions import Turn
from va_assistant.readiness import Readiness
from va_assistant.replies import Made, Reply
from va_assistant.revision import (
    EMBEDDED_MODEL,
    Provider,
    Revision,
    model_settings,
    revision_of_files,
)

NO_MODEL = "http://127.0.0.1:9"
"""Where nothing listens: what asks a model all the same fails, and is counted so."""


@contextmanager
def ours(text: Path, model_url: str) -> Iterator[Ask]:
    """Give the assistant's answers, from question to checked answer."""
    revision = revision_of(text, model_url)
    with closing(Model(revision.model, build_prompt(revision, revision.model), NoKey())) as model:
        pipeline = pipeline_of(revision, [model])
        yield asking(lambda case: pipeline.answer(case.ask, history=turns(case)))


@contextmanager
def extraction(text: Path, model_url: str) -> Iterator[Ask]:
    """Give what the assistant says where no model can be had: the best lines."""
    pipeline = pipeline_of(revision_of(text, model_url or NO_MODEL), [])
    yield asking(lambda case: pipeline.answer(case.ask, history=turns(case)))


def revision_of(text: Path, model_url: str) -> Revision:
    """Return an assistant's revision that knows one text and has the embedded model."""
    model = model_settings(
        provider=Provider.EMBEDDED, name=EMBEDDED_MODEL, base_url=f"{model_url}/v1"
    )
    return revision_of_files([text], instructions=None, model=model)


def pipeline_of(revision: Revision, models: Sequence[Model]) -> Pipeline:
    """Return the pipeline of a revision; without models it answers with lines of the text."""
    return Pipeline(Knowledge(revision), Ladder(models, Readiness(revision), Metrics()))


def asking(answer: Callable[[Case], Reply]) -> Ask:
    """Return a way that tells what a pipeline replied."""

    def ask(case: Case) -> Said:
        try:
            reply = answer(case)
        except Failure as failure:
            raise AskFailed(f"{failure.reason}: {failure.message}") from failure
        return Said(text=reply.text, refused=reply.made == Made.NO_ANSWER)

    return ask


def turns(case: Case) -> tuple[Turn, ...]:
    """Return what was said before, as the pipeline takes it."""
    return tuple(
        Turn(role=role, text=text)
        for exchange in case.before
        for role, text in zip(("user", "assistant"), exchange, strict=True)
    )
