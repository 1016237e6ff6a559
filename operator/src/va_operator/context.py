"""What the assistant knows: from references to text, or to a clear reason why not."""

import hashlib
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from va_operator import reasons
from va_operator.api import ContextFile, Manifest, Model, VirtualAssistant
from va_operator.errors import ContextError

MAX_BYTES: Final = 1_000_000
"""All files of an assistant together; a ConfigMap takes 1 MiB with its keys and settings."""

CHARACTERS_PER_TOKEN: Final = 16
"""No tokenizer in use packs running text tighter than this on average (English takes about 4)."""

BYTES_PER_TOKEN: Final = 3
"""Of English prose the embedded model's tokenizer makes 3.5, of a price list 2.9, larger ones
more. Pods decide by it, too, what fits a model."""

MARKS_IN_A_ROW: Final = 30
"""The most of the Unicode Stream-Safe Text Format (UAX #15, section 13); no language comes near.

Sorting longer runs takes quadratic time: one such text would hold up the whole operator.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedFile:
    """One text as the pods get it."""

    name: str
    text: str

    @property
    def bytes(self) -> int:
        """Its size in UTF-8."""
        return len(self.text.encode())

    @property
    def digest(self) -> str:
        """The first twelve hexadecimal digits of its SHA-256."""
        return hashlib.sha256(self.text.encode()).hexdigest()[:12]


def resolve(
    assistant: VirtualAssistant, config_maps: Mapping[str, Manifest | None]
) -> tuple[ResolvedFile, ...]:
    """Return the files with their texts, ready for the pods.

    ``config_maps`` has an entry for every ConfigMap that is referred to, ``None``
    where there is none. Raises `ContextError`, which names the first file that
    cannot be used, or the numbers where all of them are too much.
    """
    texts = [_text(index, file, config_maps) for index, file in enumerate(assistant.files)]
    _check_size(sum(len(text.encode()) for text in texts))
    files = tuple(
        ResolvedFile(name=file.name, text=normalise(_stream_safe(text, index, file)))
        for index, (file, text) in enumerate(zip(assistant.files, texts, strict=True))
    )
    if not any(file.text.strip() for file in files):
        raise ContextError(
            reasons.CONTEXT_EMPTY, "`spec.context.files` must hold some text: all files are empty"
        )
    total = sum(file.bytes for file in files)
    _check_size(total)
    if assistant.context_mode == "Full":
        _check_window(assistant.model, assistant.instructions, files, total)
    return files


def longest_run_of_marks(text: str) -> int:
    """Return how many combining marks at most follow each other, in linear time."""
    if text.isascii():
        return 0
    # A few characters are no marks themselves but decompose into nothing else.
    decomposed = {char: unicodedata.normalize("NFD", char) for char in set(text)}
    marks = "".join(char for char, to in decomposed.items() if unicodedata.combining(to[0]))
    return max(map(len, re.findall(f"[{marks}]+", text))) if marks else 0


def _check_size(total: int) -> None:
    if total > MAX_BYTES:
        raise ContextError(
            reasons.CONTEXT_TOO_LARGE,
            f"`spec.context.files` must together have at most {MAX_BYTES} bytes; they have {total}",
        )


def _stream_safe(text: str, index: int, file: ContextFile) -> str:
    if longest_run_of_marks(text) > MARKS_IN_A_ROW:
        raise ContextError(
            reasons.CONTEXT_NOT_TEXT,
            f"`spec.context.files[{index}]` must be text that can be read: '{file.name}' has more "
            f"than {MARKS_IN_A_ROW} combining marks in a row",
        )
    return text


def normalise(text: str) -> str:
    """Return the text in the one form that prompts are made of.

    Line ends become LF, Unicode becomes NFC and a byte order mark goes, so that
    two files that look alike are alike, to the provider's prefix cache too.
    """
    return unicodedata.normalize(
        "NFC", text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    )


def fewest_tokens(text: str) -> int:
    """Return a lower bound of the tokens that any model needs for a text.

    Tokenizers of the kinds in use do not merge across the white space between words, so there
    is at least one token a word; text without spaces is bounded by its length. Repetitions
    (the padding of a table, a ruled line) do not count: a hundred of them can be one token.
    """
    running = re.sub(r"(.)\1{3,}", r"\1", text, flags=re.DOTALL)
    return max(len(re.findall(r"\S+", text)), len(running) // CHARACTERS_PER_TOKEN)


def estimated_tokens(instructions: str, files: tuple[ResolvedFile, ...]) -> int:
    """Return about how many tokens a model needs for all of it, mostly rather too many.

    Which tokenizer it has is not known here; a pod has its model count.
    """
    total = len(instructions.encode()) + sum(file.bytes for file in files)
    return -(-total // BYTES_PER_TOKEN)


def _text(index: int, file: ContextFile, config_maps: Mapping[str, Manifest | None]) -> str:
    ref, field = file.config_map, f"`spec.context.files[{index}]`"
    if ref is None:
        return _without_nul(file.inline or "", field, "`inline`")
    found = config_maps[ref.name]
    if found is None:
        raise ContextError(
            reasons.CONTEXT_NOT_FOUND,
            f"{field} must refer to a ConfigMap that exists: '{ref.name}' does not",
        )
    if ref.key in (found.get("binaryData") or {}):
        raise ContextError(
            reasons.CONTEXT_NOT_TEXT,
            f"{field} must be UTF-8 text: key '{ref.key}' of ConfigMap '{ref.name}' is binary",
        )
    data = found.get("data") or {}
    if ref.key not in data:
        known = ", ".join(f"'{key}'" for key in sorted(data)) or "none"
        raise ContextError(
            reasons.CONTEXT_KEY_NOT_FOUND,
            f"{field} must refer to a key of ConfigMap '{ref.name}': "
            f"'{ref.key}' is not one, its keys are {known}",
        )
    return _without_nul(data[ref.key], field, f"key '{ref.key}' of ConfigMap '{ref.name}'")


def _without_nul(text: str, field: str, where: str) -> str:
    if "\0" in text:
        raise ContextError(
            reasons.CONTEXT_NOT_TEXT, f"{field} must be UTF-8 text: {where} has a NUL character"
        )
    return text


def _check_window(
    model: Model, instructions: str, files: tuple[ResolvedFile, ...], total: int
) -> None:
    if model.context_window is None:
        return
    needed = fewest_tokens(instructions) + sum(fewest_tokens(file.text) for file in files)
    room = model.context_window - (model.max_tokens or 0)
    if needed > room:
        answer = f" less {model.max_tokens} for the answer" if model.max_tokens else ""
        raise ContextError(
            reasons.CONTEXT_TOO_LARGE,
            f"`spec.context.files` must fit the model's window of {model.context_window} tokens"
            f"{answer}: {total} bytes are at least {needed} tokens",
        )
