"""Train the reranker on the material: `python train.py --out reranker.pt`.

An hour or two on two cores. Every question comes `--visits` times, each time with its answers,
with lines that the rules find for it and with one that they do not; below all headings, below the
last or below none, for many a text has none. What its wording gives away is weighed out.
"""

import argparse
import random
import time
from collections.abc import Iterator
from pathlib import Path

import torch
import wording
from material import Question, Text, crossed, texts
from reranker_net import Net, padded, tokenizer
from torch import nn

RATE = 1.2e-4
HEAD_RATE = 5 * RATE
"""The one row of weights begins from nothing."""

WARM_UP_STEPS = 60
BATCH = 64
RIGHT_WEIGHT = 2.5
"""What a right line counts beside a wrong one, of which there are some five times as many."""

NEAREST = 2
"""Wrong lines that the rules like most."""

WAYS = (0.5, 0.15, 0.35)
"""How often lines are shown below all headings, the last, none."""

Case = tuple[Text, Question, float]
"""A question, the text it is asked of, and what it counts."""


def wrong_lines(question: Question, text: Text, chance: random.Random) -> list[int]:
    """Return wrong lines: near ones, one found, one not."""
    found = [line for line in question.found if line not in question.answers]
    others = found[NEAREST:9]
    wrong = found[:NEAREST] + chance.sample(others, min(1 + (not question.answers), len(others)))
    rest = sorted(set(range(len(text.sentences))) - set(wrong) - question.answers)
    return wrong + chance.sample(rest, min(1, len(rest)))


def cases(found: list[Text], chance: random.Random) -> list[Case]:
    """Return all that is asked."""
    asked = [(text, question) for text in found for question in text.questions]
    asked += crossed(found, chance)
    counts = wording.weights(
        [question.text for _, question in asked],
        [bool(question.answers) for _, question in asked],
        [text.name for text, _ in asked],
    )
    return [(*one, count) for one, count in zip(asked, counts, strict=True)]


def visits(
    asked: list[Case], chance: random.Random
) -> Iterator[tuple[str, str, tuple[float, float]]]:
    """Yield question, line, whether it answers and what that counts; each question once."""
    for text, question, count in chance.sample(asked, len(asked)):
        (lines,) = chance.choices(text.ways, WAYS)
        for line in question.answers:
            yield question.text, lines[line], (1.0, count)
        for line in wrong_lines(question, text, chance):
            yield question.text, lines[line], (0.0, count)


def main() -> None:
    """Train and write the weights."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--visits", type=int, default=3)
    parser.add_argument("--texts", type=int, help="only so many, to see whether it works at all")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    torch.manual_seed(1)
    chance = random.Random(1)  # noqa: S311 - a repeatable order, not a secret
    asked = cases(list(texts())[: options.texts], chance)
    net, tokens = Net(), tokenizer()
    per_visit = sum(1 for _ in visits(asked, random.Random(1))) // BATCH + 1  # noqa: S311
    steps = options.visits * per_visit
    body = [p for name, p in net.named_parameters() if p.requires_grad and "out." not in name]
    optimizer = torch.optim.AdamW(
        [{"params": body, "lr": RATE}, {"params": net.out.parameters(), "lr": HEAD_RATE}]
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min(1, step / WARM_UP_STEPS) * max(0.01, 1 - step / steps)
    )
    judge = nn.BCEWithLogitsLoss(pos_weight=torch.tensor(RIGHT_WEIGHT), reduction="none")
    for visit in range(options.visits):
        pairs = [(tokens.encode(*pair[:2]).ids, pair[2]) for pair in visits(asked, chance)]
        # Pairs of like length, which need little padding, in batches of any order.
        pairs.sort(key=lambda pair: len(pair[0]) + 6 * chance.random())
        batches = [pairs[at : at + BATCH] for at in range(0, len(pairs), BATCH)]
        chance.shuffle(batches)
        began, lost = time.monotonic(), 0.0
        for batch in batches:
            with torch.autocast("cpu", dtype=torch.bfloat16):
                scores = net(*padded([pair for pair, _ in batch]))
            answers, counts = torch.tensor([said for _, said in batch]).unbind(1)
            loss = (judge(scores.float(), answers) * counts).mean()
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            lost += loss.item()
        seconds = time.monotonic() - began
        print(f"visit {visit + 1}: loss {lost / len(batches):.3f}, {seconds:.0f} s", flush=True)
    torch.save(net.state_dict(), options.out)


if __name__ == "__main__":
    main()
