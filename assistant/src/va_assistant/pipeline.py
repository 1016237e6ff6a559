"""From a question to a checked answer: study, ask a model, check what it says.

Whoever can answer a `prompt.Query` can be the model here. A question that the texts cannot
answer reaches none, so no wording of it can talk one into an answer.
"""

import socket
from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from typing import Protocol

from va_assistant.answerability import Refusal
from va_assistant.completions import Answer, Piece, Usage
from va_assistant.deadlines import Deadline
from va_assistant.grounding import Grounds, finished, says_nothing, split
from va_assistant.keys import KeySource
from va_assistant.knowledge import Knowledge, Study
from va_assistant.model import Model
from va_assistant.passages import Sentence, alone
from va_assistant.prompt import Query, build_prompt, sends_whole
from va_assistant.questions import Turn
from va_assistant.replies import Made, Part, Reply, Source, sources_of
from va_assistant.revision import ModelSettings, Provider, Revision

LONG_LINE = 300
"""Characters of a line from which a small model is asked to put it shorter."""

SMALL_MODEL_LINES = 4
"""Lines that a small model is given: with more it picks the wrong one more often."""

LONGEST_GAP_SECONDS = 15.0
"""Silence inside an answer that has begun, where nobody says otherwise."""


class Asks(Protocol):
    """A model, or several that stand in for each other."""

    @property
    def settings(self) -> ModelSettings:
        """What is set for the one that is asked first."""

    def answer(
        self, query: Query, deadline: Deadline, asker: socket.socket | None = None
    ) -> Answer:
        """Return the whole answer; raises a `Failure`."""

    def stream(
        self, query: Query, deadline: Deadline, asker: socket.socket | None = None
    ) -> Iterator[Piece]:
        """Return the answer as it is written."""

    def close(self) -> None:
        """Close what is open."""


class Pipeline:
    """Answers questions from the texts of one revision; any thread may ask."""

    def __init__(self, knowledge: Knowledge, model: Asks) -> None:
        self.knowledge = knowledge
        self.model = model
        revision = knowledge.revision
        self._settings = revision.answering
        self._is_whole = sends_whole(revision)
        self._is_small = revision.model.provider is Provider.EMBEDDED
        self._texts = tuple(file.text for file in revision.files)

    @classmethod
    def of(cls, revision: Revision, key: KeySource) -> "Pipeline":
        """Return the pipeline of a revision with its own model."""
        return cls(Knowledge(revision), Model(revision.model, build_prompt(revision), key))

    def answer(
        self,
        question: str,
        history: Sequence[Turn] = (),
        deadline: Deadline | None = None,
        asker: socket.socket | None = None,
    ) -> Reply:
        """Return the whole answer; raises a `Failure` where no model gives one."""
        study = self.knowledge.study(question, history)
        if not self._asks_model(study):
            return self.without_model(study)
        query = self._query(question, history, study)
        answer = self.model.answer(query, deadline or self._own_deadline(), asker)
        check = _Check(self._grounds(question, history, study), self._settings.no_answer_text)
        text = "".join(map(check.release, split(answer.text))) + check.release_rest()
        return self._reply(text, check, study, answer.finish_reason, answer.usage)

    def stream(
        self,
        question: str,
        history: Sequence[Turn] = (),
        deadline: Deadline | None = None,
        asker: socket.socket | None = None,
    ) -> Generator[Part]:
        """Return the answer sentence by sentence, each once it has been checked."""
        study = self.knowledge.study(question, history)
        if not self._asks_model(study):
            yield from _parts(self.without_model(study))
            return
        query = self._query(question, history, study)
        check = _Check(self._grounds(question, history, study), self._settings.no_answer_text)
        finish_reason, usage = "stop", None
        text = rest = ""
        pieces = self.model.stream(query, deadline or self._own_deadline(), asker)
        try:
            for piece in pieces:
                if piece.finish_reason is not None:
                    finish_reason, usage = piece.finish_reason, piece.usage
                rest += piece.text
                whole = len(rest) if piece.finish_reason is not None else finished(rest)
                for sentence in split(rest[:whole]):
                    if kept := check.release(sentence):
                        text += kept
                        yield Part(text=kept)
                rest = rest[whole:]
            if kept := check.release_rest():
                text += kept
                yield Part(text=kept)
        finally:
            close = getattr(pieces, "close", None)
            if close:
                close()
        reply = self._reply(text, check, study, finish_reason, usage)
        if not text:
            yield Part(text=reply.text)
        yield Part(reply=reply)

    def extract(self, question: str, history: Sequence[Turn] = ()) -> Reply:
        """Return the lines that answer best, without any model."""
        return self.without_model(self.knowledge.study(question, history))

    def without_model(self, study: Study) -> Reply:
        """Return what the texts say by themselves to a question that was studied."""
        if study.judgement.refusal or not study.lines:
            return self._nothing(study.judgement.refusal or Refusal.NOT_IN_TEXT)
        return Reply(
            text="\n".join(sentence.text for sentence in study.lines),
            made=Made.PASSAGES,
            sources=self._sources(study.lines),
        )

    def close(self) -> None:
        """Close the model's connections."""
        self.model.close()

    def _asks_model(self, study: Study) -> bool:
        judgement = study.judgement
        if judgement.refusal and (judgement.certain or self._is_small):
            return False
        if self._is_small:
            # It can only repeat what the lines say, and drops a fact now and then: it is asked
            # where they are too long to be read at a glance, and never to shorten a list.
            return not study.found.asked.wants_list and any(
                len(line.text) > LONG_LINE for line in study.lines
            )
        return self._is_whole or bool(study.passages)

    def _query(self, question: str, history: Sequence[Turn], study: Study) -> Query:
        passages = study.passages
        if self._is_small:
            passages = tuple(map(alone, study.nearby[:SMALL_MODEL_LINES]))
        return Query(question=question, history=tuple(history), passages=passages)

    def _grounds(self, question: str, history: Sequence[Turn], study: Study) -> Grounds:
        if self._is_small:
            nearby: Sequence[Sentence] = study.nearby
        else:
            nearby = [one.hit.sentence for one in study.ranked]
        return Grounds(
            question,
            [turn.text for turn in history if turn.role == "user"],
            nearby,
            texts=() if self._is_small else self._texts,
            strict=self._is_small,
            stems=self.knowledge.stems,
        )

    def _reply(
        self,
        text: str,
        check: "_Check",
        study: Study,
        finish_reason: str,
        usage: Usage | None,
    ) -> Reply:
        """Return what is left of a model's answer, or the lines in its place."""
        if not text:
            # What a small model says of what is not there is worth nothing: lines were found.
            nothing = check.said_nothing and not self._is_small
            reply = self._nothing() if nothing else self.without_model(study)
            return replace(reply, usage=usage, model_answered=True)
        return Reply(
            text=text.strip(),
            made=Made.MODEL,
            sources=self._sources(check.sources or study.lines[:1]),
            finish_reason=finish_reason,
            usage=usage,
            model_answered=True,
        )

    def _nothing(self, refusal: Refusal = Refusal.NOT_IN_TEXT) -> Reply:
        return Reply(text=self._settings.no_answer_text, made=Made.NO_ANSWER, refusal=refusal)

    def _sources(self, sentences: Sequence[Sentence]) -> tuple[Source, ...]:
        return sources_of(sentences) if self._settings.citations else ()

    def _own_deadline(self) -> Deadline:
        return Deadline.after(self.model.settings.timeout_seconds, gap=LONGEST_GAP_SECONDS)


class _Check:
    """Holds an answer back until the texts are seen to say it."""

    def __init__(self, grounds: Grounds, no_answer_text: str) -> None:
        self._grounds = grounds
        self._no_answer_text = no_answer_text
        self._held = ""
        """That something is not in the texts: said only beside what is."""

        self._released = False
        self.said_nothing = False
        self.sources: tuple[Sentence, ...] = ()

    def release(self, sentence: str) -> str:
        """Return what may be told once this sentence has come; nothing if it is unsupported."""
        if not sentence.strip():
            return sentence if self._released else ""
        if says_nothing(sentence, self._no_answer_text):
            self.said_nothing = True
            self._held += sentence
            return ""
        verdict = self._grounds.check(sentence)
        if not verdict.is_supported:
            return ""
        self.sources += verdict.sources
        told, self._held = self._held + sentence, ""
        if not self._released:
            told = told.lstrip()  # the first that was written may not be the first that is told
        self._released = True
        return told

    def release_rest(self) -> str:
        """Return what was held back, if it stands beside something that was told."""
        return self._held if self._released else ""


def _parts(reply: Reply) -> Iterator[Part]:
    yield Part(text=reply.text)
    yield Part(reply=reply)
