"""What large models say, honest answers and inventions, against the texts that they answer from."""

from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from va_assistant.grounding import Grounds
from va_assistant.knowledge import Knowledge
from va_assistant.revision import ContextFile, Provider, Revision, model_settings

ROOT = Path(__file__).parents[3]
BLOCKS: list[dict[str, Any]] = yaml.safe_load(
    (Path(__file__).parent / "statements.yaml").read_text(encoding="utf-8")
)


@cache
def knowledge(text: str) -> Knowledge:
    file = ContextFile(name="text.md", text=(ROOT / text).read_text(encoding="utf-8"))
    model = model_settings(provider=Provider.OPENAI, name="m", base_url="http://localhost/v1")
    return Knowledge(Revision(name="r", instructions=None, files=(file,), model=model))


def is_told(text: str, question: str, sentence: str) -> bool:
    known = knowledge(text)
    nearby = [one.hit.sentence for one in known.study(question).ranked]
    texts = [file.text for file in known.revision.files]
    grounds = Grounds(question, (), nearby, texts=texts, strict=False, stems=known.stems)
    return grounds.check(sentence).is_supported


def pairs(kind: str) -> list[tuple[str, str, str, bool]]:
    expected = kind == "holds"
    return [
        (block["text"], question, sentence, expected is not bool(known_wrong))
        for block in BLOCKS
        for question, sentence, *known_wrong in block[kind]
    ]


@pytest.mark.parametrize(("text", "question", "sentence", "told"), pairs("holds"))
def test_honest_answers_in_other_words_are_told(
    text: str, question: str, sentence: str, told: bool
) -> None:
    assert is_told(text, question, sentence) is told


@pytest.mark.parametrize(("text", "question", "sentence", "told"), pairs("invented"))
def test_inventions_are_not_told(text: str, question: str, sentence: str, told: bool) -> None:
    assert is_told(text, question, sentence) is told
