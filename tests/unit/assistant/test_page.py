"""The chat page as a server sends it; tests/browser sees what it does."""

import re
from pathlib import Path

import pytest

from support.serving import Reply, Served
from va_assistant import page
from va_assistant.page import wants_page

CHROMIUM = (
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,"
    "image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7"
)
FOLDER = Path(page.__file__).with_name("page")
FILES = sorted(path.name for path in FOLDER.iterdir() if path.name != "index.html")
MAX_BYTES = 40_000


def get(served: Served, path: str, **headers: str) -> Reply:
    return served.ask("", method="GET", path=path, **headers)


@pytest.mark.parametrize(
    "accept", [CHROMIUM, "text/html", "TEXT/HTML", "text/plain;q=0.9, text/html", "text/html;q=0.1"]
)
def test_who_prefers_html_gets_the_page(accept: str) -> None:
    assert wants_page(accept)


@pytest.mark.parametrize(
    "accept",
    [
        "",
        "*/*",
        "text/*",
        "text/plain",
        "text/plain, text/html",
        "text/html;q=0.5, text/plain",
        "text/html;q=0",
        "text/html;q=0.5, */*",
        "application/json",
        "text/html;q=x",
        ",;,",
    ],
)
def test_everyone_else_gets_the_help(accept: str) -> None:
    assert not wants_page(accept)


def test_a_browser_gets_the_page_and_curl_the_help_at_one_address(shared: Served) -> None:
    browser, curl = get(shared, "/", Accept=CHROMIUM), get(shared, "/", Accept="*/*")
    assert browser.headers["Content-Type"] == "text/html; charset=utf-8"
    assert browser.text.startswith("<!doctype html>")
    assert curl.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert "curl -d" in curl.text
    assert browser.headers["Vary"] == curl.headers["Vary"] == "Accept"
    assert curl.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", ["/", *(f"/page/{name}" for name in FILES)])
def test_every_file_comes_with_what_keeps_a_browser_safe(shared: Served, path: str) -> None:
    reply = get(shared, path, Accept="text/html")
    assert reply.status == 200
    policy = dict(
        rule.split(" ", 1) for rule in reply.headers["Content-Security-Policy"].split("; ")
    )
    assert policy == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "connect-src": "'self'",
        "img-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
        "require-trusted-types-for": "'script'",
        "trusted-types": "'none'",
    }
    assert reply.headers["X-Content-Type-Options"] == "nosniff"
    assert reply.headers["Referrer-Policy"] == "no-referrer"
    assert reply.headers["Cross-Origin-Resource-Policy"] == "same-origin"


@pytest.mark.parametrize("path", ["/", "/page/chat.js"])
def test_what_a_browser_has_is_not_sent_again(shared: Served, path: str) -> None:
    first = get(shared, path, Accept="text/html")
    assert first.headers["Cache-Control"] == "no-cache"
    again = get(shared, path, Accept="text/html", If_None_Match=first.headers["ETag"])
    other = get(shared, path, Accept="text/html", If_None_Match='"another"')
    assert (again.status, again.body) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]
    assert other.body == first.body


@pytest.mark.parametrize(
    "path",
    ["/page/", "/page/index.html", "/page/nope.js", "/page/..%2fweb.py", "/page/../web.py"],
)
def test_only_the_files_of_the_page_are_sent(shared: Served, path: str) -> None:
    assert get(shared, path).status == 404


def test_scripts_come_as_scripts_and_styles_as_styles(shared: Served) -> None:
    types = {name: get(shared, f"/page/{name}").headers["Content-Type"] for name in FILES}
    assert types["chat.css"] == "text/css; charset=utf-8"
    assert types["icon.svg"] == "image/svg+xml"
    assert {types[name] for name in FILES if name.endswith(".js")} == {
        "text/javascript; charset=utf-8"
    }


def test_the_page_asks_only_for_files_that_are_there_and_beside_it() -> None:
    html = (FOLDER / "index.html").read_text()
    named = set(re.findall(r'(?:src|href)="([^"]*)"', html))
    assert named == {"page/chat.css", "page/chat.js", "page/icon.svg"}
    imported = {
        name
        for path in FOLDER.glob("*.js")
        for name in re.findall(r'^import .* from "(.*)";$', path.read_text(), re.MULTILINE)
    }
    assert {name.removeprefix("./") for name in imported} <= set(FILES)
    assert all(name.startswith("./") for name in imported)


def test_nothing_makes_html_of_a_text() -> None:
    for path in FOLDER.glob("*.js"):
        script = path.read_text()
        for way in (
            "innerHTML",
            "outerHTML",
            "insertAdjacent",
            "document.write",
            "eval(",
            "DOMParser",
        ):
            assert way not in script, path.name


def test_the_page_stays_small() -> None:
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < MAX_BYTES


def test_about_says_what_answers_and_from_what(shared: Served) -> None:
    reply = get(shared, "/about")
    assert reply.headers["Content-Type"] == "application/json"
    assert reply.headers["Cache-Control"] == "no-store"
    assert reply.json == {
        "name": "",
        "model": "stub",
        "revision": "3f2a91c0de",
        "files": ["cv.md"],
        "examples": [],
    }
