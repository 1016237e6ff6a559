"""The ways from a client to the model server: who is compared, and what each is asked."""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.assistant import environments
from benchmarks.assistant.answers import MODEL, TEXT
from benchmarks.assistant.processes import Server, free_port

DIRECT, ASSISTANT, LITELLM, ORIGINAL = "direct", "assistant", "litellm", "original"
QUESTION = "Where does the Museum of Lighthouses stand, and what does it keep?"
KEY = "sk-benchmark"
UNLIMITED = {
    "VA_ASSISTANT_REQUESTS_PER_MINUTE_PER_CLIENT": "0",
    "VA_ASSISTANT_REQUESTS_PER_MINUTE": "0",
}
"""The clients here are one address that asks as often as it can."""


@dataclass(frozen=True, kw_only=True)
class Way:
    """One way, and how it is asked; the question and the text are the same on each."""

    name: str
    port: int
    path: str = "/"
    streams: bool = True
    end_mark: str = ""
    """What a stream that was not cut ends with."""

    command: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    health: str = "/health"
    ready: str = "/health"
    probe_port: int = 0
    """Where `health` and `ready` are; 0: at `port`."""

    def start(self, folder: Path) -> Server:
        """Start the server."""
        log = folder / f"{self.name}.log"
        return Server.start(self.command, log=log, environment=self.environment)

    def request(self, *, stream: bool) -> str:
        """Return a question as bytes on the wire, all of them ASCII."""
        if self.path == "/":
            accept = "text/event-stream" if stream else "*/*"
            return post("/", QUESTION, {"Content-Type": "text/plain", "Accept": accept})
        body: dict[str, object] = {"model": MODEL, "messages": messages(TEXT.read_text())}
        if stream:
            body |= {"stream": True, "stream_options": {"include_usage": True}}
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {KEY}"}
        return post(self.path, json.dumps(body), headers)


def messages(text: str) -> list[dict[str, str]]:
    """Return what a client sends who asks the model server itself."""
    return [
        {"role": "system", "content": f"Answer from this information:\n{text}"},
        {"role": "user", "content": QUESTION},
    ]


def post(path: str, body: str, headers: Mapping[str, str]) -> str:
    """Return a request with its head."""
    lines = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    lines += [f"Content-Length: {len(body)}", "", body]
    return "\r\n".join(lines)


def ways(upstream_port: int, folder: Path, names: list[str]) -> list[Way]:
    """Return those that are asked for, in an order in which each is beside another."""
    base_url = f"http://127.0.0.1:{upstream_port}/v1"
    found = {
        DIRECT: lambda: Way(
            name=DIRECT, port=upstream_port, path="/v1/chat/completions",
            end_mark="data: [DONE]",
        ),
        ASSISTANT: lambda: assistant(base_url, folder),
        LITELLM: lambda: proxy(base_url),
        ORIGINAL: lambda: original(base_url),
    }  # fmt: skip
    return [found[name]() for name in names]


def assistant(base_url: str, folder: Path) -> Way:
    """Return our server, with the defaults and the log of a pod."""
    key = folder / "key"
    key.write_text(KEY)
    port, probe_port = free_port(), free_port()
    command = environments.assistant() / "va-assistant"
    return Way(
        name=ASSISTANT, port=port, end_mark="event: done", probe_port=probe_port, ready="/ready",
        command=(
            str(command), "--context", str(TEXT), "--model", MODEL,
            "--base-url", base_url, "--api-key-file", str(key), "--verbose",
            "--port", str(port), "--probe-port", str(probe_port),
        ),
        environment=UNLIMITED,
    )  # fmt: skip


def proxy(base_url: str) -> Way:
    """Return LiteLLM's proxy; one worker for the one core that each way has."""
    port = free_port()
    place = environments.litellm()
    return Way(
        name=LITELLM, port=port, path="/v1/chat/completions", end_mark="data: [DONE]",
        health="/health/liveliness", ready="/health/readiness",
        command=(
            str(place / "python"), str(place / "litellm"),
            "--config", str(environments.LITELLM / "config.yaml"), "--host", "127.0.0.1",
            "--port", str(port), "--num_workers", "1",
        ),
        environment={**environments.LITELLM_SETTINGS, "BENCH_BASE_URL": base_url},
    )  # fmt: skip


def original(base_url: str) -> Way:
    """Return the server that one writes first; it has no streams."""
    port = free_port()
    command = (sys.executable, "-m", "benchmarks.assistant.original", str(port))
    return Way(name=ORIGINAL, port=port, streams=False, command=(*command, base_url, str(TEXT)))
