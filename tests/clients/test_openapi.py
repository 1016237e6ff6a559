"""The OpenAPI document, held against an assistant by schemathesis."""

import subprocess
from pathlib import Path

import pytest

from support.locked_environment import commands_of
from support.serving import fetch

HERE = Path(__file__).parent
DOCUMENT = HERE.parents[1] / "assistant" / "src" / "va_assistant" / "openapi.json"
EXAMPLES = 5
"""Requests for each operation, besides those that try each field's bounds."""


@pytest.fixture(scope="module")
def commands() -> Path:
    return commands_of(HERE / "locked" / "schemathesis.txt")


def run(folder: Path, *words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        list(map(str, words)),
        cwd=folder,  # where it leaves what it remembers
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )


def test_the_document_is_one_of_openapi(commands: Path, tmp_path: Path) -> None:
    checked = run(tmp_path, commands / "openapi-spec-validator", "--schema", "3.1", DOCUMENT)
    assert checked.returncode == 0, checked.stdout


def test_the_assistant_serves_it(address: str) -> None:
    port = int(address.rsplit(":", 1)[1])
    served = fetch(port, "GET", "/openapi.json", None, {})
    assert served.body == DOCUMENT.read_bytes()


def test_the_assistant_does_what_it_says_whatever_is_asked(
    commands: Path, address: str, tmp_path: Path
) -> None:
    fuzzed = run(
        tmp_path,
        *(commands / "schemathesis", "--config-file", HERE / "schemathesis.toml"),
        *("run", DOCUMENT, "--url", address, "--checks", "all"),
        # The same requests each time: one that fails today has failed when it was written.
        *("--phases", "examples,coverage,fuzzing", "--max-examples", EXAMPLES, "--seed", 1),
        *("--continue-on-failure", "--warnings", "off"),
        # How quickly it makes requests is a matter of this machine.
        *("--suppress-health-check", "too_slow"),
    )
    assert fuzzed.returncode == 0, fuzzed.stdout[-20_000:]
