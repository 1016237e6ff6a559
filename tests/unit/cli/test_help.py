"""The help, the page and the code say the same."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

import va_cli
from support.assistant_stub import SECONDS
from support.cli_run import run_va
from va_cli.failures import EXIT_CODES, Failure

PAGE = (Path(__file__).parents[3] / "docs" / "reference" / "cli.md").read_text()
OPTION = r"(?<![\w-])(--?[a-z][-a-z]*)"
VERBS = ("ask", "chat", "list", "status", "version")


def section(title: str) -> str:
    """Return what the page says under a heading."""
    return PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def test_without_a_verb_the_help_is_printed() -> None:
    run = run_va()
    assert run.code == 0
    assert run.out == run_va("--help").out == run_va("-h").out


def test_the_verbs_are_these() -> None:
    listed = re.search(r"Commands:\n((?:  .*\n)+)", run_va("--help").out)
    assert listed
    assert tuple(line.split()[0] for line in listed[1].splitlines()) == VERBS


def test_the_help_of_ask() -> None:
    assert run_va("ask", "--help").out.splitlines()[:26] == [
        "Usage: va ask [OPTIONS] [NAME] [QUESTION]",
        "",
        "  Ask one question and print the answer while it is written.",
        "",
        "  Of two arguments the first is the assistant's name and the second the",
        "  question. A single argument is the name if an assistant of the namespace is",
        "  called exactly so, and else the question; with --url it is always the",
        "  question. Without a name VA_ASSISTANT is asked, or the only assistant there",
        "  is.",
        "",
        "  Text from a pipe is the question where the arguments give none, and else a",
        "  part of it: the assistant answers from its own text, never from what is",
        "  piped in. -f asks each line of a file.",
        "",
        '    va ask ada "Where does Ada work?"',
        '    va ask "Where does Ada work?"             where there is only one assistant',
        '    va ask -c "And since when?"               goes on with the conversation',
        '    echo "Who is Ada?" | va ask ada',
        "    va ask ada -f questions.txt --json        one object a line",
        "",
        "Arguments:",
        "  NAME <str>      Whom to ask.",
        "  QUESTION <str>  What to ask.",
        "",
        "Options:",
        "  -f, --file FILE                 Ask each line of FILE, or '-' for stdin.",
    ]


def test_kubectls_plugin_calls_itself_so() -> None:
    plugin = "/usr/local/bin/kubectl-assistant"
    assert run_va("--help", program=plugin).out.startswith("Usage: kubectl assistant ")
    assert "  kubectl assistant ask ada" in run_va("ask", "--help", program=plugin).out
    assert run_va("frob", program=plugin).error_lines[2] == "Next:  kubectl assistant --help"


def test_help_is_shown_to_who_types_it_as_a_verb() -> None:
    assert run_va("help").out == run_va("--help").out
    for verb in VERBS:
        assert run_va("help", verb).out == run_va(verb, "--help").out
    run = run_va("help", "frob")
    assert run.code == 2
    assert "there is no verb 'frob'" in run.error_lines[1]


@pytest.mark.parametrize("verb", VERBS)
def test_the_page_lists_every_verb_and_option(verb: str) -> None:
    options = set(re.findall(r"(?<![\w-])(--?[a-z][-a-z]*)", run_va(verb, "--help").out))
    section = re.search(rf"^## `va {verb}`\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    shared = re.search(
        r"^## Options of every verb.*?\n(.*?)(?=^## )", PAGE, re.MULTILINE | re.DOTALL
    )
    assert section
    assert shared
    listed = set(re.findall(r"(?<![\w-])(--?[a-z][-a-z]*)", section[1] + shared[1]))
    assert options - listed == set()


@pytest.mark.parametrize("verb", VERBS)
def test_the_page_invents_no_option(verb: str) -> None:
    table = [line for line in section(f"`va {verb}`").splitlines() if line.startswith("| `-")]
    listed = {o for line in table for o in re.findall(r"`(--?[a-z][-a-z]*)", line)}
    assert listed - set(re.findall(r"--?[a-z][-a-z]*", run_va(verb, "--help").out)) == set()


def test_the_page_lists_every_exit_code() -> None:
    for code, meaning in EXIT_CODES.items():
        assert f"| {code:d} | {meaning}" in PAGE


def kinds(kind: type[Failure] = Failure) -> set[type[Failure]]:
    """Return every kind of failure that the program knows."""
    return {kind}.union(*map(kinds, kind.__subclasses__()))


def test_the_page_lists_every_reason_of_its_own() -> None:
    """Those of assistants are in http.md."""
    package = Path(va_cli.__file__).parent
    for module in ("cluster", "wire"):
        importlib.import_module(f"va_cli.{module}")
    source = "".join(module.read_text() for module in package.rglob("*.py"))
    used = {kind.usual_reason for kind in kinds()} | set(re.findall(r'reason="(\w+)"', source))
    for kind in kinds() - {Failure}:
        assert "usual_reason" in vars(kind), f"{kind.__name__} shares its reason with another"
    table = PAGE.partition("\n### Reasons\n")[2].partition("\n## ")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == used


def test_the_help_loads_nothing_heavy() -> None:
    script = (
        "import sys; from va_cli.main import main; main(['ask', '--help']); "
        "heavy = {'kubernetes', 'httpx2', 'prompt_toolkit', 'rich', 'yaml', 'ssl', 'asyncio'}; "
        "sys.exit(str(heavy & set(sys.modules)) if heavy & set(sys.modules) else 0)"
    )
    run = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert (run.returncode, run.stderr) == (0, "")


def test_completion_comes_with_it() -> None:
    assert "--install-completion" in run_va("--help").out
    run = run_va(
        environment={"_VA_COMPLETE": "complete_bash", "COMP_WORDS": "va st", "COMP_CWORD": "1"}
    )
    assert (run.code, run.out.split()) == (0, ["status"])
