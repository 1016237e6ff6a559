"""The files that pods read for each model beside the revision: its API key and its private CA.

Each is a folder mount, for only those follow what they refer to, and optional: a pod that
waits for a Secret or ConfigMap cannot say what it misses. Part of `docs/reference/pod-contract.md`.
"""

import json
from typing import Final, NamedTuple

from va_operator.api import KeyRef, Manifest, VirtualAssistant

_PARENT: Final = "/etc/virtual-assistant"
_API_KEY: Final = "api-key"
_CA: Final = "ca"


class _Folder(NamedTuple):
    """One Secret or ConfigMap; its name is that of the volume and of the folder."""

    name: str
    source: Manifest

    @property
    def path(self) -> str:
        return f"{_PARENT}/{self.name}"


def model_volumes(assistant: VirtualAssistant) -> list[Manifest]:
    """Return the volumes with the files."""
    return [{"name": folder.name, **folder.source} for folder in _folders(assistant)]


def model_mounts(assistant: VirtualAssistant) -> list[Manifest]:
    """Return where the container that answers finds them."""
    return [
        {"name": folder.name, "mountPath": folder.path, "readOnly": True}
        for folder in _folders(assistant)
    ]


def model_env(assistant: VirtualAssistant) -> list[Manifest]:
    """Return the variables that tell it their paths."""
    key, *fallback_keys = _paths(_API_KEY, [model.api_key for model in assistant.models])
    ca, *fallback_cas = _paths(_CA, [model.ca for model in assistant.models])
    found = {
        "VA_ASSISTANT_API_KEY_FILE": key,
        "VA_ASSISTANT_FALLBACK_API_KEY_FILES": json.dumps(fallback_keys) if fallback_keys else None,
        "VA_ASSISTANT_CA_FILE": ca,
        # Only where there is one, so that pods without any are as they always were.
        "VA_ASSISTANT_FALLBACK_CA_FILES": json.dumps(fallback_cas) if any(fallback_cas) else None,
    }
    return [{"name": name, "value": value} for name, value in found.items() if value]


def _folders(assistant: VirtualAssistant) -> list[_Folder]:
    keys = [
        _Folder(_name(_API_KEY, place), {"secret": {"secretName": key.name, "optional": True}})
        for place, model in enumerate(assistant.models)
        if (key := model.api_key)
    ]
    cas = [
        _Folder(_name(_CA, place), {"configMap": {"name": ca.name, "optional": True}})
        for place, model in enumerate(assistant.models)
        if (ca := model.ca)
    ]
    return [*keys, *cas]


def _paths(kind: str, refs: list[KeyRef | None]) -> list[str | None]:
    return [
        f"{_PARENT}/{_name(kind, place)}/{ref.key}" if ref else None
        for place, ref in enumerate(refs)
    ]


def _name(kind: str, place: int) -> str:
    """Tell what fallbacks refer to apart; without fallbacks the pods are as they always were."""
    return f"{kind}-{place}" if place else kind
