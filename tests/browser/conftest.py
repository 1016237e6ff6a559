"""The chat page in a real Chromium, with an assistant and a model that says what a test wants."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, expect, sync_playwright

from support.chat_page import SECONDS, WITNESS, Chat, Visit
from support.chromium import find_chromium
from support.openai_stub import Stub, Turn
from support.serving import Served, serve

CONTEXT = """\
# Ada Marlowe

## Work
Ada works at Fjordspan AS in Bergen, where she builds bridges.

## Music
Ada plays the cello in a string quartet.

## What is her dog called?
Her dog is called Pixel.
"""


@pytest.fixture(scope="session")
def chromium(pytestconfig: pytest.Config) -> str:
    terminal = pytestconfig.pluginmanager.get_plugin("terminalreporter")
    capture = pytestconfig.pluginmanager.get_plugin("capturemanager")

    def tell(line: str) -> None:
        with capture.global_and_fixture_disabled():
            terminal.write_line(line)

    return find_chromium(tell)


# Not for the whole session: it keeps an event loop running in this thread.
@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        expect.set_options(timeout=SECONDS * 1000)
        running = playwright.chromium.launch(executable_path=chromium)
        yield running
        running.close()


@pytest.fixture(scope="module")
def assistant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, Stub]]:
    folder = tmp_path_factory.mktemp("assistant")
    with Stub() as stub, serve(folder, stub, context=CONTEXT) as served:
        served.wait_until_ready()
        yield served, stub


@pytest.fixture
def stub(assistant: tuple[Served, Stub]) -> Stub:
    """The model, which answers from the text until it is told otherwise."""
    _, stub = assistant
    stub.queue.clear()
    stub.log.clear()
    stub.default = Turn()
    return stub


@pytest.fixture
def visit(browser: Browser, assistant: tuple[Served, Stub], stub: Stub) -> Iterator[Visit]:
    """Open the page in a new profile; at the end nothing has run that should not."""
    served, _ = assistant
    contexts: list[BrowserContext] = []
    chats: list[Chat] = []

    def open_page(path: str = "/", *, opened: bool = True, **options: Any) -> Chat:
        context = browser.new_context(**options)
        contexts.append(context)
        context.set_default_timeout(SECONDS * 1000)
        page = context.new_page()
        page.add_init_script(WITNESS)
        chat = Chat(page=page, url=f"http://127.0.0.1:{served.port}", stub=stub)
        page.on("pageerror", lambda error: chat.errors.append(str(error)))
        page.on(
            "console",
            lambda said: (
                chat.errors.append(said.text) if said.type in {"error", "warning"} else None
            ),
        )
        page.on("dialog", lambda dialog: (chat.errors.append(dialog.message), dialog.dismiss()))
        page.on(
            "request",
            lambda request: (
                None if request.url.startswith(chat.url) else chat.foreign.append(request.url)
            ),
        )
        chats.append(chat)
        return chat.open(path) if opened else chat

    yield open_page
    for chat in chats:
        if chat.page.url != "about:blank":
            chat.unscathed()
    for context in contexts:
        context.close()


@pytest.fixture
def chat(visit: Visit) -> Chat:
    return visit()
