"""The embedded model behind the assistant, beside llama.cpp's server asked directly."""

import http.client
import json
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.assistant import environments
from benchmarks.assistant.answers import TEXT
from benchmarks.assistant.cells import Figures
from benchmarks.assistant.processes import Server, exchange, free_port
from va_assistant.settings import ModelServerSettings

QUESTIONS = (
    "When was the museum founded?",
    "How much does a ticket cost?",
    "What does the largest lens weigh?",
    "Who is the director of the museum?",
    "Which tram stops at the museum?",
)
_TOKENS = re.compile(r'^va_assistant_tokens_total\{kind="(\w+)",[^}]*\} (\S+)', re.MULTILINE)


def embedded(folder: Path, rounds: int) -> list[Figures]:
    """Ask both the same, in turn; each round begins with servers that know nothing yet."""
    found: list[Figures] = []
    for number in range(rounds):
        for ask in (_assistant, _plain) if number % 2 == 0 else (_plain, _assistant):
            found += ask(folder)
    return found


def _assistant(folder: Path) -> list[Figures]:
    """Ask the assistant, with `va-model` on the same core: as in a pod, two processes."""
    port, probe_port = free_port(), free_port()
    command = environments.assistant() / "va-assistant"
    server = Server.start(
        [str(command), "--context", str(TEXT), "--verbose", "--port", str(port),
         "--probe-port", str(probe_port)],
        log=folder / "assistant-embedded.log",
    )  # fmt: skip
    found = []
    try:
        ready = server.until_ok(probe_port, "/ready")
        for number, question in enumerate(QUESTIONS):
            before = _tokens(probe_port)
            body = json.dumps({"question": question, "stream": True})
            times = list(_moments(port, "/", body, mark=b"event: text"))
            after = _tokens(probe_port)
            used = {kind: after[kind] - before.get(kind, 0) for kind in after}
            found.append(_figures("assistant", number, times, used) | {
                "start": ready, "rss": server.memory().rss,
            })  # fmt: skip
    finally:
        server.stop()
    return found


def _plain(folder: Path) -> list[Figures]:
    """Ask llama.cpp's server the same prompt, whole text and question."""
    settings = ModelServerSettings()
    port = free_port()
    server = Server.start(
        [sys.executable, "-m", "benchmarks.assistant.plain_llama", str(port),
         str(settings.context_window), str(settings.threads)],
        log=folder / "llama.log",
    )  # fmt: skip
    found = []
    try:
        loaded = server.until_ok(port, "/health")
        for number, question in enumerate(QUESTIONS):
            body = json.dumps({
                "messages": [
                    {"role": "system", "content": TEXT.read_text()},
                    {"role": "user", "content": question},
                ],
                "temperature": 0, "max_tokens": 256, "stream": True,
                "stream_options": {"include_usage": True},
            })  # fmt: skip
            raw: list[bytes] = []
            times = list(_moments(port, "/v1/chat/completions", body, mark=b'"content":"', raw=raw))
            usage = next(json.loads(line[5:])["usage"] for line in raw if b'"usage"' in line)
            details = usage.get("prompt_tokens_details") or {}
            used = {
                "prompt": usage["prompt_tokens"], "completion": usage["completion_tokens"],
                "cached": details.get("cached_tokens", 0),
            }  # fmt: skip
            found.append(_figures("llama.cpp", number, times, used) | {
                "start": loaded, "rss": server.memory().rss,
            })  # fmt: skip
    finally:
        server.stop()
    return found


def _moments(
    port: int, path: str, body: str, *, mark: bytes, raw: list[bytes] | None = None
) -> Iterator[float]:
    """Ask; return the seconds at which each piece of the answer came, and at last its end."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    headers = {"Content-Type": "application/json", "Authorization": "Bearer none"}
    begin = time.perf_counter()
    connection.request("POST", path, body, headers)
    response = connection.getresponse()
    while line := response.readline():
        if line.startswith(mark) or (line.startswith(b"data:") and mark in line):
            yield time.perf_counter() - begin
        if raw is not None:
            raw.append(line)
    yield time.perf_counter() - begin
    connection.close()


def _figures(who: str, number: int, times: list[float], used: dict[str, float]) -> Figures:
    first, last = times[0], times[-1]
    completion = used.get("completion", 0)
    writing = last - first
    return {
        "who": who, "question": number, "first_ms": first * 1000, "seconds": last,
        "tokens": completion, "prompt": used.get("prompt", 0), "cached": used.get("cached", 0),
        "per_second": (completion - 1) / writing if completion > 1 and writing else None,
    }  # fmt: skip


def _tokens(probe_port: int) -> dict[str, float]:
    text = exchange(probe_port, "GET", "/metrics").decode()
    return {kind: float(value) for kind, value in _TOKENS.findall(text)}
