"""Which fields of an object are ours, read from its ``managedFields``.

The API server notes for every field who applied it last
(https://kubernetes.io/docs/reference/using-api/server-side-apply/). Taking just our fields
out of an object tells exactly whether it still is what we sent: a field that somebody
else changed is no longer ours, one that we no longer send still is, and what others added
does not count.
"""

import json
from typing import Any, Final

from va_operator.api import Manifest

FIELD_MANAGER: Final = "virtual-assistant-operator"


def owned_fields(body: Manifest) -> Manifest:
    """Return the part of an object that we last applied."""
    for entry in body["metadata"].get("managedFields", ()):
        if (
            entry.get("manager") == FIELD_MANAGER
            and entry.get("operation") == "Apply"
            and not entry.get("subresource")
        ):
            owned: Manifest = _take(body, entry.get("fieldsV1") or {})
            return owned
    return {}


def same(wanted: Manifest, owned: Manifest) -> bool:
    """Tell whether what we would send is what we last sent and still own."""
    return bool(bare(_sent(wanted)) == bare(_sent(owned)))


def _sent(manifest: Manifest) -> Manifest:
    """Drop what identifies the object and is never among the owned fields."""
    metadata = {
        field: value
        for field, value in manifest.get("metadata", {}).items()
        if field not in {"name", "namespace"}
    }
    rest = {
        field: value
        for field, value in manifest.items()
        if field not in {"apiVersion", "kind", "metadata"}
    }
    return {**rest, "metadata": metadata}


def _take(value: Any, fields: Manifest) -> Any:
    """Take the fields of a ``fieldsV1`` set out of a value.

    ``f:NAME`` is a field, ``k:{…}`` a list item by its keys, ``v:…`` an item of a set;
    a set without fields is the whole value.
    """
    inner = {field: sub for field, sub in fields.items() if field != "."}
    if not inner:
        return value
    if isinstance(value, dict):
        return {
            field[2:]: _take(value[field[2:]], sub)
            for field, sub in inner.items()
            if field[2:] in value
        }
    if isinstance(value, list):
        wanted = [(json.loads(field[2:]), sub) for field, sub in inner.items()]
        return [_take(item, sub) for item in value for keys, sub in wanted if _is_item(item, keys)]
    return value


def _is_item(item: Any, keys: Any) -> bool:
    if isinstance(keys, dict) and isinstance(item, dict):
        return all(item.get(field) == wanted for field, wanted in keys.items())
    return bool(item == keys)


def bare(value: Any) -> Any:
    """Return a value without what the API server drops: nulls, and empty lists and maps."""
    if isinstance(value, dict):
        filled = {field: bare(inner) for field, inner in value.items()}
        return {field: inner for field, inner in filled.items() if inner not in (None, {}, [])}
    if isinstance(value, list):
        return [bare(item) for item in value]
    return value


def left_out(sent: Manifest, found: Manifest) -> Manifest:
    """Return the merge patch that takes out of what is there what was not sent.

    Lists are left alone: those that are ours are replaced as they are sent, and in others every
    writer has entries of its own.
    """
    patch: Manifest = {}
    for field, value in found.items():
        if field not in sent:
            patch[field] = None
        elif isinstance(value, dict) and (inner := left_out(sent[field], value)):
            patch[field] = inner
    return patch
