"""Which lines of a text lie nearest a question, by the embedding of MiniLM as it comes.

The rules know only words. Lines that mean something alike are what a reranker takes for an answer.
"""

from collections.abc import Sequence
from dataclasses import replace

import torch
from material import Text
from reranker_net import LONGEST, Net, padded, tokenizer
from torch import Tensor, nn

KEPT = 4
"""Lines that are kept of each question."""

AT_ONCE = 128
"""Strings of like length that the network is given at once."""


def with_nearest(found: Sequence[Text], net: Net) -> list[Text]:
    """Return texts whose questions know their nearest lines, before the network has learnt."""
    of_questions = _embedded([one.text for text in found for one in text.questions], net)
    of_lines = _embedded([line for text in found for line in text.ways[0]], net)
    likeness = zip(
        found,
        of_questions.split([len(text.questions) for text in found]),
        of_lines.split([len(text.ways[0]) for text in found]),
        strict=True,
    )
    return [_with_near(text, questions @ lines.T) for text, questions, lines in likeness]


def _with_near(text: Text, likeness: Tensor) -> Text:
    nearest = likeness.argsort(dim=1, descending=True)[:, :KEPT].tolist()
    questions = zip(text.questions, nearest, strict=True)
    return replace(text, questions=tuple(replace(one, near=tuple(near)) for one, near in questions))


def _embedded(strings: Sequence[str], net: Net) -> Tensor:
    """Return a vector of length one for each."""
    tokens = tokenizer()
    tokens.enable_truncation(LONGEST)
    encoded = [tokens.encode(string).ids for string in strings]
    order = sorted(range(len(encoded)), key=lambda at: len(encoded[at]))
    found = []
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        for at in range(0, len(order), AT_ONCE):
            lot = [encoded[one] for one in order[at : at + AT_ONCE]]
            found.append(net.mean(*padded(lot)).float())
    vectors = torch.cat(found)[torch.tensor(order).argsort()]
    return nn.functional.normalize(vectors)
