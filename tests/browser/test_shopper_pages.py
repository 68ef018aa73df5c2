"""Every shopper's page in every language, light and dark, narrow and wide, magnified, by keyboard; and the e-mail."""

import os
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone, translation
from playwright.sync_api import Browser, Page, expect

from stores.choices import TouchpointKind
from stores.models import Store
from surveys.defaults import ensure_surveys
from surveys.inviting import receipt_link
from surveys.models import Invitation, Response, SurveyChoice, SurveyVersion
from surveys.receipt_block import block_of
from tests.browser.conftest import NARROWEST, PHONE, Visitor
from tests.factories import Chain, make_touchpoint

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
# What a page of 1280 × 1024 leaves at 400 % (WCAG 2.2, success criterion 1.4.10).
MAGNIFIED = {"width": 320, "height": 256}
_FOCUS = """() => { const one = document.activeElement, label = one.nextElementSibling;
const drawn = one.type == 'radio' && label ? label : one, style = getComputedStyle(drawn);
return [one.id || one.name || one.tagName, style.outlineStyle != 'none' && parseFloat(style.outlineWidth) >= 2] }"""


class Shop:
    """A store whose codes and receipts ask, and the addresses of all that may come of them."""

    def __init__(self, url: str) -> None:
        self.chain = Chain()
        Store.objects.filter(pk=self.chain.store.pk).update(
            languages=["uk", "en"],
            name="Київ, Хрещатик — Sankt-Leonhard-Straße",
            public_review_url="https://r.example/",
        )
        self.chain.store.refresh_from_db()
        self.room = make_touchpoint(store=self.chain.store, kind=TouchpointKind.FITTING_ROOM, name="Upstairs")
        ensure_surveys()
        self.url = url

    def receipt(self, number: str) -> Invitation:
        made = receipt_link(self.chain.store, number, timezone.now()).invitation
        assert made is not None
        return made


@pytest.fixture
def shop(live_server: Any, settings: Any) -> Shop:
    settings.PUBLIC_URL = live_server.url
    return Shop(live_server.url)


@pytest.fixture
def reader(browser: Browser) -> Iterator[Any]:
    """Opens a browser of its own for a shopper."""
    opened = []

    def open_browser(url: str, **options: Any) -> Visitor:
        context = browser.new_context(**({"viewport": PHONE, "locale": "en-GB"} | options))
        opened.append(context)
        found = Visitor(context.new_page(), url, options.get("java_script_enabled", True))
        found.page.on("pageerror", lambda error: found.complaints.append(f"page error: {error}"))
        return found

    yield open_browser
    for context in opened:
        context.close()


def test_every_page_in_every_language(shop: Shop, reader: Any) -> None:
    """Whole on the narrowest phone, without an axe violation; screenshots with SCREENSHOTS=folder."""
    used, over = shop.receipt("USED"), shop.receipt("OVER")
    Invitation.objects.filter(pk=over.pk).update(expires_at=timezone.now() - timedelta(days=1))
    for number, (language, _name) in enumerate(settings.LANGUAGES):
        scheme = ("light", "dark")[number % 2]
        shopper = reader(shop.url, viewport=NARROWEST, color_scheme=scheme, locale=language)
        page = shopper.page

        few = number < 3 or language == "ar"

        def whole(
            name: str, *, thorough: bool, visitor: Visitor = shopper, few: bool = few, end: str = f"{language}-{scheme}"
        ) -> None:
            """Axe is slow: what the same template draws is looked at thoroughly in a few languages."""
            if (few and thorough) or os.environ.get("SCREENSHOTS"):
                visitor.check(f"{name}-{end}")
            wide = visitor.page.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert wide <= 0, f"{name}-{end} scrolls sideways by {wide} px"

        shopper.go(f"/q/{shop.chain.touchpoint.code}/?lang={language}")
        whole("shopper-till", thorough=number % 2 == 0)
        shopper.go(f"/q/{shop.room.code}/?lang={language}")
        page.locator("[name=score][value='2']").check(force=True)
        page.locator("#w-call").check(force=True)
        page.locator("#f-phone").fill("12")
        whole("shopper-smileys", thorough=number % 2 == 1)
        page.locator("#last .send").click()
        expect(page.locator(".alert")).to_be_visible()
        whole("shopper-refused", thorough=number % 2 == 0)
        page.locator("#w-none").check(force=True)
        page.locator("#last .send").click()
        page.wait_for_url("**/t/**")
        # One more friendly chance; the public review is there at every score.
        expect(page.locator("#more")).to_be_visible()
        assert page.locator('a[href="https://r.example/"]').count() == 1
        whole("shopper-thanks-chance", thorough=number % 2 == 0)
        with page.expect_navigation():
            page.locator("a.send").click()
        whole("shopper-private", thorough=number % 2 == 1)
        forged = f"/r/1-abc123-r1-29000000-30-{'a' * 26}/"
        unknown = over.token[:-2] + ("bb" if over.token.endswith("aa") else "aa")
        ends = [f"/r/{over.token}/", f"/r/{unknown}/", forged]
        said = set()
        for address in ends:
            shopper.go(f"{address}?lang={language}")
            said.add(page.inner_text("main"))
        assert len(said) == 1, "a link that ran out, was forged or is unknown says which it was"
        whole("shopper-lost", thorough=number % 2 == 0)
        page.context.close()
    happy = reader(shop.url)
    happy.go(f"/r/{used.token}/")
    happy.page.locator("[name=score][value='10']").check(force=True)
    happy.page.locator("#last .send").click()
    happy.page.wait_for_url("**/t/**")
    expect(happy.page.locator("#more")).to_have_count(0)
    assert happy.page.locator('a[href="https://r.example/"]').count() == 1
    happy.check("shopper-thanks-happy")
    Response.objects.filter(invitation=used).update(submitted_at=timezone.now() - timedelta(hours=1))
    happy.go(f"/r/{used.token}/")
    assert "find_touchpoint" not in happy.page.url and happy.page.locator("#f-code").is_visible()


def test_magnified_fourfold_and_by_keyboard_alone(shop: Shop, reader: Any) -> None:
    shopper = reader(shop.url, viewport=MAGNIFIED, reduced_motion="reduce")
    page: Page = shopper.page
    shopper.go(f"/q/{shop.room.code}/?lang=de")
    shopper.check("shopper-magnified")
    assert page.evaluate("[...document.styleSheets[0].cssRules].length") > 10
    moving = "[...document.querySelectorAll('*')].filter(e => parseFloat(getComputedStyle(e).transitionDuration) > 0)"
    assert page.evaluate(f"{moving}.length") == 0, "something moves although less motion was asked for"
    passed = []
    for _key in range(40):
        page.keyboard.press("Tab")
        name, seen = page.evaluate(_FOCUS)
        assert seen, f"{name} has the focus and does not show it"
        passed.append(name)
        if name == "f-score":
            page.keyboard.press("ArrowRight")
            assert page.evaluate("document.querySelector('[name=score]:checked').value") == "2"
        if name == "f-reason":
            page.keyboard.type("Nur mit Tasten")
        if name == "BUTTON" and page.evaluate("document.activeElement.classList.contains('send')"):
            break
    assert "f-here" in passed and "w-none" in passed
    page.keyboard.press("Enter")
    page.wait_for_url("**/t/**")
    assert Response.objects.get().verbatims.get().text == "Nur mit Tasten"
    shopper.check("shopper-magnified-thanks")


def two_screens() -> None:
    """The survey of fitting rooms with what hangs on an unhappy face, and the words, on a second screen."""
    choice = SurveyChoice.objects.get(touchpoint_kind=TouchpointKind.FITTING_ROOM)
    document = {
        "headline": "moment",
        "languages": ["en", "ar"],
        "questions": [
            {"key": "moment", "kind": "smiley5", "text": {"en": "How is it?", "ar": "كيف؟"}},
            {
                "key": "why",
                "kind": "single",
                "screen": 2,
                "text": {"en": "What went wrong?", "ar": "ما الخطأ؟"},
                "options": [
                    {"key": "a", "text": {"en": "Waiting", "ar": "الانتظار"}},
                    {"key": "b", "text": {"en": "Light", "ar": "الضوء"}},
                ],
                "when": [{"question": "moment", "at_most": 2}],
            },
        ],
    }
    SurveyVersion.objects.create(survey=choice.survey, number=2, headline_kind="smiley5", document=document)


@pytest.mark.parametrize("language", ["en", "ar"])
def test_two_screens_one_after_the_other(shop: Shop, reader: Any, language: str) -> None:
    two_screens()
    shopper = reader(shop.url)
    page: Page = shopper.page
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if request.is_navigation_request() else None)
    shopper.go(f"/q/{shop.room.code}/?lang={language}")
    more, send = page.locator("#next button"), page.locator("#last .send")
    # Nothing hangs on a happy face: the second screen is none, and Send is there at once.
    page.locator("#f-score5").check(force=True)
    expect(more).to_be_hidden()
    expect(send).to_be_visible()
    page.locator("#f-score").check(force=True)
    expect(send).to_be_hidden()
    shopper.check(f"shopper-screen-1-{language}")
    # The return key turns the page as well, and sends nothing.
    page.locator("#f-score").press("Enter")
    expect(page.locator("#q-why")).to_be_visible()
    expect(page.locator("#q-score")).to_be_hidden()
    assert page.evaluate("document.activeElement.className") == "screen"
    shopper.check(f"shopper-screen-2-{language}")
    page.go_back()
    expect(page.locator("#f-score")).to_be_checked()
    page.go_forward()
    page.locator("#f-why").check(force=True)
    send.click()
    page.wait_for_url("**/t/**")
    assert Response.objects.get().answers == {"moment": 1, "why": "a"}
    assert len([url for url in asked if "/q/" in url and "send" not in url]) == 1, "a question cost a reload"

    plain = reader(shop.url, java_script_enabled=False).page
    plain.goto(f"{shop.url}/q/{shop.room.code}/?lang={language}")
    plain.locator("#f-score").check(force=True)
    expect(plain.locator("#q-why")).to_be_visible()
    plain.locator("#last .send").click()
    plain.wait_for_url("**/t/**")
    assert Response.objects.count() == 2


def readable(page: Page, name: str) -> None:
    """A mail is shown within other pages, so that it has no landmarks; all else holds for it too."""
    found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]})
    assert not found.response["violations"], f"{name}: {found.response['violations']}"
    if folder := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=f"{folder}/{name}-320.png", full_page=True)


@pytest.mark.parametrize("kind", ["nps", "smiley5"])
def test_the_email_narrow_dark_and_without_pictures(shop: Shop, reader: Any, kind: str) -> None:
    if kind == "smiley5":
        moment = SurveyChoice.objects.get(touchpoint_kind=TouchpointKind.FITTING_ROOM).survey
        SurveyChoice.objects.filter(channel="receipt").update(survey=moment)
    invitation = shop.receipt("MAIL")
    for number, (language, _name) in enumerate(settings.LANGUAGES):
        with translation.override(language):
            block = block_of(invitation)
            assert block is not None
            html = render_to_string("surveys/receipt_survey.html", block.context() | {"leave_url": f"{shop.url}/u/x/"})
        assert "<img" not in html and "url(" not in html and "http-equiv" not in html
        scheme = ("dark", "light")[number % 2]
        mail = reader(shop.url, viewport=NARROWEST, color_scheme=scheme)
        mail.page.set_content(html)
        wide = mail.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, f"the e-mail in {language} scrolls sideways by {wide} px"
        sizes = mail.page.eval_on_selector_all(
            "a[href*='score=']", "all => all.map(a => [a.getBoundingClientRect().height, a.href])"
        )
        assert len(sizes) == (11 if kind == "nps" else 5)
        assert all(height >= 44 for height, _url in sizes), "too low for a thumb"
        assert all(f"/r/{invitation.token}/" in url and f"lang={language}" in url for _height, url in sizes)
        if number < 4 or language == "ar" or os.environ.get("SCREENSHOTS"):
            readable(mail.page, f"email-{kind}-{language}-{scheme}")
        mail.page.context.close()
    # A tap leads to the page with the answer marked, and has sent nothing.
    opened = reader(shop.url)
    opened.page.goto(sizes[1][1])
    expect(opened.page.locator("[name=score]:checked")).to_have_count(1)
    assert not Response.objects.exists()
