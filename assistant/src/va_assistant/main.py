"""`va-assistant`: serves a revision, in a pod or on somebody's own machine."""

import gc
import os
import signal
import sys
from typing import NoReturn


def main() -> NoReturn:
    """Run the command; ends with the process.

    Everything else is loaded after this: as the first process of a container,
    one without a handler would not even notice SIGTERM.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    # All that is loaded stays: looking through it for garbage is a tenth of the time that it takes.
    gc.disable()
    from va_assistant import launch

    gc.freeze()
    gc.enable()
    launch.run(sys.argv[1:])
    # Threads that still write answers have had their time.
    os._exit(0)
