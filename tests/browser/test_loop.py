"""The whole loop in a real browser: a shopper, the manager's phone, the shopper's word, head office's desk."""

import re
from collections.abc import Callable

import pytest
from django.conf import settings
from playwright.sync_api import expect

from alerts.choices import CaseState
from alerts.models import Case
from alerts.policy import ensure_defaults
from core.work import drain
from messaging.models import CaughtMessage, Message
from stores.choices import TouchpointKind
from stores.models import User
from surveys.defaults import ensure_surveys
from surveys.models import Response
from tests.browser.conftest import DESKTOP, NARROWEST, PHONE, Stack, Visitor, eventually
from tests.factories import PASSWORD, Chain, make_touchpoint

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
WORDS = "I waited forty minutes and the cashier was very rude to my daughter."


@pytest.fixture
def shop(stack: Stack) -> Chain:
    ensure_surveys()
    ensure_defaults()
    return Chain()


def sign_in(visitor: Visitor, user: User) -> None:
    visitor.go("/accounts/login/")
    visitor.page.get_by_label("E-mail").fill(user.email)
    visitor.page.get_by_label("Password").fill(PASSWORD)
    visitor.page.get_by_role("button", name="Sign in").click()
    visitor.page.wait_for_url(re.compile(r"/(inbox|reports|stores)/"))


def answer(visitor: Visitor, code: str, *, score: int, words: str, email: str = "") -> None:
    """What a shopper does on the page, by its visible words."""
    visitor.go(f"/q/{code}/")
    visitor.check("shopper-question")
    visitor.page.get_by_role("radio", name=str(score), exact=score not in (0, 10)).first.check(force=True)
    visitor.page.get_by_label("What is the main reason for your score?").fill(words)
    if email:
        visitor.page.get_by_role("radio", name="E-mail").check(force=True)
        visitor.page.get_by_label("E-mail address").fill(email)
    visitor.page.get_by_role("button", name="Send", exact=True).last.click()
    expect(visitor.page.get_by_role("heading", name="Thank you")).to_be_visible()


def unfold(visitor: Visitor, summary: str) -> None:
    """Open a folded part of the page, if it is folded."""
    part = visitor.page.locator("details:not([open])", has=visitor.page.locator("summary", has_text=summary))
    if part.count():
        part.first.locator("summary").first.click()


def write_answer(visitor: Visitor, words: str) -> None:
    unfold(visitor, "Write an answer")
    visitor.page.get_by_label("Your answer to the shopper").fill(words)
    visitor.page.get_by_role("button", name="Send answer").click()
    expect(visitor.page.locator("article").get_by_text(words)).to_be_visible()


def resolve(visitor: Visitor, words: str) -> None:
    unfold(visitor, "Resolve")
    visitor.page.get_by_label("What came of it").select_option(index=1)
    visitor.page.get_by_label("Root cause").select_option(index=1)
    visitor.page.get_by_label("What was done").last.fill(words)
    visitor.page.get_by_role("button", name="Resolve").click()
    expect(visitor.page.get_by_role("button", name="Resolve")).to_have_count(0)


def caught(to: str, containing: str = "") -> CaughtMessage | None:
    for message in CaughtMessage.objects.all():
        if message.recipient == to and containing in message.text:
            return message
    return None


@pytest.mark.parametrize("viewport", [PHONE, DESKTOP], ids=["phone", "desktop"])
@pytest.mark.usefixtures("working")
def test_the_whole_loop(visit: Callable[..., Visitor], shop: Chain, viewport: dict[str, int]) -> None:
    # A shopper, without JavaScript, leaves two points and an address.
    shopper = visit(viewport=viewport, javascript=False)
    answer(shopper, shop.touchpoint.code, score=2, words=WORDS, email="shopper@mail.example")
    shopper_checked = visit(viewport=viewport)
    shopper_checked.go(shopper.page.url)
    shopper_checked.check("shopper-thanks")
    assert not shopper.page.context.cookies()
    response = Response.objects.get()
    case = Case.objects.get(response=response)
    assert case.owner == shop.manager

    # The manager's phone: the e-mail, the inbox, the case.
    notice = eventually(lambda: caught(shop.manager.email), "the manager's notice")
    assert f"/cases/{case.pk}/" in notice.text
    manager = visit(viewport=viewport)
    sign_in(manager, shop.manager)
    manager.go("/inbox/")
    expect(manager.page.get_by_text("forty minutes")).to_be_visible()
    manager.check("inbox")
    manager.go(f"/cases/{case.pk}/")
    manager.check("case-open")
    manager.page.get_by_role("button", name="Acknowledge").click()
    expect(manager.page.get_by_role("button", name="Acknowledge")).to_have_count(0)
    assert Case.objects.filter(pk=case.pk, acknowledged_at__isnull=False).exists()
    write_answer(manager, "I am sorry. I spoke with the cashier; please come in for a coffee.")
    assert Case.objects.filter(pk=case.pk, contacted_at__isnull=False).exists()
    resolve(manager, "Apologised; opened a second till at peak time.")
    assert Case.objects.filter(pk=case.pk, state=CaseState.RESOLVED).exists()
    manager.check("case-resolved")

    # The shopper reads the answer, and is asked the next "day" whether it is solved.
    answer_mail = eventually(lambda: caught("shopper@mail.example", "/c/"), "the answer by e-mail")
    link = re.search(r"https?://\S+/c/\w+/", answer_mail.text)
    assert link
    eventually(
        lambda: CaughtMessage.objects.filter(recipient="shopper@mail.example").count() >= 2,
        "the question whether it is solved",
    )
    shopper_checked.go(link.group())
    expect(shopper_checked.page.get_by_text("please come in for a coffee")).to_be_visible()
    shopper_checked.check("shopper-case")
    shopper_checked.page.get_by_role("group", name="Did we contact you?").get_by_label("Yes").check(force=True)
    shopper_checked.page.get_by_role("group", name="Was it solved?").get_by_label("No").check(force=True)
    shopper_checked.page.get_by_role("button", name="Send", exact=True).first.click()
    eventually(lambda: Case.objects.filter(pk=case.pk, level=1, state=CaseState.OPEN).exists(), "the reopening")
    eventually(lambda: caught(shop.area_manager.email), "the notice one level up")

    # One level up it is solved, and the shopper says so.
    area = visit(viewport=viewport)
    sign_in(area, shop.area_manager)
    area.go(f"/cases/{case.pk}/")
    write_answer(area, "I have called the store myself. It will not happen again.")
    resolve(area, "The area manager trained the team.")
    shopper_checked.go(link.group())
    shopper_checked.page.get_by_role("group", name="Did we contact you?").get_by_label("Yes").check(force=True)
    shopper_checked.page.get_by_role("group", name="Was it solved?").get_by_label("Yes").check(force=True)
    shopper_checked.page.get_by_role("button", name="Send", exact=True).first.click()
    eventually(lambda: Case.objects.filter(pk=case.pk, state=CaseState.CONFIRMED).exists(), "the confirmation")
    expect(shopper_checked.page.get_by_text("Something is still wrong?")).to_be_visible()
    shopper_checked.check("shopper-case-confirmed")

    # Head office reads it.
    office = visit(viewport=viewport)
    sign_in(office, shop.head_office)
    office.go("/reports/")
    expect(office.page.get_by_text("forty minutes").first).to_be_visible()
    office.check("reports")
    day = response.local_day.isocalendar()
    office.go(f"/wall/{shop.store.code}/{day.year}-W{day.week:02}/")
    expect(office.page.get_by_text("forty minutes").first).to_be_visible()
    office.check("wall")
    pdf = office.page.request.get(f"{office.origin}/wall/{shop.store.code}/{day.year}-W{day.week:02}.pdf")
    assert pdf.ok and pdf.body().startswith(b"%PDF")
    for path in ("/stores/", f"/stores/{shop.store.code}/"):
        office.go(path)
        office.check("page" + path.replace("/", "-"))


def test_nine_points_and_a_safety_matter_open_a_severe_case(visit: Callable[..., Visitor], shop: Chain) -> None:
    shopper = visit()
    answer(shopper, shop.touchpoint.code, score=9, words="Nice rings, but the security guard hit my son at the door.")
    response = Response.objects.get()
    drain(["analysis", "alerts"])
    case = Case.objects.get(response=response)
    assert case.severity == "severe" and case.fix_only
    assert Message.objects.filter(user=shop.manager, subject_id=str(case.pk)).exists()


@pytest.mark.parametrize(("locale", "send"), [("de-DE", "Senden"), ("uk-UA", "Надіслати")])
def test_the_page_speaks_the_browsers_language(
    visit: Callable[..., Visitor], shop: Chain, locale: str, send: str
) -> None:
    faces = make_touchpoint(store=shop.store, kind=TouchpointKind.FITTING_ROOM)
    shopper = visit(viewport=NARROWEST, locale=locale, javascript=False)
    shopper.go(f"/q/{faces.code}/")
    expect(shopper.page.get_by_role("button", name=send, exact=True).last).to_be_visible()
    checked = visit(viewport=NARROWEST, locale=locale)
    checked.go(f"/q/{faces.code}/")
    checked.check(f"shopper-narrow-{locale}")


def test_a_keyboard_alone_is_enough(visit: Callable[..., Visitor], shop: Chain) -> None:
    shopper = visit(viewport=DESKTOP)
    shopper.go(f"/q/{shop.touchpoint.code}/")
    page = shopper.page
    page.locator("input[name=score]").first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Tab")
    page.keyboard.type("All by keyboard")
    for _press in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.classList.contains('send')"):
            break
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    assert Response.objects.get().verbatims.get().text == "All by keyboard"


def test_a_tunnel_loses_nothing_and_doubles_nothing(visit: Callable[..., Visitor], shop: Chain) -> None:
    """The network dies while sending; the page keeps the answer and sends it once when it is back."""
    shopper = visit()
    shopper.go(f"/q/{shop.touchpoint.code}/")
    page = shopper.page
    page.get_by_role("radio", name="7", exact=True).check(force=True)
    page.get_by_label("What is the main reason for your score?").fill("In a tunnel")
    page.context.set_offline(True)
    page.get_by_role("button", name="Send", exact=True).last.click()
    expect(page.get_by_text("No connection.")).to_be_visible()
    page.context.set_offline(False)
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    page.go_back()
    page.wait_for_load_state()
    assert Response.objects.count() == 1


def test_what_was_typed_outlives_the_session(visit: Callable[..., Visitor], shop: Chain) -> None:
    answer(visit(), shop.touchpoint.code, score=2, words=WORDS, email="shopper@mail.example")
    case = Case.objects.get()
    manager = visit()
    sign_in(manager, shop.manager)
    manager.go(f"/cases/{case.pk}/")
    page = manager.page
    unfold(manager, "Add a note for colleagues")
    page.locator("#note-text").fill("Half a page of notes")
    # The page looks for news every few seconds, and would find out before the form is sent.
    page.evaluate("document.querySelector('[data-live]').remove()")
    page.context.clear_cookies(name=settings.SESSION_COOKIE_NAME)
    page.get_by_role("button", name="Add note").click()
    page.wait_for_url(re.compile(r"/login/"))
    page.get_by_label("E-mail").fill(shop.manager.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(re.compile(rf"/cases/{case.pk}/$"))
    expect(page.locator("#note-text")).to_be_visible()
    expect(page.locator("#note-text")).to_have_value("Half a page of notes")
    page.wait_for_load_state()
    assert not page.evaluate("Object.keys(sessionStorage).filter((key) => key.startsWith('typed'))")
