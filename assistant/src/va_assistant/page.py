"""The chat page for browsers: its files, and what it may do in a browser."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from flask import Blueprint, Request, Response, request
from werkzeug.datastructures import MIMEAccept
from werkzeug.exceptions import NotFound
from werkzeug.http import parse_accept_header

CONTENT_SECURITY_POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "img-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        # The page makes no HTML of any text, and browsers are told to hold it to that.
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)

_FOLDER: Final = Path(__file__).with_name("page")
_INDEX: Final = "index.html"
_TYPES: Final[Mapping[str, str]] = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
"""Not from the host's table of types, which may have others."""

_HEADERS: Final[Mapping[str, str]] = {
    # Kept, but asked for anew each time: pods of two versions may serve side by side.
    "Cache-Control": "no-cache",
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
}


def wants_page(accept: str) -> bool:
    """Tell whether a client prefers HTML to text; curl's `*/*` prefers nothing."""
    accepted = parse_accept_header(accept, MIMEAccept)
    return bool(accepted.best_match(["text/plain", "text/html"]) == "text/html")


@dataclass(frozen=True, slots=True)
class _File:
    body: bytes
    content_type: str
    etag: str


class Page:
    """The files of the folder `page`, read once."""

    def __init__(self) -> None:
        self._files = {path.name: _read(path) for path in _FOLDER.iterdir()}

    def index(self, request: Request) -> Response:
        """Return the page itself."""
        return _respond(self._files[_INDEX], request)

    def file(self, name: str, request: Request) -> Response:
        """Return what the page loads by name; raises `NotFound`."""
        if name == _INDEX or name not in self._files:
            raise NotFound
        return _respond(self._files[name], request)


def page_routes(page: Page, about: str) -> Blueprint:
    """Return the routes that the page asks; `about` is the JSON of `GET /about`."""
    routes = Blueprint("page", __name__)

    @routes.get("/page/<name>")
    def send_file(name: str) -> Response:
        return page.file(name, request)

    @routes.get("/about")
    def tell_about() -> Response:
        return Response(about, content_type="application/json")

    return routes


def _read(path: Path) -> _File:
    body = path.read_bytes()
    return _File(body, _TYPES[path.suffix], hashlib.sha256(body).hexdigest()[:16])


def _respond(file: _File, request: Request) -> Response:
    """Return the file, or 304 to whoever has it already."""
    response = Response(file.body, content_type=file.content_type, headers=dict(_HEADERS))
    response.set_etag(file.etag)
    response.make_conditional(request)
    return response
