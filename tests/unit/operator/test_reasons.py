"""The page of reasons and the code name the same ones."""

import re
from pathlib import Path

from support.situations import a_situation
from va_operator import reasons
from va_operator.judgement import judge

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "reference" / "reasons.md").read_text()
CONTRACT = (ROOT / "docs" / "reference" / "pod-contract.md").read_text()

IN_CODE = {value for name, value in vars(reasons).items() if name.isupper()}
OF_PODS = set(re.findall(r"^\| `(\w+)` \|.*`(?:Failed|Degraded)` \|", CONTRACT, re.MULTILINE))
EXPLAINED = re.findall(r"^### (\w+)$", PAGE, re.MULTILINE)


def test_every_condition_stands_in_the_table() -> None:
    [table] = re.findall(r"\| Condition \|.*?\n\n", PAGE, re.DOTALL)
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == [
        condition.type for condition in judge(a_situation())
    ]


def test_every_reason_is_explained_once() -> None:
    assert len(OF_PODS) == 15
    assert sorted(EXPLAINED) == sorted(IN_CODE | OF_PODS)


def test_every_reason_has_a_sentence() -> None:
    for paragraph in PAGE.split("\n### ")[1:]:
        _, _, text = paragraph.partition("\n\n")
        assert text.strip().partition("\n##")[0].rstrip().endswith((".", ":", "`."))


def test_every_reason_is_one_word_that_kubernetes_takes() -> None:
    for reason in IN_CODE | OF_PODS:
        assert re.fullmatch(r"[A-Z][A-Za-z]+", reason)
