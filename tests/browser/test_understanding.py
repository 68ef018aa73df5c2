"""What the model thinks and people say of it, in a real browser: on a case, in the word lists, between two models."""

import os
import re
from collections.abc import Callable

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from alerts.models import Case
from alerts.policy import ensure_defaults
from core.jobs import run_due
from core.work import drain
from sentiment.models import Analysis, ChainWord, Correction, ServedModel
from sentiment.reading import live_reader
from stores.models import User
from surveys.defaults import ensure_surveys
from surveys.models import Response
from surveys.signals import response_saved
from tests.browser.conftest import DESKTOP, PHONE, Stack, Visitor
from tests.browser.test_loop import sign_in
from tests.factories import Chain, make_response

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
WORDS = "I waited forty minutes in the lounge and the cashier was very rude to my daughter."


@pytest.fixture
def shop(stack: Stack) -> Chain:
    ensure_surveys()
    ensure_defaults()
    chain = Chain()
    for words, score, language in (
        (WORDS, 2, "en"),
        ("The lounge was full of people and their dogs", 9, "en"),
        ("Чудовий магазин, дуже привітні дівчата, дякую за допомогу!", 10, "uk"),
        ("Die Schlange an der Kasse war lang, das Personal aber freundlich.", 8, "de"),
    ):
        response = make_response(touchpoint=chain.touchpoint, score=score, words=words, language=language)
        response_saved.send(sender=Response, response=response, corrected=False)
    drain(["analysis", "alerts", "facts"])
    assert not Analysis.objects.filter(run_at__isnull=False).exists()
    return chain


def speak(user: User, language: str) -> None:
    user.language = language
    user.save(update_fields=["language"])


def everywhere(visit: Callable[..., Visitor], user: User, addresses: dict[str, str]) -> None:
    """Look at pages on phone and desk, light and dark, in all three languages; only where somebody wants to see."""
    if not os.environ.get("SCREENSHOTS"):
        return
    for language, viewport, scheme in (
        ("de", PHONE, "dark"),
        ("uk", PHONE, "light"),
        ("uk", DESKTOP, "dark"),
        ("de", DESKTOP, "light"),
    ):
        speak(user, "en")
        visitor = visit(viewport=viewport, color_scheme=scheme)
        sign_in(visitor, user)
        speak(user, language)
        for name, address in addresses.items():
            visitor.go(address)
            for part in visitor.page.locator("details.understood__more summary, details.words__help summary").all():
                part.click()
            visitor.check(f"{name}-{language}-{scheme}")
    speak(user, "en")


def test_one_click_corrects_what_the_model_thinks(visit: Callable[..., Visitor], shop: Chain) -> None:
    case = Case.objects.get(response__verbatims__text=WORDS)
    analysis = Analysis.objects.get(verbatim__response=case.response)
    manager = visit(viewport=PHONE)
    sign_in(manager, shop.manager)
    manager.go(f"/cases/{case.pk}/")
    reading = manager.page.locator(f"#reading-{analysis.pk}")
    expect(reading.get_by_text("The model thinks")).to_be_visible()
    manager.check("case-reading")
    reading.get_by_role("button", name="neutral").first.click()
    expect(reading.get_by_text("A person says")).to_be_visible()
    expect(reading.get_by_text(f"says {shop.manager.name}")).to_be_visible()
    assert Analysis.objects.get(pk=analysis.pk).sentiment == "neutral"
    reading.get_by_text("Topics and urgency").click()
    reading.get_by_role("button", name="Price").click()
    # What was open stays open.
    expect(reading.get_by_role("group", name="Price")).to_be_visible()
    manager.check("case-reading-corrected")
    reading.get_by_role("button", name="Undo Sentiment").click()
    expect(reading.get_by_text("The model thinks")).to_be_visible()
    assert Correction.objects.count() == 3
    # Who goes by keys goes on from where they were, and from the same reading where that is gone.
    reading.get_by_text("Topics and urgency").click()
    fraud = reading.get_by_role("button", name="Fraud or theft", exact=True)
    fraud.press("Enter")
    expect(fraud).to_have_attribute("aria-pressed", "true")
    expect(fraud).to_be_focused()
    reading.get_by_role("button", name="Undo Fraud or theft").press("Enter")
    expect(fraud).to_have_attribute("aria-pressed", "false")
    expect(reading.locator("summary")).to_be_focused()
    # A double click says it once; what it says is not taken back by its second half.
    for nth in (1, 2):
        fraud.dispatch_event("click", {"bubbles": True, "cancelable": True, "detail": nth})
        expect(fraud).to_have_attribute("aria-pressed", "true")
    manager.page.wait_for_timeout(300)
    expect(fraud).to_have_attribute("aria-pressed", "true")
    reading.get_by_role("button", name="Undo Fraud or theft").click()
    expect(fraud).to_have_attribute("aria-pressed", "false")
    # Nor is it by a key that is held down.
    fraud.focus()
    for _held in range(3):
        manager.page.keyboard.down("Enter")
        expect(fraud).to_have_attribute("aria-pressed", "true")
    manager.page.wait_for_timeout(300)
    manager.page.keyboard.up("Enter")
    expect(fraud).to_have_attribute("aria-pressed", "true")
    reading.get_by_role("button", name="Undo Fraud or theft").click()
    expect(fraud).to_have_attribute("aria-pressed", "false")
    assert Correction.objects.filter(field="urgency").count() == 6

    # Without a connection a tap is not lost without a word, on the page of the comment neither.
    manager.go(f"/verbatims/{analysis.verbatim_id}/")
    manager.page.context.set_offline(True)
    manager.page.get_by_role("button", name="positive").first.click()
    expect(manager.page.get_by_text("That did not arrive.")).to_be_visible()
    manager.page.context.set_offline(False)
    manager.complaints.clear()
    manager.page.get_by_role("button", name="positive").first.click()
    expect(manager.page.get_by_text("A person says")).to_be_visible()
    expect(manager.page.get_by_text("That did not arrive.")).to_have_count(0)
    manager.page.get_by_role("button", name="Undo Sentiment").click()
    expect(manager.page.get_by_text("The model thinks")).to_be_visible()

    plain = visit(viewport=PHONE, javascript=False)
    sign_in(plain, shop.manager)
    plain.go(f"/cases/{case.pk}/")
    plain.page.locator(f"#reading-{analysis.pk}").get_by_role("button", name="positive").first.click()
    expect(plain.page.get_by_text("A person says")).to_be_visible()
    assert plain.page.url.endswith(f"/cases/{case.pk}/")
    assert Analysis.objects.get(pk=analysis.pk).sentiment == "positive"
    everywhere(visit, shop.manager, {"case-reading": f"/cases/{case.pk}/"})


def test_head_office_keeps_words_and_models(visit: Callable[..., Visitor], shop: Chain) -> None:
    desk = visit(viewport=DESKTOP)
    sign_in(desk, shop.head_office)
    desk.go("/verbatims/")
    desk.page.get_by_role("link", name="Words we look for").click()
    desk.page.get_by_label("A comment, as a shopper").fill(WORDS)
    desk.page.get_by_role("button", name="Which entries match?").click()
    expect(desk.page.get_by_role("listitem").filter(has_text="waited → Waiting time").first).to_be_visible()
    desk.check("words")
    desk.page.get_by_role("link", name="Store environment").click()
    desk.page.get_by_label("Entry", exact=True).fill("Lounge")
    desk.page.get_by_role("button", name="What would it change?").click()
    expect(desk.page.get_by_text("2 would gain")).to_be_visible()
    desk.check("word-list-tried")
    desk.page.get_by_role("button", name="Add", exact=True).click()
    expect(desk.page.get_by_text("Saved.")).to_be_visible()
    assert ChainWord.objects.get().entry == "lounge"

    live = live_reader().model
    ServedModel.objects.update_or_create(name=live, defaults={"missed_at": timezone.now()})
    ServedModel.objects.create(name="waiting", version="halfhour-e5-small-0123456789+0a1b2", seen_at=timezone.now())
    desk.go("/words/models/")
    expect(desk.page.get_by_role("heading", name="Another version is installed")).to_be_visible()
    desk.check("models-waiting")
    everywhere(visit, shop.head_office, {"models-waiting": "/words/models/"})
    desk.page.get_by_role("button", name="Read again", exact=True).click()
    expect(desk.page.get_by_role("progressbar")).to_be_visible()
    desk.check("models-reading")
    while run_due():
        pass
    desk.page.get_by_role("link", name="Compare").click()
    expect(desk.page.get_by_role("heading", name="Other topics")).to_be_visible()
    desk.check("models-ready")
    everywhere(
        visit,
        shop.head_office,
        {
            "words": "/words/?language=uk",
            "word-list": "/words/en/topic/environment/",
            "word-list-urgent": "/words/de/urgency/safety/",
            "models": "/words/models/",
        },
    )
    desk.page.get_by_role("button", name="Go live").click()
    while run_due():
        pass
    drain(["analysis"])
    assert "environment" in topics_now()
    phone = visit(viewport=PHONE)
    sign_in(phone, shop.head_office)
    for address in ("/words/", "/words/en/topic/environment/", "/words/models/"):
        phone.go(address)
        phone.check(f"{re.sub(r'[^a-z]+', '-', address).strip('-')}-phone")


def topics_now() -> set[str]:
    return {hit["topic"] for topics in Analysis.objects.values_list("topics", flat=True) for hit in topics}
