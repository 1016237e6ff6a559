"""Records `common_words.txt`: `python -m support.record_common_words`.

Run it in `tests/` whenever the embedded model or the reranker's material is another one. The
model's weights file opens with its tokenizer; what of that is a whole word is English or a name,
but for the beginnings of common words (`Befor`). So is what the texts of the material say; what
several of them say is common in such texts.
"""

import json
import re
import struct
from collections import Counter
from pathlib import Path
from typing import Any, BinaryIO

import va_assistant
from va_assistant.embedded import MODEL, weights_file

WORD = re.compile("Ġ([a-z]{4,}|[A-Z][a-z]{3,})")
"""A token that begins a word; shorter ones are never taken for a mistyped word."""

WORD_OF_A_TEXT = re.compile(r"(?<![\w@./'-])[A-Za-z][a-z]{3,19}(?![\w@/'-]|\.\w)")
MATERIAL = Path(__file__).parents[2] / "reranker" / "training" / "texts"

COMMON_IN = 3
"""Texts that have a word which is common in such texts."""

NUMBERS = {
    0: "B",
    1: "b",
    2: "H",
    3: "h",
    4: "I",
    5: "i",
    6: "f",
    7: "?",
    10: "Q",
    11: "q",
    12: "d",
}
TEXT, LIST = 8, 9
"""Kinds of values in a GGUF file."""


def main() -> None:
    """Write the words where they are read: the common ones, a blank line, the rest."""
    with weights_file(MODEL).open("rb") as file:
        tokens = settings(file)["tokenizer.ggml.tokens"]
    in_texts = Counter(
        word
        for file in MATERIAL.glob("*.jsonl")
        for row in file.read_text("utf-8").splitlines()
        for word in set(WORD_OF_A_TEXT.findall(json.loads(row)["text"]))
    )
    common = [word for word, count in in_texts.items() if count >= COMMON_IN and word.islower()]
    common.sort(key=lambda word: (-in_texts[word], word))
    beginnings = {word[:end] for word in common for end in range(4, len(word))}
    tokenized = {match[1] for token in tokens if (match := WORD.fullmatch(token))}
    words = {word for word in tokenized if word.islower() or word.lower() not in beginnings}
    rest = sorted({word.lower() for word in words.union(in_texts)}.difference(common))
    path = Path(va_assistant.__file__).with_name("common_words.txt")
    path.write_text("\n".join((*common, "", *rest)) + "\n", "ascii")


def settings(file: BinaryIO) -> dict[str, Any]:
    """Return what stands before the weights: after the mark and the version, two counts."""
    file.seek(len(b"GGUF") + 4)
    _tensors, count = number(file, "Q"), number(file, "Q")
    return {text(file): value(file, number(file, "I")) for _ in range(count)}


def value(file: BinaryIO, kind: int) -> Any:
    """Return the next value of a kind."""
    if kind == TEXT:
        return text(file)
    if kind == LIST:
        of, count = number(file, "I"), number(file, "Q")
        return [value(file, of) for _ in range(count)]
    return number(file, NUMBERS[kind])


def number(file: BinaryIO, form: str) -> Any:
    """Return the next number."""
    return struct.unpack(f"<{form}", file.read(struct.calcsize(f"<{form}")))[0]


def text(file: BinaryIO) -> str:
    """Return the next text, which begins with its length."""
    return file.read(number(file, "Q")).decode("utf-8")


if __name__ == "__main__":
    main()
