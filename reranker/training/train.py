"""Train the reranker on the material: `python train.py --out reranker.pt`.

Each visit of all questions takes three quarters of an hour on two cores. Every question comes with
its answers, with lines that the rules or an embedding find for it and with one by chance; below
all headings, below the last or below none, for many a text has none; sometimes mistyped. Two
things are learnt at once: whether a line answers, where what the question's wording gives away is
weighed out, and that an answer comes before the other lines of its question, where wording cannot
tell anything.
"""

import argparse
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import mistyping
import to_gguf
import torch
import wording
from material import Question, Text, texts
from nearness import with_nearest
from reranker_net import Net, padded, tokenizer
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

RATE = 1.2e-4
HEAD_FASTER = 5
"""Times as fast learns the one row of weights that begins from nothing."""

KEPT = 0.998
"""Of the mean of the weights over the steps, which is what is written: it errs less than any."""

WARM_UP_STEPS = 60
BATCH = 26
"""Questions, with some five lines each."""

SAVED_EVERY = 500
"""Batches after which what is reached so far is written."""

AT_ONCE = 32
"""Lines of like length that the network is given at once: it needs little padding then."""

RIGHT_WEIGHT = 2.5
"""What a right line counts beside a wrong one, of which there are some five times as many."""

CHOOSING = 0.5
"""What it counts that an answer comes first, beside whether lines answer."""

NEAREST = 2
"""Wrong lines that the rules like most, and as many that an embedding does."""

WAYS = (0.5, 0.15, 0.35)
"""How often lines are shown below all headings, the last, none."""

Case = tuple[Text, Question, float]
"""A question, the text it is asked of, and what it counts."""


@dataclass(frozen=True, slots=True)
class Visit:
    """A question with lines, the right ones first, all as tokens."""

    pairs: tuple[list[int], ...]
    right: int
    """How many of the lines answer it."""

    count: float


def wrong_lines(question: Question, text: Text, chance: random.Random) -> list[int]:
    """Return wrong lines: those that are most like an answer, and one by chance."""
    found = [line for line in question.found if line not in question.answers]
    near = [line for line in question.near if line not in question.answers]
    wrong = list(dict.fromkeys(found[:NEAREST] + near[:NEAREST]))
    rest = sorted(set(range(len(text.sentences))) - set(wrong) - question.answers)
    return wrong + chance.sample(rest, min(1, len(rest)))


def cases(found: list[Text]) -> list[Case]:
    """Return all that is asked."""
    asked = [(text, question) for text in found for question in text.questions]
    counts = wording.weights(
        [question.text for _, question in asked],
        [bool(question.answers) for _, question in asked],
        [text.name for text, _ in asked],
    )
    return [(*one, count) for one, count in zip(asked, counts, strict=True)]


def visits(asked: list[Case], chance: random.Random, tokens: Tokenizer) -> Iterator[Visit]:
    """Yield each question once."""
    for text, question, count in chance.sample(asked, len(asked)):
        (lines,) = chance.choices(text.ways, WAYS)
        typed = mistyping.typed(question.text, chance)
        shown = [*question.answers, *wrong_lines(question, text, chance)]
        yield Visit(
            tuple(tokens.encode(typed, lines[line]).ids for line in shown),
            len(question.answers),
            count,
        )


def scores_of(net: Net, pairs: Sequence[list[int]]) -> Tensor:
    """Return the score of each pair."""
    order = sorted(range(len(pairs)), key=lambda at: len(pairs[at]))
    lots = [order[at : at + AT_ONCE] for at in range(0, len(order), AT_ONCE)]
    scores = torch.cat([net(*padded([pairs[at] for at in lot])) for lot in lots])
    return scores[torch.tensor(order).argsort()]


def loss_of(scores: Tensor, batch: Sequence[Visit]) -> Tensor:
    """Return how far the scores of all lines of a batch are from what they should be."""
    right = [float(at < one.right) for one in batch for at in range(len(one.pairs))]
    counts = torch.tensor([one.count for one in batch for _ in one.pairs])
    answering = nn.functional.binary_cross_entropy_with_logits(
        scores, torch.tensor(right), pos_weight=torch.tensor(RIGHT_WEIGHT), reduction="none"
    )
    # For each answer: the chance that it is chosen among itself and the wrong lines.
    choosing = [
        torch.logsumexp(torch.cat((own[at : at + 1], own[one.right :])), 0) - own[at]
        for own, one in zip(scores.split([len(v.pairs) for v in batch]), batch, strict=True)
        for at in range(one.right)
    ]
    weighed = (answering * counts).mean()
    return weighed + CHOOSING * torch.stack(choosing).mean() if choosing else weighed


def learnt(mean: AveragedModel, began_as: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return what to write: half way from other weights, where it went on from some."""
    found = mean.module.state_dict()
    return {name: (one + began_as[name]) / 2 if began_as else one for name, one in found.items()}


def main() -> None:
    """Train and write the weights."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--visits", type=int, default=3)
    parser.add_argument("--texts", type=int, help="only so many, to see whether it works at all")
    parser.add_argument("--start", type=Path, help="weights to go on from, as llama.cpp reads them")
    parser.add_argument("--rate", type=float, default=RATE, help="of learning; less to go on")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    torch.manual_seed(1)
    chance = random.Random(1)  # noqa: S311 - a repeatable order, not a secret
    net, tokens = Net(), tokenizer()
    asked = cases(with_nearest(list(texts())[: options.texts], net))
    began_as: dict[str, Tensor] = {}
    if options.start:
        weights = to_gguf.read(str(options.start))
        began_as = {name: torch.from_numpy(one.copy()) for name, one in weights.items()}
        net.load_state_dict(began_as)
    mean = AveragedModel(net, multi_avg_fn=get_ema_multi_avg_fn(KEPT))
    steps = options.visits * -(-len(asked) // BATCH)
    body = [p for name, p in net.named_parameters() if p.requires_grad and "out." not in name]
    head_rate = options.rate if options.start else HEAD_FASTER * options.rate
    optimizer = torch.optim.AdamW(
        [{"params": body, "lr": options.rate}, {"params": net.out.parameters(), "lr": head_rate}]
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min(1, step / WARM_UP_STEPS) * max(0.01, 1 - step / steps)
    )
    for visit in range(options.visits):
        began, lost = time.monotonic(), 0.0
        found = list(visits(asked, chance, tokens))
        batches = [found[at : at + BATCH] for at in range(0, len(found), BATCH)]
        for number, batch in enumerate(batches, 1):
            with torch.autocast("cpu", dtype=torch.bfloat16):
                scores = scores_of(net, [pair for one in batch for pair in one.pairs])
            loss = loss_of(scores.float(), batch)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            mean.update_parameters(net)
            lost += loss.item()
            if not number % SAVED_EVERY:
                torch.save(learnt(mean, began_as), options.out)
        seconds = time.monotonic() - began
        print(f"visit {visit + 1}: loss {lost / len(batches):.3f}, {seconds:.0f} s", flush=True)
        torch.save(learnt(mean, began_as), options.out)


if __name__ == "__main__":
    main()
