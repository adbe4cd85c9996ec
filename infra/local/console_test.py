"""The console in a browser, as a person uses it, through the running stack.

A task is started and a question answered by keyboard alone; the page is reloaded in mid-run; the
worker is killed and the socket lost; two tabs answer one question at the same moment; a document is
uploaded. Each screen is checked by axe-core and photographed, in light and dark, and 360 pixels
wide.
"""

import json
import os
import signal
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import install
from console_model import STEPS, Model
from console_sign_in import pastes_a_token, signs_in
from playwright.sync_api import Browser, BrowserContext, Page, WebSocketRoute, expect, sync_playwright
from processes import running_from
from settings import ROOT

URL = os.environ["HTTP_URL"]
SHOTS = ROOT / "target" / "screenshots"
DOCUMENT = ROOT / "shared" / "documents" / "tests" / "fixtures" / "tides.pdf"
# A killed worker's message returns after nine seconds.
PATIENCE_MS = 30_000
AXE = (install.AXE / "node_modules" / "axe-core" / "axe.min.js").read_text()
TABS_AT_MOST = 80


class Network:
    """The page's sockets, which the test can cut."""

    def __init__(self, page: Page) -> None:
        self.open: list[WebSocketRoute] = []
        self.down = False
        page.route_web_socket(lambda url: True, self.connect)

    def connect(self, socket: WebSocketRoute) -> None:
        if self.down:
            socket.close(code=1011)
            return
        socket.connect_to_server()
        self.open.append(socket)

    def cut(self) -> None:
        self.down = True
        for socket in self.open:
            socket.close(code=1011)
        self.open.clear()


def main() -> int:
    """Returns 0 when the console does all of it."""
    if not (install.BROWSER / "chromium").exists():
        print("SKIPPED: the console was not tried, because .stack/browser has no Chromium", flush=True)
        return 0
    begun = time.monotonic()
    SHOTS.mkdir(parents=True, exist_ok=True)
    (SHOTS / "failure.png").unlink(missing_ok=True)
    model = Model()
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright, browser_of(playwright) as browser:
        session = by_keyboard(browser, model)
        two_tabs(browser)
        a_document(browser)
        screens(browser, session)
        a_session_that_is_gone(browser)
        signs_in(browser, URL, opened)
        pastes_a_token(browser, URL, opened)
    print(f"the console's test took {time.monotonic() - begun:.0f} s; its pictures are in {SHOTS.relative_to(ROOT)}/")
    return 0


@contextmanager
def browser_of(playwright: Any) -> Iterator[Browser]:
    """The installed Chromium."""
    program = install.BROWSER / "chromium"
    libraries = {**os.environ, "LD_LIBRARY_PATH": str(install.BROWSER / "lib")}
    browser = playwright.chromium.launch(executable_path=program, env=libraries, args=["--no-sandbox"])
    yield browser
    browser.close()


@contextmanager
def opened(context: BrowserContext, address: str) -> Iterator[Page]:
    """A page whose errors fail the test: a refused inline script is one of them."""
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda said: problems.append(said.text) if "Content Security" in said.text else None)
    page.set_default_timeout(PATIENCE_MS)
    page.goto(f"{URL}/{address}")
    try:
        yield page
    except BaseException:
        page.screenshot(path=SHOTS / "failure.png", full_page=True)
        raise
    assert not problems, problems
    page.close()


def by_keyboard(browser: Browser, model: Model) -> str:
    """A whole task without a mouse; returns its session."""
    context = browser.new_context()
    with opened(context, "") as page:
        network = Network(page)
        page.reload()
        tab_to(page, "Start a task")
        page.keyboard.press("Enter")
        expect(page.get_by_role("radio")).to_have_count(8)
        tab_to(page, "Copilot")
        for _ in range(3):
            page.keyboard.press("ArrowDown")
        tab_to(page, "Task")
        page.keyboard.type("Explain the tides to a pupil.")
        tab_to(page, "Settings of HITL Interactive")
        page.keyboard.press("Enter")
        tab_to(page, "HITL variant")
        page.keyboard.press("ArrowDown")
        tab_to(page, "Start", tag="BUTTON")
        began = time.monotonic()
        page.keyboard.press("Enter")
        expect(page.locator(".talk .user")).to_contain_text("Explain the tides")
        print(f"from the key to the task on the page: {time.monotonic() - began:.2f} s")

        question = page.locator(".question")
        expect(question).to_contain_text(STEPS[1])
        checked(page, "question")
        tab_to(page, "Edit the plan")
        page.keyboard.press("Enter")
        checked(page, "plan-editor")
        page.keyboard.press("Control+a")
        page.keyboard.type("Say what the moon does")
        tab_to(page, "Down")
        page.keyboard.press("Enter")
        expect(question.locator("[role=status]")).to_have_text("Now step 2 of 2.")
        tab_to(page, "Use this plan")
        page.keyboard.press("Enter")
        expect(question).to_have_count(0)

        assert model.asked.wait(20), "no step has begun"
        running = page.locator(".graph .running")
        expect(running).to_contain_text(STEPS[1])
        page.reload()
        expect(running).to_contain_text(STEPS[1])
        expect(page.locator(".talk .user")).to_have_count(1)
        a_lost_socket(page, network)
        killed = running_from(Path(os.environ["EXECUTOR_PATH"]))
        assert killed, "no worker runs"
        for pid in killed:
            os.kill(pid, signal.SIGKILL)
        model.released.set()

        expect(page.locator(".state.completed")).to_be_visible()
        assert [page.locator(".graph .label").nth(at).text_content() for at in (1, 2)] == [
            STEPS[1],
            "Say what the moon does",
        ]
        hostile_text(page)
        return str(page.url.rsplit("/", 1)[1])


def a_lost_socket(page: Page, network: Network) -> None:
    """The page says that the connection is lost, and comes back by itself."""
    told = page.locator("#connection")
    network.cut()
    expect(told).to_contain_text("The connection is lost.")
    network.down = False
    expect(told).to_be_empty()


def hostile_text(page: Page) -> None:
    """A model's script is text, its links are harmless, its Markdown is drawn."""
    message = page.locator(".talk .agent", has_text="Findings").last
    expect(message).to_contain_text("<script>window.broken = 1</script>")
    expect(message.locator("a")).to_have_count(1)
    expect(message.locator("a")).to_have_attribute("rel", "noopener noreferrer")
    expect(message.locator("td").first).to_have_text("Spring")
    assert page.evaluate("window.broken") is None
    assert page.locator("main script, main img").count() == 0


def two_tabs(browser: Browser) -> None:
    """Of two answers at the same moment one counts, and both tabs show which."""
    session = rest("POST", "/api/sessions", {"mode": "hitl-interactive", "config": {"hitlVariant": "planning_only"}})[
        "session_id"
    ]
    rest("POST", f"/api/sessions/{session}/runs", {"task": "Explain the tides."})
    context = browser.new_context()
    with opened(context, f"#/sessions/{session}") as one, opened(context, f"#/sessions/{session}") as other:
        buttons = [one.get_by_role("button", name="Approve"), other.get_by_role("button", name="Reject")]
        for button in buttons:
            expect(button).to_be_visible()
        for button in buttons:
            button.evaluate("button => void setTimeout(() => button.click(), 200)")
        for page in (one, other):
            expect(page.locator(".question")).to_have_count(0)
            page.get_by_role("tab", name="Answers").click()
            expect(page.locator(".answers > li")).to_have_count(1)
        texts = {page.locator(".answers > li b").text_content() for page in (one, other)}
        assert len(texts) == 1, texts


def a_document(browser: Browser) -> None:
    """A file is chosen, uploaded, read and shown."""
    context = browser.new_context()
    with opened(context, "#/start") as page:
        page.get_by_role("radio", name="OCR").check()
        page.get_by_label("Files").set_input_files(DOCUMENT)
        page.get_by_role("button", name="Start", exact=True).click()
        expect(page.locator(".state.completed")).to_be_visible()
        page.get_by_role("tab", name="Files").click()
        page.get_by_role("button", name="Preview tides.md").click()
        expect(page.locator(".files .prose")).to_be_visible()


def a_session_that_is_gone(browser: Browser) -> None:
    """A session is deleted after a question; its address says so and leads on."""
    context = browser.new_context()
    session = rest("POST", "/api/sessions", {"mode": "one-shot", "name": "To be deleted"})["session_id"]
    with opened(context, "") as page:
        # A new session appears by itself, although the list lags.
        page.get_by_role("button", name="Delete To be deleted").click()
        page.get_by_role("button", name="Cancel", exact=True).click()
        expect(page.get_by_role("link", name="To be deleted")).to_be_visible()
        page.get_by_role("button", name="Delete To be deleted").click()
        page.get_by_role("dialog").get_by_role("button", name="Delete", exact=True).click()
        expect(page.get_by_role("link", name="To be deleted")).to_have_count(0)
        page.goto(f"{URL}/#/sessions/{session}")
        expect(page.get_by_role("alert")).to_contain_text("There is no such session")
        checked(page, "missing")


def screens(browser: Browser, session: str) -> None:
    """Each screen in light, in dark and on a narrow page."""
    for scheme, width in (("light", 1280), ("dark", 1280), ("light", 360)):
        context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 900})
        with opened(context, f"#/sessions/{session}") as page:
            expect(page.locator(".talk .agent").first).to_be_visible()
            name = f"{scheme}-{width}"
            checked(page, f"session-{name}")
            for tab in ("Files", "Costs", "Answers", "Record"):
                page.get_by_role("tab", name=tab).click()
                expect(page.locator("[role=tabpanel]:not([hidden]) > *").first).to_be_visible()
                checked(page, f"session-{tab.lower()}-{name}")
            page.goto(f"{URL}/#/")
            expect(page.locator(".sessions li").first).to_be_visible()
            checked(page, f"sessions-{name}")
            page.goto(f"{URL}/#/start")
            expect(page.get_by_role("textbox", name="Task", exact=True)).to_be_visible()
            checked(page, f"start-{name}")


def checked(page: Page, name: str) -> None:
    """A screen without findings of axe-core and without a sideways scroll, and its picture."""
    page.evaluate(
        "Promise.all(document.getAnimations().filter(a => a.effect.getTiming().iterations === 1).map(a => a.finished))"
    )
    page.screenshot(path=SHOTS / f"{name}.png", full_page=True)
    page.evaluate(AXE)
    found: list[dict[str, Any]] = page.evaluate("axe.run({preload: false}).then((result) => result.violations)")
    told = [f"{one['id']}: {one['help']}: {node['html'][:200]}" for one in found for node in one["nodes"]]
    assert not told, f"{name}: " + "\n".join(told)
    wider: int = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wider <= 0, f"{name} is {wider} pixels too wide"


def tab_to(page: Page, name: str, tag: str = "") -> None:
    """Presses Tab until the control of this name has the focus; a page may still draw it."""
    named = """() => {
        const at = document.activeElement;
        const label = at.labels?.[0];
        const said = at.getAttribute('aria-label') || label?.firstChild?.textContent || label?.textContent;
        return [at.tagName, said || at.textContent, label?.querySelector('b')?.textContent];
    }"""
    until = time.monotonic() + PATIENCE_MS / 1000
    while time.monotonic() < until:
        for _ in range(TABS_AT_MOST):
            kind, text, bold = page.evaluate(named)
            if name in (text, bold) and tag in ("", kind):
                return
            page.keyboard.press("Tab")
    raise AssertionError(f"no key leads to {name}")


def rest(method: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """A call of the API."""
    headers = {"content-type": "application/json"}
    request = urllib.request.Request(f"{URL}{path}", json.dumps(body).encode(), headers, method=method)
    with urllib.request.urlopen(request, timeout=30) as reply:
        answer: dict[str, Any] = json.load(reply)
        return answer


if __name__ == "__main__":
    sys.exit(main())
