"""The embedded model itself, as people without a key meet it."""

import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.serving import fetch, free_ports, wait_for
from va_assistant.embedded import MODEL, RERANKER, ModelProcess, Weights, weights_file
from va_assistant.reranker import Reranker

ADA = Path(__file__).parents[3] / "information/ada.md"
CLUB = Path(__file__).parents[3] / "benchmarks/answers/texts/club.md"
CODE = "from va_assistant.embedded import main; main()"


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """An assistant with the embedded model, on information/ada.md."""
    port = free_ports(1)[0]
    with subprocess.Popen(
        [
            *(sys.executable, "-c", "from va_assistant.main import main; main()"),
            *("--context", str(ADA), "--port", str(port), "--probe-port", "0"),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        assert process.stderr
        assert process.stdout.readline().startswith("Ready.")
        yield port
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=10) == 0
        assert process.stderr.read() == "", "a log is for those who ask for it with --verbose"


@pytest.mark.parametrize(
    ("question", "fact"),
    [
        ("Where does Ada work?", "Fjordspan"),
        ("What is the name of her dog?", "Pixel"),
        ("Which instrument does she play?", "cello"),
        ("Where did she study?", "NTNU"),
    ],
)
def test_it_answers_from_the_text(port: int, question: str, fact: str) -> None:
    reply = fetch(port, "POST", "/", question, {})
    assert reply.status == 200
    assert fact in reply.text


def test_its_reranker_finds_what_is_asked_in_other_words_and_tells_what_is_not_there() -> None:
    port, probe_port = free_ports(2)
    with subprocess.Popen(
        [
            *(sys.executable, "-c", "from va_assistant.main import main; main()"),
            *("--context", str(CLUB), "--port", str(port), "--probe-port", str(probe_port)),
        ],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        assert process.stdout.readline().startswith("Ready.")
        found = fetch(port, "POST", "/", "Someone got hurt, who do I have to tell?", {})
        missing = fetch(port, "POST", "/", "What does the minibus run on?", {})
        metrics = fetch(probe_port, "GET", "/metrics", None, {}).text
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=10) == 0
    assert "Priya Raman" in found.text
    assert "no answer to that" in missing.text
    assert "va_assistant_reranker_failures_total 0.0\n" in metrics


@pytest.fixture(scope="module")
def reranker() -> Iterator[Reranker]:
    process = ModelProcess()
    try:
        process.wait_until_healthy(60)
        yield Reranker(process.reranker_port)
    finally:
        process.stop()


def test_a_line_that_answers_scores_above_nothing_and_others_below(reranker: Reranker) -> None:
    """The score itself guards how the weights are written: a fold that is wrong moves it."""
    lines = [
        "Rooms: No animals are allowed in the rooms.",
        "Rooms: Breakfast is served from 7 to 10.",
        "Rooms: The reception closes at 22:00.",
    ]
    scores = reranker.scores("Can I bring my dog?", lines, 20)
    assert scores == pytest.approx([1.69, -6.46, -6.70], abs=0.3)
    scores = reranker.scores("Is there a gym?", lines, 20)
    assert scores
    assert max(scores) < -4


@pytest.mark.parametrize("written", [".", "#", "漢", "한", "नि", "🙂", "a "])
def test_what_is_read_fits_its_window_whatever_it_is_written_in(
    reranker: Reranker, written: str
) -> None:
    assert reranker.scores("?" * 500, [written * 1000] * 3, 30)


def test_a_question_that_does_not_fit_its_window_does_no_harm(port: int) -> None:
    assert fetch(port, "POST", "/", "bridge " * 9000, {}).status == 200
    assert fetch(port, "POST", "/", "What is the name of her dog?", {}).status == 200


def test_check_tells_whether_it_serves_and_it_stops_at_once() -> None:
    port, reranker_port = free_ports(2)
    ports = ["--port", str(port), "--reranker-port", str(reranker_port)]

    def check(*others: str) -> int:
        command = [sys.executable, "-c", CODE, "--check", *ports, *others]
        return subprocess.run(command, check=False, timeout=20).returncode

    assert check() == 1
    elsewhere = str(free_ports(1)[0])
    with subprocess.Popen([sys.executable, "-c", CODE, *ports], stderr=subprocess.PIPE) as process:
        wait_for(lambda: check() == 0)
        assert check("--reranker-port", elsewhere) == 1
        assert check("--port", elsewhere) == 1
        started = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0
        assert time.monotonic() - started < 2


def test_checking_loads_only_the_standard_library() -> None:
    code = f"""
import sys
sys.argv = ["va-model", "--check", "--port", "1"]
try:
    {CODE.replace("; ", chr(10) + "    ")}
except SystemExit:
    pass
foreign = {{"pydantic", "xllamacpp", "openai", "flask"}}
print(sorted(foreign & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("weights", [MODEL, RERANKER], ids=lambda one: one.package)
def test_weights_other_than_ours_are_never_loaded(weights: Weights, tmp_path: Path) -> None:
    """Also not those that differ in one bit."""
    changed = bytearray(weights_file(weights).read_bytes())
    changed[len(changed) // 2] ^= 1
    package = tmp_path / weights.package
    package.mkdir()
    (package / "__init__.py").touch()
    (package / weights.name).write_bytes(changed)

    refused = subprocess.run(
        [sys.executable, "-c", CODE, "--port", str(free_ports(1)[0])],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        stderr=subprocess.PIPE,
        text=True,
        timeout=20,
        check=False,
    )

    assert refused.returncode == 1
    digest = hashlib.sha256(changed).hexdigest()
    told = f"is not the file we know: its SHA-256 is {digest}"
    assert refused.stderr == f"va-model: {package / weights.name} {told}\n"
