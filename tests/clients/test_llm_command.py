"""The `llm` command, as it is installed from its lock, with an assistant as one of its models."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from support.locked_environment import commands_of

LOCK = Path(__file__).parent / "locked" / "llm.txt"
WORK = "Ada works at Fjordspan AS, where she leads the building of the Sotra bridge."

Llm = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def llm(address: str, tmp_path: Path) -> Llm:
    """Run `llm` with an assistant as its model `ada`, and nothing of the user's own."""
    command = commands_of(LOCK) / "llm"
    models = f"- model_id: ada\n  model_name: ada\n  api_base: {address}/v1\n"
    (tmp_path / "extra-openai-models.yaml").write_text(models)
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("LLM_", "OPENAI_"))}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [command, *arguments],
            env={**environment, "LLM_USER_PATH": str(tmp_path)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


@pytest.mark.parametrize("options", [(), ("--no-stream",)])
def test_it_asks_and_prints_the_answer(llm: Llm, options: tuple[str, ...]) -> None:
    ran = llm("-m", "ada", *options, "Where does Ada work?")
    assert (ran.stdout, ran.returncode) == (f"{WORK}\n", 0), ran.stderr


def test_it_takes_a_system_prompt_and_options(llm: Llm) -> None:
    options = ("-o", "temperature", "0.5", "-o", "max_tokens", "200", "-o", "seed", "1")
    ran = llm("-m", "ada", "-s", "Talk like a pirate.", *options, "Where does Ada work?")
    assert (ran.stdout, ran.returncode) == (f"{WORK}\n", 0), ran.stderr


def test_it_goes_on_with_a_conversation(llm: Llm) -> None:
    assert llm("-m", "ada", "Where did Ada study?").returncode == 0
    ran = llm("-c", "And when did she graduate there?")
    assert "2011" in ran.stdout, ran.stderr


def test_what_cannot_be_had_is_told_by_name(llm: Llm) -> None:
    ran = llm("-m", "ada", "-o", "json_object", "1", "Where does Ada work, in JSON?")
    assert ran.returncode != 0
    assert "response_format: an answer is plain text" in ran.stderr
