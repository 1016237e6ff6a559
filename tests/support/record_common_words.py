"""Records `common_words.txt` from the embedded model: `python -m support.record_common_words`.

Run it in `tests/` whenever the model is another one. Its weights file opens with its tokenizer;
what of that is a whole word of small letters is common English.
"""

import re
import struct
from pathlib import Path
from typing import Any, BinaryIO

import va_assistant
from va_assistant.embedded import MODEL, weights_file

WORD = re.compile("Ġ([a-z]{4,})")
"""A token that begins a word; shorter ones are never taken for a mistyped word."""

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
    """Write the words beside the module that reads them."""
    with weights_file(MODEL).open("rb") as file:
        tokens = settings(file)["tokenizer.ggml.tokens"]
    words = sorted({match[1] for token in tokens if (match := WORD.fullmatch(token))})
    path = Path(va_assistant.__file__).with_name("common_words.txt")
    path.write_text("\n".join(words) + "\n", "ascii")


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
