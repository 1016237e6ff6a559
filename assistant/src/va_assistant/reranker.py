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

from va_assistant.errors import Reason
from va_assistant.news import News

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
"""Questions that are read at once, so that the server always has one for each of its slots; others
wait for their turn here."""

SKIP_SECONDS = 10.0
"""How long nobody asks one that gave no scores."""

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

        self._news = News()

    def scores(self, question: str, lines: Sequence[str], seconds: float) -> list[float] | None:
        """Return a score for each line, the higher the better; None where none came in time."""
        ends = time.monotonic() + seconds
        found = None
        if not self._is_skipped() and self._seats.acquire(timeout=seconds):
            try:
                if not self._is_skipped():  # those before may have found out meanwhile
                    found = self._tried(question, lines, max(0.0, ends - time.monotonic()))
            finally:
                self._seats.release()
        if found is None:
            self._failed()
        return found

    def _is_skipped(self) -> bool:
        return time.monotonic() < self._asked_again

    def _tried(self, question: str, lines: Sequence[str], seconds: float) -> list[float] | None:
        try:
            found = self._asked(question, lines, seconds)
        except RerankerError as error:
            if seconds >= FAIR_SECONDS:
                self._asked_again = time.monotonic() + SKIP_SECONDS
                self._news, count = self._news.failed(Reason.UPSTREAM_ERROR, time.monotonic())
                if count is not None:
                    log.warning("reranker failing", message=str(error), failures=count)
            return None
        self._news, is_news = self._news.answered(time.monotonic())
        if is_news:
            log.info("reranker answers")
        return found

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
