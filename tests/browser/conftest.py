"""A real Chromium against the real pages, with the work loops running as processes of their own."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect, sync_playwright

from core.database import process_environment
from feedback.processes import die_with_parent

# Playwright's synchronous API keeps an event loop in this thread; Django would refuse its database for it.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
ROOT = Path(__file__).resolve().parents[2]
PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1440, "height": 900}
NARROWEST = {"width": 320, "height": 640}
# A machine that is busy and slow is waited for; whoever waits longer than this is stuck.
PATIENCE_SECS = 60
expect.set_options(timeout=PATIENCE_SECS * 1000)
# Axe tells at length what passed unless it is asked for violations alone; that takes half of its time.
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

# A colour that is on its way to another one contrasts with nothing.
_SETTLED = """() => Promise.all(document.getAnimations()
    .filter((one) => one.playState == 'running' && Number.isFinite(one.effect?.getComputedTiming().endTime))
    .map((one) => one.finished.catch(() => {})))"""


def chromium() -> str | None:
    """Debian's Chromium, or whichever CHROMIUM names."""
    return os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    path = chromium()
    if path is None:
        if os.environ.get("REQUIRE_BROWSER"):
            pytest.fail("REQUIRE_BROWSER is set and no Chromium was found: install chromium or set CHROMIUM.")
        pytest.skip("no Chromium found: install chromium, or set CHROMIUM to its path")
    running = playwright.chromium.launch(
        executable_path=path,
        timeout=2 * PATIENCE_SECS * 1000,
        args=[
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
        ],
    )
    yield running
    running.close()


@dataclass
class Visitor:
    """One person's browser, which notes everything that must not happen."""

    page: Page
    origin: str
    javascript: bool
    complaints: list[str] = field(default_factory=list)

    def go(self, path: str) -> None:
        self.page.goto(path if path.startswith("http") else self.origin + path)

    def check(self, name: str) -> None:
        """Fail on an axe violation, sideways scrolling, or anything the browser complained of so far.

        Without JavaScript only the complaints can be looked at: the page cannot be asked anything.
        """
        self.page.wait_for_load_state()
        assert not self.complaints, f"{name}: {sorted(set(self.complaints))}"
        if not self.javascript:
            return
        self.page.evaluate(_SETTLED)
        result = Axe().run(self.page, options={"runOnly": RULES, "resultTypes": ["violations"]})
        violations = [
            f"{v['id']}: {v['help']} {[n['html'][:160] for n in v['nodes']][:3]}" for v in result.response["violations"]
        ]
        assert not violations, f"{name}: " + "\n".join(violations)
        wide = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{name} scrolls sideways by {wide} px"
        assert not self.complaints, f"{name}: {sorted(set(self.complaints))}"
        shots = os.environ.get("SCREENSHOTS")
        if shots:
            Path(shots).mkdir(parents=True, exist_ok=True)
            width = (self.page.viewport_size or PHONE)["width"]
            self.page.screenshot(path=f"{shots}/{name}-{width}.png", full_page=True)
            # Playwright itself adds a style to the page while it photographs.
            self.complaints.clear()


@pytest.fixture(autouse=True)
def answered() -> Iterator[None]:
    """What the browser asked for last is answered before the database is emptied: the two would wait for each other."""
    yield
    until = time.monotonic() + PATIENCE_SECS
    for thread in threading.enumerate():
        if thread.name.endswith("(process_request_thread)"):
            thread.join(max(0, until - time.monotonic()))


@pytest.fixture
def visit(browser: Browser, stack: "Stack") -> Iterator[Callable[..., Visitor]]:
    """Opens a browser of its own for a person: `visit(viewport=PHONE, locale="de-DE", javascript=False)`."""
    contexts: list[BrowserContext] = []

    def open_browser(**options: Any) -> Visitor:
        javascript = options.pop("javascript", True)
        options.setdefault("viewport", PHONE)
        options.setdefault("locale", "en-GB")
        context = browser.new_context(java_script_enabled=javascript, **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE_SECS * 1000)
        visitor = Visitor(page, stack.url, javascript)

        def on_request(request: Any) -> None:
            url = request.url
            if not url.startswith((stack.url, "data:", "about:", "blob:")):
                visitor.complaints.append(f"request to another origin: {url}")

        def on_console(message: Any) -> None:
            # A 4xx page is reported by the browser as a failed resource; the tests assert statuses themselves.
            if message.type in {"error", "warning"} and "the server responded with a status of 4" not in message.text:
                visitor.complaints.append(f"console: {message.text[:160]} at {message.location.get('url')}")

        page.on("request", on_request)
        page.on("console", on_console)
        page.on("pageerror", lambda error: visitor.complaints.append(f"page error: {error}"))
        return visitor

    yield open_browser
    for context in contexts:
        context.close()


@dataclass(frozen=True)
class Stack:
    """The running installation of a test."""

    url: str


@contextmanager
def _running(environment: dict[str, str], *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """A management command as a process of its own, on the test's database."""
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "manage.py"), *arguments],
        env=environment,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        start_new_session=True,
        preexec_fn=die_with_parent(signal.SIGKILL),
    )
    try:
        yield process
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(PATIENCE_SECS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(PATIENCE_SECS)


@pytest.fixture
def stack(transactional_db: None, live_server: Any, settings: Any) -> Stack:
    """The web server, in this process."""
    settings.PUBLIC_URL = live_server.url
    settings.VERIFICATION_DELAY = timedelta(seconds=1)
    settings.CALL_SURVEY_DELAY = timedelta(0)
    return Stack(live_server.url)


@pytest.fixture
def working(stack: Stack) -> Iterator[None]:
    """Catcher and work loops beside it, as processes of their own; verification after a second.

    Only for who waits for what they do: three more processes start and end with the test.
    """
    environment = process_environment(
        HALFHOUR_TESTING="1",
        PUBLIC_URL=stack.url,
        VERIFICATION_DELAY_SECS="1",
        CALL_SURVEY_DELAY_SECS="0",
        TWILIO_ACCOUNT_SID="AC" + "0" * 32,
        TWILIO_AUTH_TOKEN="test-token",
        PYTHONUNBUFFERED="1",
        HALFHOUR_SMTP_PORT="0",
        HALFHOUR_SMS_PORT="0",
    )
    with _running(environment, "catcher") as catcher:
        assert catcher.stdout is not None
        ports = json.loads(catcher.stdout.readline())
        environment["EMAIL_URL"] = f"smtp://127.0.0.1:{ports['smtp_port']}"
        environment["TWILIO_BASE_URL"] = f"http://127.0.0.1:{ports['sms_port']}"
        with _running(environment, "work", "alerts", "facts"), _running(environment, "work", "analysis"):
            yield


def eventually(found: Callable[[], Any], what: str) -> Any:
    """The first truthy result of `found`, asked every tenth of a second.

    Handlers of playwright are called only while it waits for the browser: who waits for one asks the page in `found`.
    """
    end = time.monotonic() + 2 * PATIENCE_SECS
    while time.monotonic() < end:
        result = found()
        if result:
            return result
        time.sleep(0.1)
    raise AssertionError(f"waited in vain for {what}")


def host_of(url: str) -> str:
    return urlsplit(url).netloc


__all__ = ["DESKTOP", "NARROWEST", "PHONE", "Stack", "Visitor", "eventually", "settings"]
