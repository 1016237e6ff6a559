"""A steady stream of questions, to see whether any fails while something changes."""

import threading
from collections import Counter
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit


@dataclass
class Load:
    """A few clients that ask the same question again and again, on loopback only.

    Half of them keep their connection, half make a new one for each question: the two meet
    different ends of a pod.
    """

    clients: int = 4
    pause: float = 0.1
    """Seconds between two questions of a client."""
    answers: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    _stopping: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def start(self, url: str, question: str) -> None:
        """Begin to ask."""
        parts = urlsplit(url)
        assert parts.hostname == "127.0.0.1", f"load goes to loopback only, not to {url}"
        for number in range(self.clients):
            thread = threading.Thread(
                target=self._ask, args=(parts.hostname, parts.port, question, number % 2 == 0)
            )
            thread.start()
            self._threads.append(thread)

    def stop(self) -> int:
        """End, and return how many questions were answered."""
        self._stopping.set()
        for thread in self._threads:
            thread.join()
        return sum(self.answers.values())

    def _ask(self, host: str, port: int, question: str, keep: bool) -> None:
        connection = HTTPConnection(host, port, timeout=30)
        while not self._stopping.wait(self.pause):
            try:
                headers = {"Content-Type": "text/plain"}
                connection.request("POST", "/", question.encode(), headers)
                response = connection.getresponse()
                body = response.read().decode()
            except (OSError, HTTPException, UnicodeDecodeError) as error:
                self.failures.append(repr(error))
                connection.close()
                continue
            if response.status == 200:
                self.answers[body.strip()] += 1
            else:
                self.failures.append(f"{response.status}: {body.strip()}")
            if not keep:
                connection.close()
        connection.close()
