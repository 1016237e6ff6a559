"""An assistant as a process, as a pod runs it, on ports of its own."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from support.openai_stub import RIGHT_KEY, Stub

CONTEXT = "Ada plays the cello in a string quartet.\nHer dog is called Pixel.\n"
REVISION = "3f2a91c0de"


@dataclass(kw_only=True)
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(kw_only=True)
class Served:
    """A running assistant."""

    process: subprocess.Popen[bytes]
    port: int
    probe_port: int
    key_file: Path
    lines: list[str] = field(default_factory=list)

    def ask(
        self,
        body: bytes | str | None = "Which instrument is it?",
        method: str = "POST",
        path: str = "/",
        **headers: str,
    ) -> Reply:
        return fetch(
            self.port, method, path, body, {k.replace("_", "-"): v for k, v in headers.items()}
        )

    def probe(self, path: str) -> Reply:
        return fetch(self.probe_port, "GET", path, None, {})

    def ready(self) -> dict[str, Any]:
        body: dict[str, Any] = self.probe("/ready").json
        return body

    def wait_until_ready(self) -> None:
        wait_for(lambda: self.responds("/ready", 200))

    def responds(self, path: str, status: int) -> bool:
        if self.process.poll() is not None:
            raise AssertionError(f"it ended with {self.process.returncode}: {self.log()}")
        try:
            return self.probe(path).status == status
        except OSError:
            return False

    def log(self) -> str:
        return "".join(self.lines)

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=10)

    def takes_connections(self) -> bool:
        try:
            with self.connect():
                return True
        except OSError:
            return False

    def terminate(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    def wait_for_end(self, seconds: float = 10) -> int:
        return self.process.wait(timeout=seconds)


def fetch(
    port: int, method: str, path: str, body: bytes | str | None, headers: dict[str, str]
) -> Reply:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request(method, path, body=body, headers=headers)
        response = connection.getresponse()
        return Reply(status=response.status, headers=dict(response.headers), body=response.read())
    finally:
        connection.close()


def rest_of(sock: socket.socket) -> bytes:
    """Return what comes until the other side closes."""
    received = b""
    while part := sock.recv(65536):
        received += part
    return received


def wait_for(condition: Callable[[], bool], seconds: float = 20) -> None:
    """Return when the condition holds, fail when it does not come to that."""
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, "it did not come to that"
        time.sleep(0.01)


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    try:
        return [sock.getsockname()[1] for sock in sockets]
    finally:
        for sock in sockets:
            sock.close()


def write_revision(
    folder: Path,
    *,
    context: str = CONTEXT,
    fallbacks: Sequence[dict[str, Any]] = (),
    **model: Any,
) -> Path:
    """Write the folder that a pod mounts; a fallback is the model with what differs."""
    folder.mkdir(parents=True, exist_ok=True)
    settings: dict[str, Any] = {
        "instructions": None,
        "files": ["cv.md"],
        "model": {
            "provider": "OpenAI",
            "name": "stub",
            "baseURL": None,
            "contextWindow": None,
            "maxTokens": None,
            "temperature": None,
            "timeoutSeconds": 10,
            **model,
        },
    }
    if fallbacks:
        settings["fallbacks"] = [{**settings["model"], **more} for more in fallbacks]
    (folder / "settings.json").write_text(json.dumps(settings))
    (folder / "context.cv.md").write_text(context)
    return folder


@contextmanager
def serve(
    folder: Path,
    stub: Stub | None = None,
    *,
    key: str | None = RIGHT_KEY,
    environment: dict[str, str] | None = None,
    code: str = "from va_assistant.main import main; main()",
    **model: Any,
) -> Iterator[Served]:
    """Run the program on a mounted revision; it is killed in the end."""
    if stub is not None:
        model.setdefault("baseURL", stub.url)
    write_revision(folder / "revision", **model)
    key_file = folder / "apiKey"
    if key is not None:
        key_file.write_text(f"{key}\n")
    port, probe_port = free_ports(2)
    process = subprocess.Popen(
        [
            *(sys.executable, "-c", code),
            *("--host", "127.0.0.1", "--port", str(port), "--probe-port", str(probe_port)),
        ],
        env={
            **os.environ,
            "VA_ASSISTANT_REVISION": REVISION,
            "VA_ASSISTANT_REVISION_DIR": str(folder / "revision"),
            "VA_ASSISTANT_API_KEY_FILE": str(key_file),
            "VA_ASSISTANT_DRAIN_SECONDS": "5",
            # Tests ask more than people do.
            "VA_ASSISTANT_REQUESTS_PER_MINUTE_PER_CLIENT": "0",
            "VA_ASSISTANT_REQUESTS_PER_MINUTE": "0",
            **(environment or {}),
        },
        stderr=subprocess.PIPE,
    )
    served = Served(process=process, port=port, probe_port=probe_port, key_file=key_file)

    def read_log() -> None:
        assert process.stderr
        for line in process.stderr:
            served.lines.append(line.decode())

    reader = threading.Thread(target=read_log, daemon=True)
    reader.start()
    try:
        yield served
    finally:
        process.kill()
        process.wait()
        reader.join(timeout=10)
        assert process.stderr
        process.stderr.close()
