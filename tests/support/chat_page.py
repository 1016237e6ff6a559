"""The chat page in a browser, as its visitor has it."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Locator, Page, Request, Route, expect

from support.openai_stub import Stub
from support.serving import wait_for

SECONDS = 10.0
"""After which nothing in a test is waited for any longer."""

# Runs before the page's own scripts: it sees every breach of the policy from the first on.
WITNESS = """
window.harmed = [];
window.breaches = [];
addEventListener("securitypolicyviolation", (event) => {
  breaches.push(`${event.effectiveDirective}: ${event.blockedURI} ${event.sample}`);
});
"""


@dataclass(kw_only=True)
class Chat:
    """One visit."""

    page: Page
    url: str
    stub: Stub
    errors: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    expected: tuple[str, ...] = ()
    """What the console may complain of in this test."""

    def open(self, path: str = "/") -> "Chat":
        self.page.goto(self.url + path)
        self.about.wait_for()
        return self

    @property
    def about(self) -> Locator:
        return self.page.locator("#about .made")

    @property
    def field(self) -> Locator:
        return self.page.get_by_role("textbox", name="Your question")

    @property
    def token(self) -> Locator:
        return self.page.get_by_role("textbox", name="Token")

    @property
    def turns(self) -> Locator:
        return self.page.get_by_role("region", name="Conversation").locator("ol#turns > li")

    @property
    def last(self) -> Locator:
        return self.turns.last

    @property
    def answer(self) -> Locator:
        return self.last.locator(".answer")

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    def send(self, question: str) -> None:
        self.field.fill(question)
        self.field.press("Enter")

    def ask(self, question: str = "Which instrument, a cello?") -> str:
        """Ask, wait for the end and return the answer as it is seen."""
        self.send(question)
        return self.ended("answered")

    def ended(self, how: str) -> str:
        expect(self.last).to_have_class(f"turn {how}")
        return self.answer.text_content() or ""

    def until(self, script: str) -> None:
        """Wait for a JavaScript expression; by its policy the page cannot do the waiting."""
        wait_for(lambda: bool(self.page.evaluate(script)), SECONDS)

    def focused(self) -> str:
        found: str = self.page.evaluate("document.activeElement.id")
        return found

    def spoken(self) -> list[str]:
        """What the live region of the answer has said, one sentence an item."""
        said: list[str] = self.page.locator("#spoken p").all_text_contents()
        return said

    def reply(self, *events: tuple[str, Any], status: int = 200, **headers: str) -> list[Request]:
        """Answer questions in the assistant's place; return the list that they come into."""
        asked: list[Request] = []
        body = "".join(
            f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"
            for name, data in events
        )

        def answer(route: Route) -> None:
            if route.request.method != "POST":
                route.fallback()
                return
            asked.append(route.request)
            kind = "text/event-stream" if status == 200 else "application/json"
            said = body if status == 200 else json.dumps(dict(events))
            route.fulfill(
                status=status,
                body=said,
                content_type=kind,
                headers={name.replace("_", "-"): value for name, value in headers.items()},
            )

        self.page.route(f"{self.url}/", answer)
        return asked

    def says(self, *pieces: str) -> None:
        """Let the assistant write what its checks would not let through."""
        done = {"model": "stub", "revision": "3f2a91c0de", "finishReason": "stop"}
        self.reply(*(("text", {"text": piece}) for piece in pieces), ("done", done))

    def unscathed(self) -> None:
        """Fail where anything ran that should not, or the console has complained."""
        harmed, breaches = self.page.evaluate("[window.harmed, window.breaches]")
        unexpected = [
            error for error in self.errors if not any(text in error for text in self.expected)
        ]
        seen = {"ran": harmed, "breaches": breaches, "said": unexpected, "foreign": self.foreign}
        assert not any(seen.values()), seen


Visit = Callable[..., Chat]
