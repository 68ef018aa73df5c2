"""The pages beside the loop: the demo's mailbox and the API's documentation, in a real browser."""

from collections.abc import Callable

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from messaging.models import CaughtMessage
from tests.browser.conftest import DESKTOP, PHONE, Visitor, eventually

pytestmark = pytest.mark.browser


def caught(html: str) -> CaughtMessage:
    return CaughtMessage.objects.create(
        channel="email",
        sender="feedback@localhost",
        recipient="manager@chain.example",
        subject="Score 2",
        text="Open http://127.0.0.1:1/inbox/",
        html=html,
        caught_at=timezone.now(),
    )


@pytest.mark.parametrize("viewport", [PHONE, DESKTOP])
def test_a_styled_mail_is_shown_and_its_links_open_beside(
    visit: Callable[..., Visitor], viewport: dict[str, int]
) -> None:
    reader = visit(viewport=viewport)
    mail = caught(
        "<!doctype html><html lang='en'><head><title>Score 2</title><style>p{color:#b3261e}</style></head>"
        f"<body><main><h1>Hello</h1><p>Red</p><a href='{reader.origin}/demo/mailbox/'>Back</a></main></body></html>"
    )
    reader.go("/demo/mailbox/")
    reader.check("mailbox")
    reader.page.get_by_text("Score 2").click()
    reader.page.wait_for_url(f"**/demo/mailbox/{mail.pk}/")
    frame = reader.page.frame_locator("iframe")
    assert frame.get_by_text("Red").evaluate("node => getComputedStyle(node).color") == "rgb(179, 38, 30)"
    reader.check("mailbox-message")
    with reader.page.context.expect_page() as opened:
        frame.get_by_text("Back").click()
    opened.value.wait_for_load_state()
    assert opened.value.title().startswith("Demo mailbox")


def test_on_a_phone_a_chosen_message_is_what_one_sees(visit: Callable[..., Visitor]) -> None:
    mails = [caught("<p>Words</p>") for _number in range(12)]
    reader = visit(viewport=PHONE)
    reader.go(f"/demo/mailbox/{mails[0].pk}/")
    place = reader.page.locator("#message-title").bounding_box()
    assert place is not None and place["y"] < PHONE["height"] / 2
    reader.page.get_by_role("link", name="Show all").click()
    expect(reader.page.locator(".mailbox-list li")).to_have_count(len(mails))


def test_a_hostile_mail_neither_runs_nor_loads(visit: Callable[..., Visitor]) -> None:
    mail = caught(
        "<p>Words</p><img src='https://evil.example/x.png'><script>document.title='owned'</script>"
        "<form action='https://evil.example/'><button>Send</button></form>"
    )
    reader = visit()
    picture = "https://evil.example/x.png"
    with reader.page.expect_event("requestfailed", lambda request: request.url == picture) as stopped:
        reader.go(f"/demo/mailbox/{mail.pk}/")
    reader.page.frame_locator("iframe").get_by_text("Words").wait_for()

    def complained(*words: str) -> bool:
        return any(all(word in said for word in words) for said in reader.complaints)

    eventually(
        lambda: reader.page.title() and complained("Content Security Policy") and complained("script"),
        "the browser's word that it ran no script",
    )
    assert "owned" not in reader.page.title()
    # The browser names the request, and stops it before it leaves.
    assert "csp" in (stopped.value.failure or "").lower()
    assert not [said for said in reader.complaints if said.startswith("page error")]


def test_the_api_documents_itself_without_help_from_elsewhere(visit: Callable[..., Visitor]) -> None:
    reader = visit(viewport=DESKTOP)
    reader.go("/api/docs/")
    reader.page.get_by_text("A survey link for a receipt").click()
    reader.page.get_by_text("Idempotency-Key").first.wait_for()
    assert not reader.complaints
