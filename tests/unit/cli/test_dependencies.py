"""What the command line brings along is what it uses."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

CLI = Path(__file__).parents[3] / "cli"
IMPORTED_AS = {"prompt-toolkit": "prompt_toolkit", "pyyaml": "yaml"}
"""Where the package is not called as its import is."""


def test_every_dependency_is_imported_somewhere() -> None:
    project = tomllib.loads((CLI / "pyproject.toml").read_text())["project"]
    source = "".join(module.read_text() for module in CLI.rglob("src/**/*.py"))
    imported = set(re.findall(r"^\s*(?:import|from) (\w+)", source, re.MULTILINE))
    for requirement in project["dependencies"]:
        name = re.split(r"[^-\w]", requirement)[0]
        assert IMPORTED_AS.get(name, name) in imported, f"nothing imports {name}"
