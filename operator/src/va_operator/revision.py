"""A revision: the texts and settings that answers are made from, under one name.

A revision never changes, so a pod never reads half of an old text and half of
a new one. Its identity is its content.
"""

import hashlib
import json
from dataclasses import dataclass
from typing import Final

from va_operator.api import KeyRef, Manifest, Model, VirtualAssistant
from va_operator.context import ResolvedFile, estimated_tokens
from va_operator.key_patterns import keys_in
from va_operator.owned import bare

SETTINGS_FILE: Final = "settings.json"
CONTEXT_PREFIX: Final = "context."


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """What the status tells of a revision; the texts themselves are in its ConfigMap."""

    id: str
    """Ten hexadecimal digits."""
    bytes: int
    estimated_tokens: int
    """Of the texts and instructions, before any model has counted them."""
    files: tuple[tuple[str, str], ...]
    """Name and digest of each file."""
    keys: tuple[str, ...] = ()
    """Where the texts hold what looks like a key, in words that do not tell it."""


def build_revision(assistant: VirtualAssistant, files: tuple[ResolvedFile, ...]) -> Revision:
    """Name the revision that these texts and the assistant's settings make.

    The references to the API keys and the private CAs count too: a pod with others is another
    pod to ask before anything is said about it. Settings that are not set do not count, so that
    one which only a newer operator knows changes no revision until somebody sets it.
    """
    cas = [_place(model.ca) for model in assistant.models]
    content = {
        "settings": _settings(assistant, files),
        "texts": [file.text for file in files],
        "apiKey": _place(assistant.model.api_key),
        "fallbackKeys": [_place(model.api_key) for model in assistant.fallbacks],
        "cas": cas if any(cas) else None,
    }
    canonical = json.dumps(bare(content), sort_keys=True, ensure_ascii=False).encode()
    return Revision(
        id=hashlib.sha256(canonical).hexdigest()[:10],
        bytes=sum(file.bytes for file in files),
        estimated_tokens=estimated_tokens(assistant.instructions, files),
        files=tuple((file.name, file.digest) for file in files),
        keys=keys_in(
            (
                *((f"'{file.name}'", file.text) for file in files),
                ("`spec.instructions`", assistant.instructions),
            )
        ),
    )


def revision_data(assistant: VirtualAssistant, files: tuple[ResolvedFile, ...]) -> dict[str, str]:
    """Return the files of a revision as the pods find them mounted."""
    return {
        SETTINGS_FILE: json.dumps(_settings(assistant, files), indent=2, ensure_ascii=False),
        **{CONTEXT_PREFIX + file.name: file.text for file in files},
    }


def _settings(assistant: VirtualAssistant, files: tuple[ResolvedFile, ...]) -> Manifest:
    answering = assistant.answering
    since_then = {
        "contextMode": assistant.context_mode,
        "answering": {
            "noAnswerText": answering.no_answer_text,
            "citations": answering.citations,
        },
    }
    fallbacks = [_model(model) for model in assistant.fallbacks]
    return {
        "instructions": assistant.instructions or None,
        "files": [file.name for file in files],
        "model": _model(assistant.model),
        # Left out where not set: a revision that was made before there were these keeps its bytes.
        **bare(since_then),
        **({"fallbacks": fallbacks} if fallbacks else {}),
    }


def _model(model: Model) -> Manifest:
    return {
        "provider": model.provider,
        "name": model.name,
        "baseURL": model.base_url,
        "contextWindow": model.context_window,
        "maxTokens": model.max_tokens,
        "temperature": model.temperature,
        "timeoutSeconds": model.timeout_seconds,
    }


def _place(key: KeyRef | None) -> list[str] | None:
    return [key.name, key.key] if key else None
