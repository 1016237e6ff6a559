"""Clients that ask all the time and try again as ordinary clients do, to count what is lost."""

import http.client
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from support.asking import ask

TRY_SECONDS = 2.0
"""What a client waits for one answer, as `curl --max-time 2` does."""
ORDINARY_TRIES = 3
"""What an ordinary client does before it gives up, as `curl --retry 2` does."""
FIRST_PAUSE = 1.0
LONGEST_PAUSE = 4.0
"""Seconds between two tries, doubled each time, as curl does."""
PATIENT_TRIES = 10
"""With these it outlives the time until Kubernetes takes a lost node's pods out of Services."""


@dataclass
class RetryingLoad:
    """Clients that make a new connection for each try, to nodes of test clusters only."""

    question: str
    clients: int = 4
    pause: float = 0.1
    """Seconds between two questions of a client."""
    within: float = TRY_SECONDS
    answers: Counter[str] = field(default_factory=Counter)
    tries: Counter[int] = field(default_factory=Counter)
    """How many questions were answered at which try."""
    failures: list[str] = field(default_factory=list)
    """What went wrong with the last try of questions that were never answered."""
    problems: list[str] = field(default_factory=list)
    """What went wrong with any try, after how many seconds."""
    _begun: float = 0.0
    _stopping: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def start(self, url: str) -> None:
        """Begin to ask."""
        host = urlsplit(url).hostname or ""
        assert host.startswith(("127.", "172.")), f"load goes to test clusters only, not to {url}"
        self._begun = time.monotonic()
        for _ in range(self.clients):
            thread = threading.Thread(target=self._ask_on, args=(url,))
            thread.start()
            self._threads.append(thread)

    def stop(self) -> int:
        """End, and return how many questions were answered."""
        self._stopping.set()
        for thread in self._threads:
            thread.join()
        return sum(self.answers.values())

    def lost_after(self, tries: int) -> int:
        """How many questions a client would have lost that gives up after so many tries."""
        late = sum(count for needed, count in self.tries.items() if needed > tries)
        return late + len(self.failures)

    def _ask_on(self, url: str) -> None:
        while not self._stopping.wait(self.pause):
            problem, pause = "", FIRST_PAUSE
            for number in range(1, PATIENT_TRIES + 1):
                problem = self._try(url)
                if not problem:
                    self.tries[number] += 1
                    break
                self.problems.append(f"{time.monotonic() - self._begun:.1f} s: {problem}")
                self._stopping.wait(pause)
                pause = min(pause * 2, LONGEST_PAUSE)
            if problem:
                self.failures.append(problem)

    def _try(self, url: str) -> str:
        """Ask once; return what went wrong, '' where nothing did."""
        try:
            reply = ask(url, self.question, within=self.within)
        except (OSError, http.client.HTTPException, UnicodeDecodeError) as error:
            return repr(error)
        if reply.status != 200:
            return f"{reply.status}: {reply.text.strip()}"
        self.answers[reply.text.strip()] += 1
        return ""
