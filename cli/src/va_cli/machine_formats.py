"""JSON and YAML, for programs; never coloured."""

from __future__ import annotations

import json
import re
from typing import Any

_CONTROLS = re.compile(r"[\x7f-\x9f\u202a-\u202e]")


def json_text(value: Any, *, indent: int | None = 2) -> str:
    """Return JSON with readable letters and no character that a terminal obeys."""
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    return _CONTROLS.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def yaml_text(value: Any) -> str:
    """Return YAML, in the order of the keys."""
    import yaml

    dumped: str = yaml.safe_dump(value, sort_keys=False, allow_unicode=True)
    return dumped.removesuffix("\n")
