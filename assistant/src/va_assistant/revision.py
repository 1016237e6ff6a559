"""A revision: the texts, instructions and model settings that one pod serves."""

import hashlib
import json
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

EMBEDDED_MODEL = "smollm2-135m-instruct"
EMBEDDED_PORT = 8080
"""Loopback port of the embedded model's container."""

RERANKER_PORT = 8081
"""The same container's, of its reranker."""

MARKS_IN_A_ROW = 30
"""The most of the Unicode Stream-Safe Text Format (UAX #15, section 13); sorting longer runs of
combining marks takes quadratic time."""

OPENAI_URL = "https://api.openai.com/v1"


class InvalidRevisionError(Exception):
    """The files of a revision are not what the contract says."""


class Provider(StrEnum):
    """Who runs the model."""

    EMBEDDED = "Embedded"
    OPENAI = "OpenAI"


class ContextMode(StrEnum):
    """What of the texts a model is given."""

    AUTO = "Auto"
    """The whole text where it fits a large model, else the best passages."""

    FULL = "Full"
    RETRIEVE = "Retrieve"


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerSettings:
    """What an answer is besides its text."""

    no_answer_text: str = "I found no answer to that in the text."
    citations: bool = True
    """Whether answers name the lines they rest on, and refusals those that come nearest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSettings:
    """Which model answers and how; None where nothing is set."""

    provider: Provider
    name: str
    base_url: str
    is_openai: bool
    """OpenAI itself, not a compatible server: the names of parameters differ."""

    context_window: int | None = None
    max_tokens: int | None = None
    temperature: float | None = None
    timeout_seconds: float = 30
    """One deadline for a whole question."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextFile:
    """One text that the assistant knows."""

    name: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """What a pod serves for as long as it lives."""

    name: str
    instructions: str | None
    files: tuple[ContextFile, ...]
    model: ModelSettings
    fallbacks: tuple[ModelSettings, ...] = ()
    """Who answers in this order when the model does not."""

    context_mode: ContextMode = ContextMode.AUTO
    answering: AnswerSettings = AnswerSettings()

    @property
    def models(self) -> tuple[ModelSettings, ...]:
        """All models in the order in which they are asked."""
        return (self.model, *self.fallbacks)

    @property
    def context_bytes(self) -> int:
        """Size of the texts in UTF-8."""
        return sum(len(file.text.encode()) for file in self.files)

    def at(self, base_url: str) -> "Revision":
        """Return the same revision with its model at another address."""
        return replace(self, model=replace(self.model, base_url=base_url))


def read_revision(folder: Path, *, name: str) -> Revision:
    """Read the mounted revision; raises `InvalidRevisionError` naming the file."""
    path = folder / "settings.json"
    try:
        settings = json.loads(path.read_bytes())
        files = tuple(
            ContextFile(name=file, text=read_text(folder / f"context.{file}"))
            for file in settings["files"]
        )
        return Revision(
            name=name,
            instructions=settings["instructions"],
            files=files,
            model=parse_model(settings["model"]),
            fallbacks=tuple(map(parse_model, settings.get("fallbacks", ()))),
            context_mode=ContextMode(settings.get("contextMode") or ContextMode.AUTO),
            answering=parse_answering(settings.get("answering") or {}),
        )
    except OSError as error:
        raise InvalidRevisionError(f"{error.filename}: {error.strerror}") from error
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidRevisionError(
            f"{path}: not the settings of a revision: {type(error).__name__}: {error}"
        ) from error


def parse_answering(raw: dict[str, Any]) -> AnswerSettings:
    """Return the `answering` part of `settings.json`, which may be left out, as a value."""
    given = AnswerSettings()
    citations = raw.get("citations")
    return AnswerSettings(
        no_answer_text=raw.get("noAnswerText") or given.no_answer_text,
        citations=given.citations if citations is None else citations,
    )


def parse_model(raw: dict[str, Any]) -> ModelSettings:
    """Return the `model` part of `settings.json` as a value."""
    provider = Provider(raw["provider"])
    base_url = raw["baseURL"]
    return model_settings(
        provider=provider,
        name=raw["name"],
        base_url=base_url,
        context_window=raw["contextWindow"],
        max_tokens=raw["maxTokens"],
        temperature=raw["temperature"],
        timeout_seconds=raw["timeoutSeconds"],
    )


def model_settings(
    *,
    provider: Provider,
    name: str,
    base_url: str | None,
    context_window: int | None = None,
    max_tokens: int | None = None,
    temperature: float | None = None,
    timeout_seconds: float = 30,
) -> ModelSettings:
    """Return the settings with what follows from the provider filled in.

    A small model wanders at any other temperature than 0, and it may repeat
    itself without end, so the embedded one has a limit of its own.
    """
    embedded = provider is Provider.EMBEDDED
    if embedded:
        base_url = base_url or f"http://127.0.0.1:{EMBEDDED_PORT}/v1"
        temperature = 0 if temperature is None else temperature
        max_tokens = 256 if max_tokens is None else max_tokens
    return ModelSettings(
        provider=provider,
        name=name,
        base_url=base_url or OPENAI_URL,
        is_openai=not embedded and base_url is None,
        context_window=context_window,
        max_tokens=max_tokens,
        temperature=temperature,
        timeout_seconds=timeout_seconds,
    )


def revision_of_files(
    paths: Sequence[Path], *, instructions: str | None, model: ModelSettings
) -> Revision:
    """Make a revision of files on disk; its name is a hash of what they say."""
    files = tuple(ContextFile(name=path.name, text=read_text(path)) for path in paths)
    for path, file in zip(paths, files, strict=True):
        if not file.text.strip():
            raise InvalidRevisionError(f"{path}: the file is empty")
    digest = hashlib.sha256()
    for part in (
        instructions or "",
        model.name,
        *(text for f in files for text in (f.name, f.text)),
    ):
        digest.update(len(part.encode()).to_bytes(8) + part.encode())
    return Revision(
        name=digest.hexdigest()[:10], instructions=instructions, files=files, model=model
    )


def read_text(path: Path) -> str:
    """Read one text in the form in which prompts hold it: LF, NFC, no byte order mark."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise InvalidRevisionError(f"{path}: {error.strerror}") from error
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidRevisionError(f"{path}: not UTF-8 (byte {error.start})") from error
    if "\0" in text:
        raise InvalidRevisionError(f"{path}: not a text (it holds a NUL character)")
    if _longest_run_of_marks(text) > MARKS_IN_A_ROW:
        raise InvalidRevisionError(
            f"{path}: not a text (it holds more than {MARKS_IN_A_ROW} combining marks in a row)"
        )
    return unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))


def _longest_run_of_marks(text: str) -> int:
    if text.isascii():
        return 0
    # A few characters are no marks themselves but decompose into nothing else.
    decomposed = {char: unicodedata.normalize("NFD", char) for char in set(text)}
    marks = "".join(char for char, to in decomposed.items() if unicodedata.combining(to[0]))
    return max(map(len, re.findall(f"[{marks}]+", text))) if marks else 0
