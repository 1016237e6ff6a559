"""Asking on the chat page: by keyboard alone, with stop and retry, and never losing a question."""

import pytest
from playwright.sync_api import expect

from support.chat_page import Chat, Visit
from support.openai_stub import Turn, error

CELLO = "Which instrument, a cello?"
ANSWER = "Ada plays the cello in a string quartet."
DONE = ("done", {"model": "stub", "revision": "3f2a91c0de", "finishReason": "stop"})
BUSY = {"error": {"reason": "TooBusy", "message": "too many questions at once"}}


def test_the_page_says_who_answers_from_what_and_what_can_be_asked(chat: Chat) -> None:
    expect(chat.page).to_have_title("Assistant")
    expect(chat.page.get_by_role("banner")).to_contain_text("Answers from cv.md")
    expect(chat.about).to_have_text("stub, revision 3f2a91c0de")
    examples = chat.page.get_by_role("list", name="Examples").get_by_role("button")
    assert examples.all_text_contents() == ["Work?", "Music?", "What is her dog called?"]


def test_an_assistant_with_a_name_and_many_files_shows_them(visit: Visit) -> None:
    chat = visit(opened=False)
    files = [f"chapter-{number}.md" for number in range(1, 9)]
    told = {"name": "handbook", "model": "m", "revision": "0a", "files": files, "examples": []}
    chat.page.route("**/about", lambda route: route.fulfill(json=told))
    chat.open()
    expect(chat.page).to_have_title("handbook")
    expect(chat.page.get_by_role("heading", level=1)).to_have_text("handbook")
    expect(chat.page.get_by_text("chapter-8.md")).to_be_hidden()
    chat.page.get_by_text("Answers from 8 files").click()
    expect(chat.page.get_by_text("chapter-8.md")).to_be_visible()


def test_a_question_is_asked_and_answered_by_keyboard_alone(chat: Chat) -> None:
    assert chat.focused() == "question"
    chat.page.keyboard.type("Which instrument,")
    chat.page.keyboard.press("Shift+Enter")
    chat.page.keyboard.type("a cello?")
    expect(chat.field).to_have_value("Which instrument,\na cello?")
    chat.page.keyboard.press("Enter")
    assert chat.ended("answered") == ANSWER
    expect(chat.last.get_by_role("heading")).to_have_text("Which instrument,\na cello?")
    expect(chat.field).to_have_value("")
    assert chat.focused() == "question"


def test_every_control_is_reached_with_tab_and_shows_that_it_has_the_focus(chat: Chat) -> None:
    chat.says(ANSWER)
    chat.ask()
    chat.field.focus()
    reached = []
    for _ in range(3):
        chat.page.keyboard.press("Shift+Tab")
        reached.append(chat.focused())
        outline = chat.page.evaluate(
            "document.activeElement === document.body ? '3px'"
            " : getComputedStyle(document.activeElement).outlineWidth"
        )
        assert outline == "3px"
    assert reached[0] == "new"
    chat.field.focus()
    chat.page.keyboard.press("Tab")
    assert chat.focused() == "send"


def test_an_example_is_asked_with_one_key(chat: Chat) -> None:
    chat.button("Music?").press("Enter")
    chat.ended("answered")
    expect(chat.last.get_by_role("heading")).to_have_text("Music?")
    assert chat.stub.log[-1].body["messages"][-1]["content"] == "Music?"


def test_an_empty_question_is_not_asked(chat: Chat) -> None:
    chat.field.fill(" \n ")
    chat.field.press("Enter")
    expect(chat.turns).to_have_count(0)
    assert not chat.stub.log


def test_enter_that_ends_the_spelling_of_a_word_asks_nothing(chat: Chat) -> None:
    chat.field.fill("kana")
    chat.field.evaluate(
        "field => field.dispatchEvent(new KeyboardEvent('keydown',"
        " {key: 'Enter', isComposing: true, bubbles: true, cancelable: true}))"
    )
    expect(chat.field).to_have_value("kana")
    expect(chat.turns).to_have_count(0)


def test_an_answer_is_seen_while_it_is_written(chat: Chat) -> None:
    chat.stub.default = Turn(pieces=4, hang_at=3)
    chat.send(CELLO)
    expect(chat.answer).to_have_text("Again. Again. ", use_inner_text=False)
    expect(chat.answer).to_have_attribute("aria-busy", "true")
    chat.page.keyboard.press("Escape")
    chat.ended("stopped")
    expect(chat.answer).not_to_have_attribute("aria-busy", "true")


@pytest.mark.parametrize("way", ["Escape", "button"])
def test_stopping_frees_the_model_and_keeps_what_was_written(chat: Chat, way: str) -> None:
    chat.stub.default = Turn(pieces=4, hang_at=3)
    chat.send(CELLO)
    expect(chat.answer).to_contain_text("Again. Again.")
    if way == "Escape":
        chat.page.keyboard.press("Escape")
    else:
        chat.button("Stop").click()
    assert chat.ended("stopped").strip() == "Again. Again."
    chat.stub.wait_for(lambda: chat.stub.log[-1].client_left)
    expect(chat.page.get_by_role("status")).to_have_text("Stopped.")
    expect(chat.button("Ask")).to_be_visible()
    expect(chat.button("Stop")).to_be_hidden()
    assert chat.focused() == "question"


def test_a_stopped_question_is_asked_again_in_its_place(chat: Chat) -> None:
    chat.stub.turns(Turn(delay=-1))
    chat.send(CELLO)
    chat.stub.wait_for(lambda: bool(chat.stub.log))
    chat.page.keyboard.press("Escape")
    chat.ended("stopped")
    chat.button("Ask again").press("Enter")
    assert chat.ended("answered") == ANSWER
    expect(chat.turns).to_have_count(1)
    assert chat.focused() == "question"


def test_the_next_question_waits_in_the_field_while_one_is_at_work(chat: Chat) -> None:
    chat.stub.turns(Turn(delay=-1))
    chat.send(CELLO)
    chat.stub.wait_for(lambda: bool(chat.stub.log))
    chat.send("And her dog?")
    expect(chat.field).to_have_value("And her dog?")
    expect(chat.turns).to_have_count(1)
    expect(chat.page.get_by_role("status")).to_contain_text("One question at a time.")
    chat.page.keyboard.press("Escape")
    chat.ended("stopped")
    chat.field.press("Enter")
    chat.ended("answered")
    expect(chat.turns).to_have_count(2)


def test_a_question_that_failed_is_kept_and_tried_again(chat: Chat) -> None:
    chat.expected = ("502 (BAD GATEWAY)",)
    chat.stub.turns(error(404, "no such model"))
    chat.send("Her salary?")
    chat.ended("failed")
    expect(chat.last).to_contain_text("Her salary?")
    expect(chat.last).to_contain_text("ModelNotFound")
    expect(chat.page.get_by_role("status")).to_contain_text("No answer.")
    chat.button("Try again").click()
    assert chat.ended("answered") == "I found no answer to that in the text."
    expect(chat.last).not_to_contain_text("ModelNotFound")
    assert chat.focused() == "question"


def test_an_answer_that_breaks_off_says_that_it_is_not_whole(chat: Chat) -> None:
    chat.stub.turns(Turn(pieces=5, cut_at=3))
    chat.send(CELLO)
    assert chat.ended("failed").strip() == "Again. Again."
    expect(chat.last).to_contain_text("This answer is not whole.")
    expect(chat.last).to_contain_text("ConnectionLost")
    chat.button("Try again").click()
    assert chat.ended("answered") == ANSWER


def test_a_stream_that_ends_without_its_last_event_is_no_answer(chat: Chat) -> None:
    chat.reply(("text", {"text": "Ada plays"}))
    chat.send(CELLO)
    assert chat.ended("failed") == "Ada plays"
    expect(chat.last).to_contain_text("ConnectionLost")


def test_trying_again_waits_as_long_as_the_assistant_asks_for(chat: Chat) -> None:
    chat.expected = ("503",)
    chat.page.clock.install()
    chat.reply(*BUSY.items(), status=503, Retry_After="7")
    chat.send(CELLO)
    chat.ended("failed")
    expect(chat.button("Try again in 7 s")).to_be_disabled()
    chat.page.clock.run_for(4_000)
    expect(chat.button("Try again in 3 s")).to_be_disabled()
    chat.page.clock.run_for(3_000)
    expect(chat.button("Try again")).to_be_enabled()
    chat.page.unroute(f"{chat.url}/")
    chat.button("Try again").click()
    assert chat.ended("answered") == ANSWER


def test_an_assistant_that_is_not_there_loses_no_question(chat: Chat) -> None:
    chat.expected = ("ERR_INTERNET_DISCONNECTED",)
    chat.page.context.set_offline(True)
    chat.send(CELLO)
    chat.ended("failed")
    expect(chat.last).to_contain_text("The assistant cannot be reached.")
    chat.page.context.set_offline(False)
    chat.button("Try again").click()
    assert chat.ended("answered") == ANSWER


@pytest.mark.parametrize(
    ("status", "body"),
    [(502, "<html><h1>Bad Gateway</h1></html>"), (200, "<html>Welcome to the hotel</html>")],
)
def test_what_others_answer_on_the_way_is_not_taken_for_an_answer(
    chat: Chat, status: int, body: str
) -> None:
    chat.expected = ("502",)
    chat.page.route(
        f"{chat.url}/",
        lambda route: route.fulfill(status=status, body=body, content_type="text/html"),
    )
    chat.send(CELLO)
    assert chat.ended("failed") == ""
    expect(chat.last).to_contain_text("NotAnAssistant")


def test_what_was_answered_before_goes_with_the_next_question(chat: Chat) -> None:
    asked = chat.reply(("text", {"text": "A cello."}), DONE)
    chat.ask(CELLO)
    chat.ask("Since when?")
    first, second = (request.post_data_json for request in asked)
    assert first == {"question": CELLO, "history": [], "stream": True}
    assert second["history"] == [
        {"role": "user", "text": CELLO},
        {"role": "assistant", "text": "A cello."},
    ]


def test_what_was_not_answered_is_no_part_of_the_conversation(chat: Chat) -> None:
    chat.reply(("text", {"text": "Half of"}))
    chat.send(CELLO)
    chat.ended("failed")
    chat.page.unroute(f"{chat.url}/")
    asked = chat.reply(("text", {"text": "Pixel."}), DONE)
    chat.ask("And her dog?")
    assert asked[0].post_data_json["history"] == []


def test_a_long_conversation_sends_only_its_end(chat: Chat) -> None:
    asked = chat.reply(("text", {"text": "x" * 7_000}), DONE)
    for number in range(4):
        chat.ask(f"Question {number}?")
        expect(chat.turns).to_have_count(number + 1)
    told = [item["text"] for item in asked[-1].post_data_json["history"] if item["role"] == "user"]
    assert told == ["Question 1?", "Question 2?"]


@pytest.mark.parametrize(("letter", "letters"), [("x", 60_000), ("ж", 30_000)])
def test_a_long_question_leaves_out_what_was_said_rather_than_be_refused(
    chat: Chat, letter: str, letters: int
) -> None:
    """An assistant takes 64 KiB of both together."""
    asked = chat.reply(("text", {"text": "ж" * 2_500}), DONE)
    for number in range(3):
        chat.ask(f"Question {number}?")
        expect(chat.turns).to_have_count(number + 1)
    chat.ask(letter * letters)
    expect(chat.turns).to_have_count(4)
    told = [item["text"] for item in asked[-1].post_data_json["history"] if item["role"] == "user"]
    assert told == ["Question 2?"]
    chat.page.unroute(f"{chat.url}/")
    with chat.page.expect_response(f"{chat.url}/") as response:
        chat.send(letter * letters)
    assert response.value.status == 200


def test_a_stream_asks_the_proxies_on_its_way_to_hold_nothing_back(chat: Chat) -> None:
    with chat.page.expect_response(f"{chat.url}/") as response:
        chat.send(CELLO)
    assert response.value.headers["x-accel-buffering"] == "no"
    chat.ended("answered")


def test_a_new_conversation_begins_with_nothing(chat: Chat) -> None:
    asked = chat.reply(("text", {"text": "A cello."}), DONE)
    chat.ask(CELLO)
    chat.button("New conversation").click()
    expect(chat.turns).to_have_count(0)
    expect(chat.button("Music?")).to_be_visible()
    assert chat.focused() == "question"
    chat.ask("And her dog?")
    assert asked[-1].post_data_json["history"] == []


def test_an_answer_of_a_new_revision_renews_what_is_said_of_the_text(chat: Chat) -> None:
    told = {
        "name": "", "model": "stub", "revision": "beef", "files": ["new.md"], "examples": [],
    }  # fmt: skip
    chat.page.route("**/about", lambda route: route.fulfill(json=told))
    chat.reply(("text", {"text": "A cello."}), (DONE[0], {**DONE[1], "revision": "beef"}))
    chat.ask(CELLO)
    expect(chat.about).to_have_text("stub, revision beef")
    expect(chat.page.get_by_role("banner")).to_contain_text("new.md")


def test_the_page_works_below_a_path_that_a_proxy_strips(visit: Visit) -> None:
    chat = visit(opened=False)
    prefix = "/api/v1/namespaces/default/services/ada:http/proxy"
    chat.page.route(
        f"{chat.url}{prefix}/**",
        lambda route: route.continue_(url=route.request.url.replace(prefix, "")),
    )
    chat.open(f"{prefix}/")
    assert chat.ask(CELLO) == ANSWER


def test_the_view_follows_a_growing_answer_until_the_reader_scrolls_up(visit: Visit) -> None:
    chat = visit(viewport={"width": 800, "height": 500})
    chat.says("A line of the answer.\n\n" * 60)
    chat.ask()
    chat.until("document.documentElement.scrollHeight - scrollY - innerHeight < 5")
    chat.page.evaluate("scrollTo(0, 100)")
    chat.until("scrollY === 100")
    chat.last.evaluate("turn => turn.append('more '.repeat(2000))")
    chat.page.evaluate("new Promise(requestAnimationFrame)")
    assert chat.page.evaluate("scrollY") == 100


def test_without_javascript_the_page_says_what_to_do(visit: Visit) -> None:
    chat = visit(opened=False, java_script_enabled=False)
    chat.page.goto(chat.url)
    expect(chat.page.locator("noscript p")).to_be_visible()
    expect(chat.page.locator("form:visible")).to_have_count(0)
