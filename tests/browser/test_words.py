"""Reading shoppers' words in a real browser: what is to review, the explorer, one comment and those like it."""

from collections.abc import Callable

import pytest
from django.db import transaction
from playwright.sync_api import expect

from alerts.choices import Trigger
from alerts.models import Case, Evaluation, Review
from alerts.policy import ensure_defaults
from core.work import drain
from reports.models import ExplorerRow
from sentiment.models import Analysis
from surveys.models import Response
from surveys.signals import response_saved
from tests.browser.conftest import DESKTOP, PHONE, Stack, Visitor
from tests.browser.test_loop import sign_in
from tests.factories import Chain, make_response

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
SAID = [
    ("uk", 9, "Дуже грубий персонал, більше сюди не прийду, жахливо. Чекали сорок хвилин."),
    ("uk", 8, "На касі була надто довга черга, ми чекали пів години."),
    ("en", 9, "The queue at the till was far too long, we waited for half an hour."),
    ("de", 9, "Die Schlange an der Kasse war viel zu lang, wir haben eine halbe Stunde gewartet."),
    ("ar", 9, "كانت الخدمة سيئة جداً والموظفون لم يساعدونا، لن أعود مرة أخرى."),
    ("ar", None, "الموظفة كانت لطيفة جداً، شكراً"),
    ("pl", 10, "Bardzo zła obsługa, sprzedawczyni była niemiła i nas zignorowała, nie polecam."),
    ("en", 2, "Nobody helped me, and the guard shouted at my son."),
    ("fr", 9, "La bague a une pièce coupante, mon fils aurait pu se blesser."),
]


def say(chain: Chain) -> None:
    for language, score, words in SAID:
        response = make_response(touchpoint=chain.touchpoint, score=score, words=words, language=language)
        with transaction.atomic():
            response_saved.send(sender=Response, response=response, corrected=False)


def test_words_are_reviewed_found_and_shared(stack: Stack, visit: Callable[..., Visitor]) -> None:
    ensure_defaults()
    chain = Chain()
    say(chain)
    drain(["analysis", "alerts", "facts"])
    assert Analysis.objects.exclude(analysed_at=None).count() == len(SAID)
    assert ExplorerRow.objects.exclude(sentiment="").count() == len(SAID)
    assert Evaluation.objects.filter(trigger=Trigger.TEXT).exclude(done_at=None).count() == len(SAID)
    review_on_the_phone(visit, chain, Review.objects.count())
    explore_at_the_desk(visit, chain)


def review_on_the_phone(visit: Callable[..., Visitor], chain: Chain, waiting: int) -> None:
    phone = visit(viewport=PHONE)
    sign_in(phone, chain.manager)
    phone.go("/inbox/")
    phone.check("inbox-with-review")
    phone.page.get_by_role("link", name="To review").click()
    cards = phone.page.locator(".review")
    expect(cards).to_have_count(waiting)
    phone.check("review")
    cases = Case.objects.count()
    cards.first.get_by_role("button", name="Open a case").click()
    expect(phone.page.get_by_text("The case is open")).to_be_visible()
    assert Case.objects.count() == cases + 1
    if waiting > 1:
        cards.last.get_by_text("Not a complaint").click()
        phone.check("review-why")
        cards.last.get_by_role("button", name="The shopper is content").click()
        expect(phone.page.get_by_text("Noted: not a complaint.")).to_be_visible()
    phone.check("review-done")
    plain = visit(viewport=PHONE, javascript=False, color_scheme="dark", locale="uk-UA")
    sign_in_plainly(plain, chain)
    plain.go("/inbox/review/")
    plain.check("review-uk-dark")


def sign_in_plainly(visitor: Visitor, chain: Chain) -> None:
    """In whatever language the page is."""
    from tests.factories import PASSWORD

    visitor.go("/accounts/login/")
    visitor.page.locator("input[type=email]").fill(chain.deputy.email)
    visitor.page.locator("input[type=password]").fill(PASSWORD)
    visitor.page.locator("form:has(input[type=password]) button[type=submit]").first.click()
    visitor.page.wait_for_url("**/inbox/")


def explore_at_the_desk(visit: Callable[..., Visitor], chain: Chain) -> None:
    desk = visit(viewport=DESKTOP)
    sign_in(desk, chain.head_office)
    desk.go("/verbatims/")
    desk.check("explorer")
    desk.page.get_by_label("Words to look for").fill("schlange")
    desk.page.get_by_role("button", name="Search").click()
    expect(desk.page.get_by_text("1 comment", exact=True)).to_be_visible()
    desk.check("explorer-found")
    desk.page.locator(".voice__link").click()
    expect(desk.page.get_by_role("heading", name="Similar comments")).to_be_visible()
    expect(desk.page.get_by_text("The queue at the till was far too long")).to_be_visible()
    desk.check("verbatim")
    desk.go("/verbatims/?language=ar")
    desk.page.locator("summary", has_text="Filters").click()
    desk.check("explorer-arabic")
    phone = visit(viewport=PHONE, color_scheme="dark")
    sign_in(phone, chain.manager)
    phone.go("/verbatims/?q=" + "черг")
    expect(phone.page.locator(".voice")).to_have_count(1)
    phone.check("explorer-uk")
    phone.page.locator("summary", has_text="Filters").click()
    phone.check("explorer-filters")
    phone.page.locator(".voice__link").click()
    phone.check("verbatim-phone")
    phone.go("/verbatims/?language=ar")
    phone.page.locator(".voice__link").first.click()
    phone.check("verbatim-arabic")
