"""How much the wording of a question says about whether its text answers it.

It should say nothing: a reranker that can tell from the question alone need not read the line.
Whoever writes near misses words them plainly, and words what is answered in other words than the
text's. What that gives away is weighed out of the material.
"""

import re
from collections import Counter
from collections.abc import Sequence

import torch
from torch import Tensor, nn

FOLDS = 4
SEEN = 8
"""Questions that a turn of words must be in."""

STEPS = 120
RATE = 0.05
SHRINKING = 3e-5
LEAST, MOST = 0.35, 3.0
"""Bounds of what a question counts."""


def weights(
    questions: Sequence[str], answered: Sequence[bool], texts: Sequence[str]
) -> list[float]:
    """Return what each question counts, so that its wording tells nothing; 1 where it does not.

    `texts` has the name of the text of each: none is judged by what was learnt from its own.
    """
    turns = [_turns(question) for question in questions]
    counted = Counter(turn for found in turns for turn in found)
    numbers = {turn: at for at, turn in enumerate(t for t, n in counted.items() if n >= SEEN)}
    known = [[numbers[turn] for turn in found if turn in numbers] for found in turns]
    truth = torch.tensor([float(one) for one in answered])
    folds = {name: at % FOLDS for at, name in enumerate(sorted(set(texts)))}
    chances = torch.zeros(len(questions))
    for fold in range(FOLDS):
        held = [at for at, name in enumerate(texts) if folds[name] == fold]
        rest = [at for at, name in enumerate(texts) if folds[name] != fold]
        judge = _Judge(len(numbers))
        judge.learn([known[at] for at in rest], truth[rest])
        with torch.no_grad():
            chances[held] = torch.sigmoid(judge([known[at] for at in held]))
    seen = torch.where(truth > 0, chances, 1 - chances)
    return (0.5 / seen).clamp(LEAST, MOST).tolist()


class _Judge(nn.Module):
    """A logistic regression over turns of words."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.turns = nn.EmbeddingBag(count, 1, mode="sum")
        self.shift = nn.Parameter(torch.zeros(1))
        nn.init.zeros_(self.turns.weight)

    def forward(self, questions: Sequence[Sequence[int]]) -> Tensor:
        ends = torch.tensor([0, *(len(one) for one in questions)]).cumsum(0)[:-1]
        flat = torch.tensor([turn for one in questions for turn in one])
        return self.turns(flat, ends).squeeze(1) + self.shift

    def learn(self, questions: Sequence[Sequence[int]], truth: Tensor) -> None:
        optimizer = torch.optim.Adam(self.parameters(), lr=RATE)
        for _ in range(STEPS):
            optimizer.zero_grad()
            loss = nn.functional.binary_cross_entropy_with_logits(self(questions), truth)
            (loss + SHRINKING * self.turns.weight.square().sum()).backward()
            optimizer.step()


def _turns(question: str) -> set[str]:
    """Return one, two and three words in a row; a name inside is any name."""
    words = ["^", *re.findall(r"[\w']+", question), "?" if "?" in question else "$"]
    plain = [w if at < 2 or not w[0].isupper() else "NAME" for at, w in enumerate(words)]
    said = [word if word == "NAME" else word.lower() for word in plain]
    return {
        " ".join(said[at : at + size]) for size in (1, 2, 3) for at in range(len(said) - size + 1)
    }
