"""What the page says of an answer: whence it is, how it was made; and the token it may need."""

import json
from typing import Any

import pytest
from playwright.sync_api import Route, expect

from support.chat_page import Chat, Visit

DONE = {"model": "stub", "revision": "3f2a91c0de", "finishReason": "stop"}
SOURCES = [
    {"file": "cv.md", "line": 7, "text": "Ada plays the cello in a string quartet."},
    {"file": "dogs.md", "line": 2, "text": "Her dog is called Pixel."},
]
TOKEN = "right-token"
UNAUTHORIZED = {"error": {"reason": "TokenMissing", "message": "send a token"}}


USUAL_NO_ANSWER = "I found no answer to that in the text."


def answered(chat: Chat, text: str = "Ada plays the cello.", **done: Any) -> None:
    chat.reply(("text", {"text": text}), ("done", {**DONE, **done}))
    chat.ask()


def test_sources_are_footnotes_that_open_by_keyboard(chat: Chat) -> None:
    answered(chat, sources=SOURCES, madeBy="Model")
    notes = chat.last.get_by_role("list", name="Sources")
    assert notes.locator("summary").all_text_contents() == ["cv.md, line 7", "dogs.md, line 2"]
    passage = chat.page.get_by_text("Her dog is called Pixel.")
    expect(passage).to_be_hidden()
    notes.locator("summary").last.press("Enter")
    expect(passage).to_be_visible()
    expect(chat.page.get_by_role("status")).to_have_text("Answered. 2 sources.")


def test_no_answer_is_followed_by_the_lines_that_come_nearest(chat: Chat) -> None:
    answered(chat, USUAL_NO_ANSWER, madeBy="NoAnswer", nearest=SOURCES)
    heading = "Lines that may help"
    expect(chat.last.locator(".note")).to_have_text(f"{heading}:")
    nearest = chat.last.get_by_role("list", name=heading)
    assert nearest.locator("summary").all_text_contents() == ["cv.md, line 7", "dogs.md, line 2"]
    # By role only what is seen is found: these are open.
    expect(nearest.get_by_role("blockquote")).to_have_text([one["text"] for one in SOURCES])
    expect(chat.page.get_by_role("status")).to_have_text("Answered. 2 lines may help.")


@pytest.mark.parametrize(
    ("text", "done"),
    [
        ("Ada plays the cello.", {"madeBy": "Model"}),
        ("Ada plays the cello.", {"madeBy": "Passages", "fallback": False}),
        (USUAL_NO_ANSWER, {"madeBy": "NoAnswer"}),
    ],
)
def test_an_answer_as_it_is_promised_carries_no_note(
    chat: Chat, text: str, done: dict[str, Any]
) -> None:
    answered(chat, text, **done)
    expect(chat.last.locator(".foot")).to_be_empty()
    expect(chat.page.get_by_role("status")).to_have_text("Answered.")


@pytest.mark.parametrize(
    ("done", "note"),
    [
        (
            {"madeBy": "Passages", "fallback": True, "model": None},
            "No model answers: these are the best-matching lines of the text.",
        ),
        (
            {"madeBy": "Passages", "fallback": True, "model": "second"},
            "Answered by the stand-in second.",
        ),
        ({"madeBy": "NoAnswer"}, "No answer was found in the text."),
        ({"fallback": True, "model": "second"}, "Answered by the stand-in second."),
        ({"finishReason": "length"}, "The answer reached its longest allowed length and was cut."),
    ],
)
def test_how_an_answer_was_made_is_seen_and_said(
    chat: Chat, done: dict[str, Any], note: str
) -> None:
    answered(chat, **done)
    expect(chat.last.locator(".note")).to_have_text(note)
    expect(chat.page.get_by_role("status")).to_have_text(f"Answered. {note}")


def guarded(chat: Chat) -> list[str | None]:
    """Let the assistant ask for a token; return the list of those that come with questions."""
    given: list[str | None] = []

    def guard(route: Route) -> None:
        credentials = route.request.headers.get("x-va-token")
        if route.request.method == "POST":
            given.append(credentials)
        if credentials == TOKEN:
            route.fallback()
        else:
            route.fulfill(
                status=401,
                headers={"WWW-Authenticate": "Bearer"},
                content_type="application/json",
                body=json.dumps(UNAUTHORIZED),
            )

    chat.expected = ("401",)
    chat.page.route("**/about", guard)
    chat.page.route(
        f"{chat.url}/",
        lambda route: guard(route) if route.request.method == "POST" else route.fallback(),
    )
    return given


def test_a_token_is_asked_for_and_stays_in_the_tab(visit: Visit) -> None:
    chat = visit(opened=False)
    given = guarded(chat)
    chat.page.goto(chat.url)
    expect(chat.page.get_by_role("form", name="This assistant asks for a token")).to_be_visible()
    expect(chat.token).to_be_focused()
    chat.token.fill("wrong")
    chat.token.press("Enter")
    expect(chat.page.get_by_role("heading", name="The token was refused")).to_be_visible()
    expect(chat.page.get_by_role("status")).to_have_text("The token was refused")
    chat.token.fill(TOKEN)
    chat.token.press("Enter")
    expect(chat.about).to_contain_text("stub")
    expect(chat.token).to_be_hidden()
    assert chat.focused() == "question"
    chat.ask()
    assert given == [TOKEN]
    chat.page.reload()
    expect(chat.about).to_contain_text("stub")
    kept = chat.page.evaluate("[localStorage.length, document.cookie, sessionStorage.length]")
    assert kept == [0, "", 1]


def test_a_token_that_no_header_can_carry_is_told_and_kept_nowhere(visit: Visit) -> None:
    """As it comes out of a chat message, with a typographic quote or an unseen space."""
    chat = visit(opened=False)
    guarded(chat)
    chat.page.goto(chat.url)
    for typed in (f"{TOKEN}\u2019", f"{TOKEN}\u200b", "two words"):
        chat.token.fill(typed)
        chat.token.press("Enter")
        expect(chat.page.get_by_role("heading", name="A token has letters")).to_be_visible()
        expect(chat.token).to_have_value("")
    chat.page.reload()
    expect(chat.token).to_be_focused()
    chat.token.fill(TOKEN)
    chat.token.press("Enter")
    expect(chat.about).to_contain_text("stub")


def test_a_token_that_was_refused_is_not_kept(visit: Visit) -> None:
    chat = visit(opened=False)
    guarded(chat)
    chat.page.goto(chat.url)
    chat.token.fill("wrong")
    chat.token.press("Enter")
    expect(chat.page.get_by_role("heading", name="The token was refused")).to_be_visible()
    assert chat.page.evaluate("sessionStorage.length") == 0


@pytest.mark.parametrize(
    ("status", "kind", "body", "told"),
    [
        (503, "application/json", json.dumps(UNAUTHORIZED), "send a token"),
        (502, "text/html", "<h1>Bad Gateway</h1>", "not from the assistant"),
        (200, "text/html", "<h1>Welcome to the hotel</h1>", "What answered here is no assistant."),
    ],
)
def test_a_page_that_cannot_say_what_it_answers_from_says_why(
    visit: Visit, status: int, kind: str, body: str, told: str
) -> None:
    chat = visit(opened=False)
    chat.expected = (str(status),)
    chat.page.route(
        "**/about", lambda route: route.fulfill(status=status, content_type=kind, body=body)
    )
    chat.page.goto(chat.url)
    expect(chat.page.locator("#about")).to_contain_text(told)
    expect(chat.page.get_by_role("status")).to_contain_text(told)
    chat.page.unroute("**/about")
    chat.ask()
    expect(chat.about).to_contain_text("stub")


def test_a_question_that_lacked_a_token_is_asked_again_with_it(chat: Chat) -> None:
    given = guarded(chat)
    chat.send("Which instrument, a cello?")
    chat.ended("failed")
    chat.token.fill(TOKEN)
    chat.button("Use it").click()
    assert chat.ended("answered") == "Ada plays the cello in a string quartet."
    expect(chat.turns).to_have_count(1)
    assert given == [None, TOKEN]


def test_a_token_is_not_sent_to_another_assistant_of_the_same_origin(visit: Visit) -> None:
    chat = visit()
    chat.page.evaluate(f"sessionStorage.setItem('va-token /', '{TOKEN}')")
    asked: list[str | None] = []

    def strip(route: Route) -> None:
        asked.append(route.request.headers.get("x-va-token"))
        route.continue_(url=route.request.url.replace("/other", ""))

    chat.page.route(f"{chat.url}/other/**", strip)
    chat.open("/other/")
    chat.ask()
    assert set(asked) == {None}
