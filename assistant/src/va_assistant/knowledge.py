"""What an assistant knows of its texts, and what it finds in them for one question; pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice

from va_assistant import relevance
from va_assistant.answerability import Judgement, Refusal, judge, lacks_name, nature
from va_assistant.asking import asked
from va_assistant.extraction import (
    NEAR,
    NEARLY_AS_GOOD,
    Candidate,
    best_lines,
    candidate,
    candidates,
    near_best,
    share_of_best,
)
from va_assistant.passages import Passage, Sentence
from va_assistant.questions import Turn
from va_assistant.retrieval import Found, Index
from va_assistant.revision import Revision

MAX_PASSAGES = 4
"""Passages that a model is given where it does not get the whole text."""

MAX_PASSAGE_CHARACTERS = 2400
OVERVIEW_SENTENCES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """What is known about a question before a model is asked."""

    found: Found
    ranked: tuple[Candidate, ...]
    judgement: Judgement
    lines: tuple[Sentence, ...]
    """What answers it best, in the texts' own words; none where nothing does."""

    nearby: tuple[Sentence, ...]
    """Those and what answers nearly as well: what a small model may answer from."""

    passages: tuple[Passage, ...]
    """What to ask a model with, in the order of the texts."""

    nearest: tuple[Sentence, ...] = ()
    """Where a reranker finds no answer: the lines that come nearest to one, the likeliest first."""


class Knowledge:
    """The texts of a revision, read and indexed; any thread may ask it."""

    def __init__(self, revision: Revision) -> None:
        self.revision = revision
        self._index = Index(revision.files)

    @property
    def passages(self) -> tuple[Passage, ...]:
        """All passages, in their order."""
        return self._index.passages

    @property
    def stems(self) -> bool:
        """Whether the texts are in English, so that words are stemmed."""
        return self._index.stems

    def study(self, question: str, history: Sequence[Turn] = ()) -> Study:
        """Return what the texts have for a question."""
        wanted = asked(question, history, stems=self._index.stems)
        found = self._index.search(wanted)
        ranked = candidates(found)
        if refusal := nature(question):
            judgement = Judgement(refusal=refusal)
        else:
            judgement = judge(found, ranked[0] if ranked else None)
        least = share_of_best(ranked, NEARLY_AS_GOOD)
        lines = self._opening() if wanted.is_overview else best_lines(wanted, ranked, least)
        nearby = near_best(ranked, share_of_best(ranked, NEAR))
        return Study(
            found=found,
            ranked=tuple(ranked),
            judgement=judgement,
            lines=tuple(lines),
            nearby=tuple(dict.fromkeys((*lines, *nearby))),
            passages=self._best_passages(ranked),
        )

    def respelt(self, question: str) -> str:
        """Return a question with its mistyped words as they are meant."""
        return self._index.respelt(question)

    def lines_to_rerank(self, study: Study) -> tuple[Sentence, ...]:
        """Return the lines of which a reranker should tell how well they answer, best first.

        None where that is settled, nor in texts whose language it has not learnt.
        """
        if not self._is_open(study):
            return ()
        return tuple(one.hit.sentence for one in study.ranked[: relevance.MOST_LINES])

    def further(self, study: Study) -> Iterator[Study]:
        """Yield studies of the lines that are not among the best, to rerank one after the other.

        Those that the rules have found go first, then all others in the order of the texts. What
        the rules think of the best line says nothing of these.
        """
        if not self._is_open(study):
            return
        rest = study.ranked[relevance.MOST_LINES :]
        others = (candidate(study.found.asked, hit) for hit in self._index.others(study.found))
        lines = islice(chain(rest, others), relevance.MOST_FURTHER_LINES)
        while part := tuple(islice(lines, relevance.MOST_LINES)):
            yield replace(study, ranked=part, judgement=Judgement(refusal=None))

    def _is_open(self, study: Study) -> bool:
        is_open = study.judgement.refusal in {None, Refusal.NOT_IN_TEXT}
        return is_open and self.stems and not study.found.asked.is_overview

    def reranked(self, study: Study, scores: Sequence[float]) -> Study:
        """Return a study with the scores of a reranker for its `lines_to_rerank`."""
        ranked = relevance.reranked(study.ranked, scores)
        best = ranked[0].score
        enough = relevance.ENOUGH + (relevance.DOUBT if study.judgement.refusal else 0.0)
        is_answer = best >= enough and not lacks_name(study.found, ranked[0])
        refusal = None if is_answer else Refusal.NOT_IN_TEXT
        lines = best_lines(study.found.asked, ranked, best - relevance.NEARLY_AS_GOOD)
        nearby = near_best(ranked, best - relevance.NEAR)
        return replace(
            study,
            ranked=tuple(ranked),
            judgement=Judgement(refusal=refusal, certain=False),
            lines=tuple(lines),
            nearby=tuple(dict.fromkeys((*lines, *nearby))),
            passages=self._best_passages(ranked),
        )

    def refused(self, study: Study, tried: Iterable[Study]) -> Study:
        """Return a study with the lines that come nearest in all that a reranker has refused."""
        reranked = chain.from_iterable(one.ranked for one in tried)
        return replace(study, nearest=relevance.nearest(reranked))

    def _opening(self) -> list[Sentence]:
        sentences = [sentence for passage in self.passages for sentence in passage.sentences]
        return sentences[:OVERVIEW_SENTENCES]

    def _best_passages(self, ranked: Sequence[Candidate]) -> tuple[Passage, ...]:
        chosen: dict[int, Passage] = {}
        size = 0
        for one in ranked:
            passage = one.hit.passage
            if id(passage) in chosen:
                continue
            size += sum(len(sentence.text) for sentence in passage.sentences)
            if chosen and size > MAX_PASSAGE_CHARACTERS:
                break
            chosen[id(passage)] = passage
            if len(chosen) == MAX_PASSAGES:
                break
        return tuple(sorted(chosen.values(), key=lambda p: (p.file, p.first_line)))
