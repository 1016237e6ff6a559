"""From a question to a checked answer: study, ask the models in turn, check what one says.

What a model is given and how strictly it is checked is a matter of the model that is asked, so a
fallback is treated as what it is. A question that the texts cannot answer reaches none, so no
wording of it can talk one into an answer; and where none answers, the texts speak for themselves.
"""

import socket
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from itertools import takewhile

from va_assistant.answerability import Refusal
from va_assistant.completions import Answer, Piece, Usage
from va_assistant.confidential import QUOTED, Listener, confidential_of, quotes
from va_assistant.deadlines import Deadline
from va_assistant.errors import Failure
from va_assistant.grounding import Grounds, finished, says_nothing, split
from va_assistant.knowledge import Knowledge, Study
from va_assistant.ladder import Ladder, Rung
from va_assistant.model import Model
from va_assistant.passages import Sentence, alone
from va_assistant.prompt import Query, sends_whole
from va_assistant.questions import Turn
from va_assistant.relevance import readings, shown
from va_assistant.replies import Author, Made, Part, Reply, Source, sources_of
from va_assistant.reranker import LONGEST_QUESTION, Reranker
from va_assistant.revision import ModelSettings, Provider
from va_assistant.traces import UNTRACED, Trace
from va_assistant.transport import TRACEPARENT

LONG_LINE = 300
"""Characters of a line from which a small model is asked to put it shorter."""

SMALL_MODEL_LINES = 4
"""Lines that a small model is given: with more it picks the wrong one more often."""

RERANK_SECONDS = 3.0
"""Longest wait for the reranker, several times what it takes, for others may come before."""

LONGEST_GAP_SECONDS = 15.0
"""Silence inside an answer that has begun, where nobody says otherwise."""


@dataclass(frozen=True, slots=True)
class _Case:
    """A question, what was said before it, and what the texts have for it."""

    question: str
    history: tuple[Turn, ...]
    study: Study


class Pipeline:
    """Answers questions from the texts of one revision; any thread may ask."""

    def __init__(
        self, knowledge: Knowledge, ladder: Ladder, reranker: Reranker | None = None
    ) -> None:
        """`ladder` has the models of the revision that `knowledge` is of.

        `reranker` stands beside an embedded model.
        """
        revision = knowledge.revision
        self._knowledge = knowledge
        self._ladder = ladder
        self._reranker = reranker
        self._settings = revision.answering
        self._timeout_seconds = revision.model.timeout_seconds
        self._sent_whole = frozenset(
            model for model in revision.models if sends_whole(revision, model)
        )
        self._texts = tuple(file.text for file in revision.files)
        self._confidential = confidential_of(revision)

    def answer(
        self,
        question: str,
        history: Sequence[Turn] = (),
        deadline: Deadline | None = None,
        asker: socket.socket | None = None,
        trace: Trace = UNTRACED,
    ) -> Reply:
        """Return the whole answer; raises a `Failure` where neither model nor text gives one."""
        deadline = deadline or self._own_deadline()
        case = self._case(question, history, deadline, trace)
        rungs = self._rungs_to_ask(case.study)
        if not rungs:
            return self._without_model(case.study)

        def ask(model: Model, left: Deadline) -> Answer:
            with self._unquoted(case), trace.asking(model.settings) as call:
                TRACEPARENT.set(call.traceparent)
                return call.told(model.answer(_query(case, model.settings), left, asker))

        try:
            outcome = self._ladder.climb(ask, deadline, rungs)
        except Failure as failure:
            return self._instead(case.study, rungs, failure)
        answer = outcome.result
        with trace.checking():
            check = self._check(case, outcome.rung)
            for sentence in split(answer.text):
                check.release(sentence)
            check.release_rest()
            return self._reply(case, outcome.rung, check, answer.finish_reason, answer.usage)

    def stream(
        self,
        question: str,
        history: Sequence[Turn] = (),
        deadline: Deadline | None = None,
        asker: socket.socket | None = None,
        trace: Trace = UNTRACED,
    ) -> Generator[Part]:
        """Return the answer sentence by sentence, each once it has been checked."""
        deadline = deadline or self._own_deadline()
        case = self._case(question, history, deadline, trace)
        rungs = self._rungs_to_ask(case.study)
        if not rungs:
            yield from _parts(self._without_model(case.study))
            return

        def ask(model: Model, left: Deadline) -> Generator[Piece]:
            with self._unquoted(case):
                call = trace.asking(model.settings, stream=True)
                TRACEPARENT.set(call.traceparent)
                yield from call.telling(model.stream(_query(case, model.settings), left, asker))

        def tell(rung: Rung, pieces: Generator[Piece]) -> Generator[Part]:
            check = self._check(case, rung)
            with trace.checking(), closing(pieces):
                last = yield from _released(pieces, check, rung.author)
                reply = self._reply(case, rung, check, last.finish_reason or "stop", last.usage)
            yield from _parts(reply, is_told=bool(check.told))

        try:
            outcome = self._ladder.climb_for_stream(ask, tell, deadline, rungs)
        except Failure as failure:
            yield from _parts(self._instead(case.study, rungs, failure))
            return
        with closing(outcome.result) as parts:
            yield from parts

    def _case(
        self, question: str, history: Sequence[Turn], deadline: Deadline, trace: Trace
    ) -> _Case:
        with trace.studying():
            study = self._knowledge.study(question, history)
            if self._reranker:
                study = self._reranked(self._reranker, study, readings(question, history), deadline)
            return _Case(question, tuple(history), study)

    def _reranked(
        self, reranker: Reranker, study: Study, read: Sequence[str], deadline: Deadline
    ) -> Study:
        """Return a study as the reranker sees it, or as it is where no scores come."""
        # Half of the time is left to whoever writes.
        deadline = deadline.part(min(deadline.left() / 2, RERANK_SECONDS))
        # Further lines are a second chance: they may not make others wait as long again.
        patience = deadline.left() / 2
        asked = [self._knowledge.respelt(question[-LONGEST_QUESTION:]) for question in read]
        tried = self._scored(reranker, study, asked, deadline)
        if tried is None:
            return study
        best = tried[-1] if tried else study
        if not best.judgement.refusal:
            return best
        for part in self._knowledge.further(study):
            if deadline.left() < patience:
                break
            found = self._scored(reranker, part, asked[:1], deadline)
            if found is None:
                break
            tried += found
            if not tried[-1].judgement.refusal:
                return tried[-1]
        return self._knowledge.refused(best, tried)

    def _scored(
        self, reranker: Reranker, study: Study, asked: Sequence[str], deadline: Deadline
    ) -> list[Study] | None:
        """Return a study with scores for each reading, down to the first that finds an answer.

        None where no scores come; empty where there are no lines to score.
        """
        lines = [shown(line) for line in self._knowledge.lines_to_rerank(study)]
        found: list[Study] = []
        for question in asked if lines else ():
            scores = reranker.scores(question, lines, deadline.left())
            if scores is None:
                return None
            found.append(self._knowledge.reranked(study, scores))
            if not found[-1].judgement.refusal:
                break
        return found

    def _rungs_to_ask(self, study: Study) -> Sequence[Rung]:
        """Return the models that are worth asking, down to the first that is not.

        Where that one's turn comes, the texts speak in its place.
        """
        return list(
            takewhile(lambda rung: self._asks(rung.model.settings, study), self._ladder.rungs)
        )

    def _asks(self, model: ModelSettings, study: Study) -> bool:
        judgement = study.judgement
        if judgement.refusal and (judgement.certain or _is_small(model)):
            return False
        if _is_small(model):
            # It can only repeat what the lines say, and drops a fact now and then: it is asked
            # where they are too long to be read at a glance, and never to shorten a list.
            return not study.found.asked.wants_list and any(
                len(line.text) > LONG_LINE for line in study.lines
            )
        return model in self._sent_whole or bool(study.passages)

    @contextmanager
    def _unquoted(self, case: _Case) -> Iterator[None]:
        """Make sure that no failure quotes the question: it goes to the log and to the status."""
        try:
            yield
        except Failure as failure:
            asked = (case.question, *(turn.text for turn in case.history))
            passages = (s.text for one in case.study.passages for s in one.sentences)
            if quotes(failure.message, (*asked, *passages)):
                failure.message = QUOTED
            raise

    def _check(self, case: _Case, rung: Rung) -> "_Check":
        is_small, study = _is_small(rung.model.settings), case.study
        nearby = study.nearby if is_small else [one.hit.sentence for one in study.ranked]
        grounds = Grounds(
            case.question,
            [turn.text for turn in case.history if turn.role == "user"],
            nearby,
            texts=() if is_small else self._texts,
            strict=is_small,
            stems=self._knowledge.stems,
        )
        return _Check(grounds, self._settings.no_answer_text, self._confidential.listener())

    def _reply(
        self, case: _Case, rung: Rung, check: "_Check", finish_reason: str, usage: Usage | None
    ) -> Reply:
        """Return what is left of a model's answer, or the lines in its place."""
        if not check.told:
            # What a small model says of what is not there is worth nothing: lines were found.
            nothing = check.said_nothing and not _is_small(rung.model.settings)
            reply = self._nothing() if nothing else self._without_model(case.study)
            return replace(reply, author=rung.author, usage=usage)
        return Reply(
            text=check.told.strip(),
            made=Made.MODEL,
            author=rung.author,
            sources=self._sources(check.sources),
            finish_reason=finish_reason,
            usage=usage,
        )

    def _without_model(self, study: Study) -> Reply:
        """Return what the texts say by themselves to a question that was studied."""
        if study.judgement.refusal or not study.lines:
            return self._nothing(study.judgement.refusal or Refusal.NOT_IN_TEXT, study.nearest)
        return Reply(
            text="\n".join(sentence.text for sentence in study.lines),
            made=Made.PASSAGES,
            sources=self._sources(study.lines),
        )

    def _instead(self, study: Study, asked: Sequence[Rung], failure: Failure) -> Reply:
        """Return what the texts say in place of the models; raises the failure where they cannot.

        That they have no lines is no answer: a large model might have found one. Where a model
        comes next that was not worth asking, the texts have the last word.
        """
        is_last_word = len(asked) < len(self._ladder.rungs)
        has_lines = study.lines and not study.judgement.refusal
        if not failure.about_model or not (is_last_word or has_lines):
            raise failure
        author = Author(model=None, fallback=True)
        return replace(self._without_model(study), author=author, instead_of=failure)

    def _nothing(
        self, refusal: Refusal = Refusal.NOT_IN_TEXT, nearest: Sequence[Sentence] = ()
    ) -> Reply:
        return Reply(
            text=self._settings.no_answer_text,
            made=Made.NO_ANSWER,
            nearest=self._sources(nearest),
            refusal=refusal,
        )

    def _sources(self, sentences: Sequence[Sentence]) -> tuple[Source, ...]:
        return sources_of(sentences) if self._settings.citations else ()

    def _own_deadline(self) -> Deadline:
        return Deadline.after(self._timeout_seconds, gap=LONGEST_GAP_SECONDS)


class _Check:
    """Holds an answer back until the texts are seen to say it."""

    def __init__(self, grounds: Grounds, no_answer_text: str, listener: Listener) -> None:
        self._grounds = grounds
        self._no_answer_text = no_answer_text
        self._listener = listener
        self._held = ""
        """That something is not in the texts: said only beside what is."""

        self.told = ""
        """All that was released."""

        self.said_nothing = False
        self.sources: tuple[Sentence, ...] = ()

    def release(self, sentence: str) -> str:
        """Return what may be told once this sentence has come; nothing if it is unsupported."""
        if not sentence.strip():
            return self._tell(sentence) if self.told else ""
        if self._listener.would_give_away(sentence):
            return ""
        if says_nothing(sentence, self._no_answer_text):
            self.said_nothing = True
            self._held += sentence
            return ""
        verdict = self._grounds.check(sentence)
        if not verdict.is_supported:
            return ""
        self.sources += verdict.sources
        return self._tell(sentence)

    def release_rest(self) -> str:
        """Return what was held back, if it stands beside something that was told."""
        return self._tell("") if self.told else ""

    def _tell(self, sentence: str) -> str:
        text, self._held = self._held + sentence, ""
        if not self.told:
            text = text.lstrip()  # the first that was written may not be the first that is told
        self.told += text
        self._listener.hear(text)
        return text


def _is_small(model: ModelSettings) -> bool:
    return model.provider is Provider.EMBEDDED


def _query(case: _Case, model: ModelSettings) -> Query:
    passages = case.study.passages
    if _is_small(model):
        passages = tuple(map(alone, case.study.nearby[:SMALL_MODEL_LINES]))
    return Query(question=case.question, history=case.history, passages=passages)


def _released(
    pieces: Iterable[Piece], check: _Check, author: Author
) -> Generator[Part, None, Piece]:
    """Yield each sentence of a stream that may be told; return the piece that ended it."""
    rest, last = "", Piece()
    for piece in pieces:
        rest += piece.text
        whole = finished(rest)
        if piece.finish_reason is not None:
            whole, last = len(rest), piece
        for sentence in split(rest[:whole]):
            if kept := check.release(sentence):
                yield Part(author=author, text=kept)
        rest = rest[whole:]
    if kept := check.release_rest():
        yield Part(author=author, text=kept)
    return last


def _parts(reply: Reply, *, is_told: bool = False) -> Iterator[Part]:
    """Yield a reply, or only its end where its text was told already."""
    if not is_told:
        yield Part(author=reply.author, text=reply.text)
    yield Part(author=reply.author, reply=reply)
