"""A model server that costs next to nothing: `python -m benchmarks.assistant.upstream PORT`.

    POST /v1/chat/completions   as OpenAI's, streaming or not
    GET  /v1/models
    POST /behaviour             the fields of `Behaviour`; holds for requests from then on
    GET  /counts                what became of the requests; `cut` are moments of `time.monotonic`
                                at which clients closed connections under an unfinished answer

Where nothing waits, an answer is one write, or one for each piece of a stream: that is how
pieces leave a real server.
"""

import asyncio
import gc
import json
import re
import sys
import time
from dataclasses import dataclass, field

from benchmarks.assistant.answers import (
    MODEL,
    STREAM_HEAD,
    TEXT,
    Behaviour,
    grouped,
    pieces,
    response,
    stream_end,
    whole,
    words,
)

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_STREAM = re.compile(rb'"stream": ?true')


@dataclass
class Script:
    """What all connections share: how to answer now, and what became of the requests."""

    text: str
    asked: int = 0
    finished: int = 0
    cut: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.behave(Behaviour())

    def behave(self, behaviour: Behaviour) -> None:
        """Prepare the bytes of all answers to come."""
        self.behaviour = behaviour
        said = grouped(words(self.text, behaviour.tokens * behaviour.words), behaviour.words)
        self.whole = whole(said)
        self.pieces = pieces(said)
        self.ends = [stream_end(len(said), usage=usage) for usage in (False, True)]


class Connection(asyncio.Protocol):
    """One connection of a client, which asks one thing at a time."""

    _transport: asyncio.Transport

    def __init__(self, script: Script) -> None:
        self._script = script
        self._buffer = b""
        self._timer: asyncio.TimerHandle | None = None
        self._answering = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what to write to."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101  # for the type checker
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        """Take note of a client that left under its answer."""
        del exc
        if self._timer:
            self._timer.cancel()
        if self._answering:
            self._script.cut.append(time.monotonic())

    def data_received(self, data: bytes) -> None:
        """Answer once a request is whole."""
        self._buffer += data
        head_end = self._buffer.find(b"\r\n\r\n")
        if head_end < 0:
            return
        length = _LENGTH.search(self._buffer, 0, head_end + 2)
        end = head_end + 4 + (int(length[1]) if length else 0)
        if len(self._buffer) < end:
            return
        target = self._buffer.split(b" ", 2)[1]
        body = self._buffer[head_end + 4 : end]
        self._buffer = self._buffer[end:]
        if target == b"/v1/chat/completions":
            self._answer(body)
        else:
            self._transport.write(response(self._tell(target, body)))

    def _answer(self, body: bytes) -> None:
        script = self._script
        script.asked += 1
        self._answering = True
        loop = asyncio.get_running_loop()
        behaviour = script.behaviour
        if _STREAM.search(body):
            begin = loop.time() + behaviour.delay
            work = (script.pieces, script.ends[b'"include_usage"' in body], behaviour.gap, begin)
            if behaviour.delay:
                self._timer = loop.call_at(begin, self._begin, *work)
            else:
                self._begin(*work)
        elif behaviour.delay:
            self._timer = loop.call_later(behaviour.delay, self._finish, script.whole)
        else:
            self._finish(script.whole)

    def _begin(self, todo: list[bytes], end: bytes, gap: float, begin: float) -> None:
        self._transport.write(STREAM_HEAD)
        if gap:
            self._timer = asyncio.get_running_loop().call_at(
                begin + gap, self._next, todo, 0, end, gap, begin
            )
            return
        for piece in todo:
            self._transport.write(piece)
        self._finish(end)

    def _next(self, todo: list[bytes], i: int, end: bytes, gap: float, begin: float) -> None:
        """Write a piece at its moment, whenever the one before it was written."""
        if i + 1 == len(todo):
            self._finish(todo[i] + end)
            return
        self._transport.write(todo[i])
        self._timer = asyncio.get_running_loop().call_at(
            begin + gap * (i + 2), self._next, todo, i + 1, end, gap, begin
        )

    def _finish(self, data: bytes) -> None:
        self._answering = False
        self._timer = None
        self._script.finished += 1
        self._transport.write(data)

    def _tell(self, target: bytes, body: bytes) -> bytes:
        script = self._script
        if target == b"/behaviour":
            script.behave(Behaviour(**json.loads(body)))
        elif target == b"/v1/models":
            models = [{"id": MODEL, "object": "model", "created": 1, "owned_by": "benchmark"}]
            return json.dumps({"object": "list", "data": models}).encode()
        counts = {"asked": script.asked, "finished": script.finished, "cut": script.cut}
        return json.dumps(counts).encode()


async def serve(port: int) -> None:
    """Serve until the process is ended."""
    script = Script(TEXT.read_text())
    server = await asyncio.get_running_loop().create_server(
        lambda: Connection(script), "127.0.0.1", port, backlog=512
    )
    gc.freeze()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
