"""The comparison: llama.cpp's server as it is, asked directly.

`python -m benchmarks.assistant.plain_llama PORT CONTEXT_WINDOW THREADS`. The window and the
threads are those of `va-model`, so that the same work is compared; all else is the default.
"""

import sys
import threading

import xllamacpp

from va_assistant.embedded import MODEL, weights_file


def main() -> None:
    """Serve until the process is ended."""
    port, window, threads = map(int, sys.argv[1:])
    params = xllamacpp.CommonParams()
    params.model.path = str(weights_file(MODEL))
    params.hostnames = ["127.0.0.1"]
    params.port = port
    params.n_ctx = window
    params.cpuparams.n_threads = threads
    params.cpuparams_batch.n_threads = threads
    params.verbosity = 1
    server = xllamacpp.Server(params)
    print(server.listening_address, flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main()
