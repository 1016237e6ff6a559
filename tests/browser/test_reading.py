"""The page for every reader: screen readers, phones, the dark, and who wants no motion."""

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from support.chat_page import Chat, Visit
from support.openai_stub import Turn

DONE = {"model": "stub", "revision": "3f2a91c0de", "finishReason": "stop"}
SOURCES = [{"file": "a-file-with-a-rather-long-name.md", "line": 7, "text": "A line. " * 30}]
STANDARD = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def with_an_answer(chat: Chat) -> None:
    chat.reply(
        ("text", {"text": "Ada plays the cello. " * 20}),
        ("done", {**DONE, "sources": SOURCES, "madeBy": "Passages"}),
    )
    chat.ask("Which instrument does she play, and with whom?")
    chat.last.locator("summary").click()
    chat.field.focus()


def with_near_lines(chat: Chat) -> None:
    chat.reply(
        ("text", {"text": "I found no answer to that in the text."}),
        ("done", {**DONE, "nearest": SOURCES, "madeBy": "NoAnswer"}),
    )
    chat.ask("Which instrument does she play, and with whom?")


def with_an_error(chat: Chat) -> None:
    chat.expected = ("503",)
    said = {"error": {"reason": "TooBusy", "message": "too many questions at once"}}
    chat.reply(*said.items(), status=503, Retry_After="60")
    chat.send("Which instrument does she play?")
    chat.ended("failed")


def at_work(chat: Chat) -> None:
    chat.stub.default = Turn(pieces=4, hang_at=3)
    chat.send("Which instrument does she play?")
    expect(chat.answer).to_contain_text("Again. Again.")


def waiting(chat: Chat) -> None:
    chat.stub.default = Turn(delay=-1)
    chat.send("Which instrument does she play?")
    expect(chat.last).to_have_class("turn waiting")
    expect(chat.answer).to_be_visible()


def without_a_token(chat: Chat) -> None:
    chat.expected = ("401",)
    chat.page.route("**/about", lambda route: route.fulfill(status=401, json={}))
    chat.page.reload()
    expect(chat.token).to_be_focused()


def untouched(chat: Chat) -> None:
    pass


STATES = [
    untouched,
    with_an_answer,
    with_near_lines,
    with_an_error,
    at_work,
    waiting,
    without_a_token,
]
State = Callable[[Chat], None]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("state", STATES)
def test_no_known_barrier_stands_in_the_way(visit: Visit, state: State, scheme: str) -> None:
    # The checker makes elements of HTML, which the page's policy forbids.
    chat = visit(color_scheme=scheme, reduced_motion="reduce", bypass_csp=True)
    state(chat)
    found = Axe().run(chat.page, options={"runOnly": STANDARD})
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("width", [320, 390, 768])
@pytest.mark.parametrize("state", STATES)
def test_nothing_stands_out_over_a_narrow_screen(visit: Visit, state: State, width: int) -> None:
    chat = visit(viewport={"width": width, "height": 640}, has_touch=True, is_mobile=True)
    state(chat)
    wide = chat.page.evaluate(
        """[...document.querySelectorAll("body *:not(.unseen, .unseen *)")]
          .filter((found) => found.getBoundingClientRect().right > innerWidth + 0.5)
          .map((found) => found.outerHTML.slice(0, 80))"""
    )
    assert wide == []
    assert chat.page.evaluate("document.documentElement.scrollWidth") == width


def test_a_phone_neither_zooms_into_the_field_nor_hides_it(visit: Visit) -> None:
    chat = visit(viewport={"width": 320, "height": 300}, has_touch=True, is_mobile=True)
    chat.says("A line of the answer.\n" * 40)
    chat.ask()
    assert chat.field.evaluate("field => parseFloat(getComputedStyle(field).fontSize)") >= 16
    expect(chat.field).to_be_in_viewport(ratio=1)
    for button in chat.page.get_by_role("button").all():
        box = button.bounding_box()
        assert box
        assert min(box["width"], box["height"]) >= 24  # WCAG 2.2, 2.5.8


def test_a_long_question_grows_the_field_and_no_further_than_its_bound(chat: Chat) -> None:
    height = "field => field.getBoundingClientRect().height"
    one = chat.field.evaluate(height)
    chat.field.fill("a\nb\nc")
    three = chat.field.evaluate(height)
    chat.field.fill("a\n" * 200)
    many = chat.field.evaluate(height)
    assert one < three < many <= 0.45 * chat.page.viewport_size["height"]  # type: ignore[index]
    expect(chat.field).to_be_in_viewport(ratio=1)


@pytest.mark.parametrize(("scheme", "dark"), [("light", False), ("dark", True)])
def test_the_page_follows_the_system_into_the_dark(visit: Visit, scheme: str, dark: bool) -> None:
    chat = visit(color_scheme=scheme)
    colours: dict[str, Any] = chat.page.evaluate(
        """(() => {
          const light = (name) => {
            const style = getComputedStyle(document.body)[name];
            return style.match(/\\d+/g).slice(0, 3).reduce((sum, part) => sum + Number(part), 0);
          };
          return {ground: light("backgroundColor"), text: light("color")};
        })()"""
    )
    assert (colours["ground"] < colours["text"]) is dark


@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
def test_nothing_moves_for_who_wants_no_motion(visit: Visit, motion: str) -> None:
    chat = visit(reduced_motion=motion)
    waiting(chat)
    name = chat.answer.evaluate("found => getComputedStyle(found, '::before').animationName")
    assert (name == "none") is (motion == "reduce")


def test_a_screen_reader_finds_its_way_by_landmarks_and_names(chat: Chat) -> None:
    chat.ask()
    expect(chat.page.locator("body")).to_match_aria_snapshot("""
      - banner:
        - heading "Assistant" [level=1]
        - button "New conversation"
      - main:
        - region "Conversation":
          - list:
            - listitem:
              - heading "Which instrument, a cello?" [level=2]
              - text: Ada plays the cello in a string quartet.
      - contentinfo:
        - form "Ask":
          - textbox "Your question"
          - button "Ask"
      - log "Answer as it comes"
      - status
    """)


def test_an_answer_is_said_by_sentences_and_not_by_words(chat: Chat) -> None:
    chat.page.evaluate(
        """() => {
          window.said = [];
          new MutationObserver((records) => records.forEach((record) =>
            record.addedNodes.forEach((node) => said.push(node.textContent))))
            .observe(document.getElementById("spoken"),
              {childList: true, subtree: true, characterData: true});
        }"""
    )
    chat.says("Ada plays the cello. ", "She lives at No. 3 in Bergen! ", "And so on")
    chat.ask()
    sentences = ["Ada plays the cello.", "She lives at No. 3 in Bergen!", "And so on"]
    assert chat.spoken() == sentences
    assert chat.page.evaluate("said") == sentences
    assert chat.answer.get_attribute("aria-live") is None
    chat.says("Pixel.")
    chat.ask("Her dog?")
    assert chat.spoken() == ["Pixel."]


def test_what_happens_is_said_at_once(chat: Chat) -> None:
    status = chat.page.get_by_role("status")
    chat.stub.default = Turn(delay=-1)
    chat.send("Which instrument?")
    expect(status).to_have_text("Answering")
    chat.page.keyboard.press("Escape")
    expect(status).to_have_text("Stopped.")
