"""Write trained weights as llama.cpp reads them: `python to_gguf.py reranker.pt reranker.gguf`.

llama.cpp has no mean of the last layer below a classifier, but it has the mean as an embedding. A
score is a sum over the mean, so the row of weights goes into the last layer's own scale and shift:
then the components of the embedding add up to the score. Read back, that row is all ones.
"""

import sys

import gguf
import numpy as np
import torch
from numpy.typing import NDArray
from reranker_net import BASE

LAYERS = 6
WIDTH = 384
PARTS = {
    "attention.self.query": "attn_q",
    "attention.self.key": "attn_k",
    "attention.self.value": "attn_v",
    "attention.output.dense": "attn_output",
    "attention.output.LayerNorm": "attn_output_norm",
    "intermediate.dense": "ffn_up",
    "output.dense": "ffn_down",
    "output.LayerNorm": "layer_output_norm",
}

PLAIN = {"position_embd.weight", "token_types.weight"}
"""Matrices that are not put into eight bits."""

Weights = dict[str, NDArray[np.float32]]


def folded(weights: Weights) -> Weights:
    """Return weights whose last layer carries the row of the score."""
    row, shift = weights["out.weight"][0], weights["out.bias"][0]
    last = f"bert.encoder.layer.{LAYERS - 1}.output.LayerNorm."
    return weights | {
        last + "weight": weights[last + "weight"] * row,
        last + "bias": weights[last + "bias"] * row + shift / WIDTH,
    }


def write(weights: Weights, path: str) -> None:
    """Write one file: what it is, its words, and its weights in eight bits."""
    file = gguf.GGUFWriter(path, "bert")
    file.add_name("virtual-assistant-reranker")
    file.add_license("apache-2.0")
    file.add_context_length(512)
    file.add_embedding_length(WIDTH)
    file.add_feed_forward_length(4 * WIDTH)
    file.add_block_count(LAYERS)
    file.add_head_count(12)
    file.add_layer_norm_eps(1e-12)
    file.add_causal_attention(value=False)
    file.add_pooling_type(gguf.PoolingType.MEAN)
    file.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0)
    _add_words(file)
    for ours, theirs in _names().items():
        _add(file, theirs, weights[ours], plain=theirs in PLAIN)
    file.write_header_to_file()
    file.write_kv_data_to_file()
    file.write_tensors_to_file()
    file.close()


def read(path: str) -> Weights:
    """Return the weights of a file that was written here; its scores are that file's."""
    tensors = {one.name: one for one in gguf.GGUFReader(path).tensors}
    found = {
        ours: gguf.quants.dequantize(tensors[theirs].data, tensors[theirs].tensor_type)
        for ours, theirs in _names().items()
    }
    return found | {
        "out.weight": np.ones((1, WIDTH), np.float32),
        "out.bias": np.zeros(1, np.float32),
    }


def _names() -> dict[str, str]:
    """Return what each tensor is called there, by its name here."""
    embeddings = "bert.embeddings."
    found = {
        f"{embeddings}word_embeddings.weight": "token_embd.weight",
        f"{embeddings}position_embeddings.weight": "position_embd.weight",
        f"{embeddings}token_type_embeddings.weight": "token_types.weight",
    }
    for kind in ("weight", "bias"):
        found[f"{embeddings}LayerNorm.{kind}"] = f"token_embd_norm.{kind}"
        for layer in range(LAYERS):
            for ours, theirs in PARTS.items():
                found[f"bert.encoder.layer.{layer}.{ours}.{kind}"] = f"blk.{layer}.{theirs}.{kind}"
    return found


def _add_words(file: gguf.GGUFWriter) -> None:
    """Add the tokenizer: llama.cpp marks what begins a word, BERT what does not."""
    words, types = [], []
    for word in (BASE / "vocab.txt").read_text("utf-8").removesuffix("\n").split("\n"):
        is_mark = len(word) > 2 and word.startswith("[") and word.endswith("]")
        types.append(gguf.TokenType.CONTROL if is_mark else gguf.TokenType.NORMAL)
        words.append(word if is_mark else word.removeprefix("##") if "##" in word else f"▁{word}")
    file.add_tokenizer_model("bert")
    file.add_token_type_count(2)
    file.add_token_list([word.encode() for word in words])
    file.add_token_types(types)
    for name, number in (("bos", 101), ("eos", 102), ("sep", 102), ("unk", 100), ("pad", 0)):
        getattr(file, f"add_{name}_token_id")(number)


def _add(
    file: gguf.GGUFWriter, name: str, values: NDArray[np.float32], *, plain: bool = False
) -> None:
    if plain or values.ndim == 1:
        file.add_tensor(name, values.astype(np.float32))
        return
    kind = gguf.GGMLQuantizationType.Q8_0
    file.add_tensor(name, gguf.quants.quantize(values, kind), raw_dtype=kind)


def main() -> None:
    """Convert one file."""
    source, target = sys.argv[1:]
    learnt = torch.load(source, map_location="cpu", weights_only=True)
    write(folded({name: one.float().numpy() for name, one in learnt.items()}), target)


if __name__ == "__main__":
    main()
