"""An assistant as people start it themselves: `--context`, no key, no Kubernetes."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.serving import fetch, free_ports, wait_for

ADA = Path(__file__).parents[2] / "information" / "ada.md"
PROGRAM = [sys.executable, "-c", "from va_assistant.main import main; main()"]
READY_SECONDS = 60


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of one assistant for all tests; its log is shown where it does not start."""
    port, probe_port = free_ports(2)
    log = tmp_path_factory.mktemp("assistant") / "log"
    environment = {k: v for k, v in os.environ.items() if k != "OPENAI_API_KEY"}
    # Tests ask more than people do.
    environment["VA_ASSISTANT_REQUESTS_PER_MINUTE_PER_CLIENT"] = "0"
    environment["VA_ASSISTANT_REQUESTS_PER_MINUTE"] = "0"
    with log.open("wb") as to:
        process = subprocess.Popen(
            [
                *(*PROGRAM, "--context", str(ADA), "--verbose"),
                *("--port", str(port), "--probe-port", str(probe_port)),
            ],
            env=environment,
            stdout=to,
            stderr=to,
        )

    def is_ready() -> bool:
        assert process.poll() is None, log.read_text()
        try:
            return fetch(probe_port, "GET", "/ready", None, {}).status == 200
        except OSError:
            return False

    try:
        wait_for(is_ready, READY_SECONDS)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=READY_SECONDS)
