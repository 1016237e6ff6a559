"""Ask each question in all ways, one after the other, before the next question."""

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from benchmarks.answers.asking import NOTHING_BESIDE, Ask, AskFailed, AskLater, Beside
from benchmarks.answers.cases import TEXTS, Case
from benchmarks.answers.judging import Said, Verdict, has_fact_near, judge
from benchmarks.answers.report import unique
from benchmarks.answers.scores import Outcome
from va_assistant.embedded import ModelProcess

START_SECONDS = 60
TRIES = 5
LONGEST_WAIT_SECONDS = 120
"""Whoever wants a client back later than this has no answer for it."""

OpenWay = Callable[[Path, Beside], contextlib.AbstractContextManager[Ask]]
"""Makes a way ready for one text, given its own embedded model, where it needs one."""


@contextlib.contextmanager
def models(ways: Iterable[str]) -> Iterator[dict[str, Beside]]:
    """Start an embedded model for each way and tell where; they end with the block.

    Each has its own, so that none loses the prefix that its model remembers to another's
    prompts: in use, too, an assistant has its model to itself.
    """
    with contextlib.ExitStack() as stack:
        started: dict[str, ModelProcess] = {}
        for way in ways:
            started[way] = ModelProcess()
            stack.callback(started[way].stop)
        for process in started.values():
            process.wait_until_healthy(START_SECONDS)
        yield {
            way: Beside(url=f"http://127.0.0.1:{process.port}", reranker_port=process.reranker_port)
            for way, process in started.items()
        }


def play(
    cases: Iterable[Case], ways: Mapping[str, OpenWay], beside: Mapping[str, Beside]
) -> Iterator[Outcome]:
    """Ask all and tell what became of each; a way's first question of a text is not timed.

    It is asked twice and the second time counts: a pod, too, is ready only after a first
    answer, which has brought the text into the model's memory.
    """
    found = list(cases)
    for text in unique(case.text for case in found):
        own = [case for case in found if case.text == text]
        with contextlib.ExitStack() as stack:
            ready = {
                way: stack.enter_context(open_way(TEXTS / text, beside.get(way, NOTHING_BESIDE)))
                for way, open_way in ways.items()
            }
            for ask in ready.values():
                with contextlib.suppress(AskFailed):
                    patiently(ask, own[0])
            for case in own:
                for way, ask in ready.items():
                    yield one(way, case, ask)


def one(way: str, case: Case, ask: Ask) -> Outcome:
    """Ask one question in one way; the seconds are of the answer, not of waiting to be let in."""
    seconds = None
    try:
        said, seconds = patiently(ask, case)
        verdict = judge(case, said)
    except AskFailed as error:
        said, verdict = Said(text=str(error)), Verdict.FAILED
    return Outcome(
        way=way,
        text=case.text,
        set=case.set,
        kind=case.kind,
        ask=case.ask,
        refuses=case.refuses,
        answer=said.text,
        nearest=said.nearest,
        fact_is_near=has_fact_near(case, said),
        verdict=verdict,
        seconds=seconds,
    )


def patiently(ask: Ask, case: Case) -> tuple[Said, float]:
    """Return an answer and the seconds that it took; ask again when told to come back.

    Raises `AskFailed`, also after the last of some tries.
    """
    tries = 0
    while True:
        begin = time.perf_counter()
        try:
            said = ask(case)
        except AskLater as later:
            tries += 1
            if tries == TRIES or later.seconds > LONGEST_WAIT_SECONDS:
                raise
            time.sleep(later.seconds)
        else:
            return said, time.perf_counter() - begin
