"""Asks the reranker beside the embedded model how well lines answer a question. Thin.

A cross-encoder: it reads a question and a line together. It is served on loopback by `va-model`,
as an embedding whose components sum up to the score (`reranker/README.md` says why).
"""

import http.client
import json
import threading
import time
from collections.abc import Callable, Sequence

import structlog

log = structlog.get_logger()

PAIR = "{question}[SEP]{line}"
"""Beginning and end are added by the server's tokenizer."""

_MARKS = str.maketrans({"[": "(", "]": ")"})
"""Nothing in a text may pass for a mark of the tokenizer."""

LONGEST_QUESTION = 150
"""Characters at its end that are read: what stands before is more often an introduction."""

LONGEST_LINE = 350
"""Characters of a line that are read. A character is at most one token of its own, so both fit the
reranker's window, whatever they are written in."""

MOST_AT_ONCE = 3
"""Questions that wait for scores. Others do without at once: one more would be told too late."""

SKIP_SECONDS = 10.0
"""How long one that gave no scores is not asked again."""

FAIR_SECONDS = 1.0
"""Who gives it less time learns nothing about it."""


class RerankerError(Exception):
    """No scores came; the message says why and quotes nothing."""


class Reranker:
    """A reranker on loopback; any thread may ask."""

    def __init__(self, port: int, failed: Callable[[], None] = lambda: None) -> None:
        """`failed` is called each time no scores come."""
        self._port = port
        self._failed = failed
        self._seats = threading.BoundedSemaphore(MOST_AT_ONCE)
        self._asked_again = 0.0
        """When it is asked again after a failure, by the clock."""

    def scores(self, question: str, lines: Sequence[str], seconds: float) -> list[float] | None:
        """Return a score for each line, the higher the better; None where none came in time."""
        if time.monotonic() < self._asked_again or not self._seats.acquire(blocking=False):
            self._failed()
            return None
        try:
            return self._asked(question, lines, seconds)
        except RerankerError as error:
            self._failed()
            if seconds >= FAIR_SECONDS:
                self._asked_again = time.monotonic() + SKIP_SECONDS
                log.warning("reranker failed", message=str(error), skipped_seconds=SKIP_SECONDS)
            return None
        finally:
            self._seats.release()

    def _asked(self, question: str, lines: Sequence[str], seconds: float) -> list[float]:
        asked = question[-LONGEST_QUESTION:].translate(_MARKS)
        pairs = [
            PAIR.format(question=asked, line=line[:LONGEST_LINE].translate(_MARKS))
            for line in lines
        ]
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=seconds)
        try:
            # As they are: the length of a vector counts.
            body = json.dumps({"input": pairs, "embd_normalize": -1})
            connection.request("POST", "/embeddings", body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            content = response.read()
            if response.status != http.HTTPStatus.OK:
                raise RerankerError(f"the reranker answered {response.status}")
            return _scores_in(content, len(pairs))
        except (OSError, http.client.HTTPException) as error:
            raise RerankerError(f"the reranker did not answer: {type(error).__name__}") from error
        finally:
            connection.close()


def _scores_in(content: bytes, count: int) -> list[float]:
    """Return the scores of an answer, in the order in which they were asked for."""
    try:
        found = {
            int(one["index"]): sum(map(float, one["embedding"][0])) for one in json.loads(content)
        }
        return [found[number] for number in range(count)]
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise RerankerError(f"the reranker answered no scores: {type(error).__name__}") from error
