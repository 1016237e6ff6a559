"""What is told of a request that the application never sees: too long, too slow, or no HTTP."""

from gunicorn.http.errors import (  # type: ignore[import-untyped]
    InvalidResponseHeader,
    InvalidResponseHeaderName,
    LimitRequestHeaders,
    LimitRequestLine,
    ParseException,
)

from va_assistant.errors import Failure, Reason, internal_error, one_line

NO_PAGE = "default-src 'none'; frame-ancestors 'none'"
"""What a model writes is never run, loaded or framed, whatever a browser takes it for."""

_PHRASES = {
    400: "Bad Request",
    408: "Request Timeout",
    414: "URI Too Long",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    503: "Service Unavailable",
}
_OF_THE_RESPONSE = (InvalidResponseHeader, InvalidResponseHeaderName)


def failure_of(error: BaseException) -> Failure:
    """Return what an error of gunicorn's parser, or any other, is to a client."""
    if not isinstance(error, ParseException) or isinstance(error, _OF_THE_RESPONSE):
        return internal_error()
    message = one_line(str(error))
    if isinstance(error, LimitRequestLine):
        return Failure(Reason.ADDRESS_TOO_LONG, message)
    if isinstance(error, LimitRequestHeaders):
        return Failure(Reason.HEAD_TOO_LARGE, message)
    return Failure(Reason.BAD_REQUEST, message)


def told(failure: Failure) -> bytes:
    """Return the whole response, the last one of its connection."""
    line = f"{failure.reason}: {failure.told}\n".encode()
    retry = "" if failure.retry_after is None else f"Retry-After: {failure.retry_after:.0f}\r\n"
    head = (
        f"HTTP/1.1 {failure.status} {_PHRASES[failure.status]}\r\n"
        f"Content-Type: text/plain; charset=utf-8\r\nContent-Length: {len(line)}\r\n{retry}"
        f"X-Content-Type-Options: nosniff\r\nContent-Security-Policy: {NO_PAGE}\r\n"
        "Cache-Control: no-store\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + line
