"""The page of risks names tests: each must be there."""

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
PAGE = (TESTS.parent / "docs/reference/risks.md").read_text()
NAMED = sorted(set(re.findall(r"`([\w/]+\.py)::(\w+)`", PAGE)))


@pytest.mark.parametrize(("file", "name"), NAMED, ids=lambda part: part)
def test_a_test_that_is_named_exists(file: str, name: str) -> None:
    assert re.search(rf"^def {name}\(", (TESTS / file).read_text(), re.MULTILINE)


def test_every_risk_has_one() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| ") and "| ---" not in line]
    without = [row.split("|")[1].strip() for row in rows if "::test_" not in row]
    assert without == ["Case", "Risk"]
