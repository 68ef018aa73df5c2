"""The editor of surveys in a real browser: whole on the narrowest phone, and usable with and without JavaScript."""

from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from surveys.editor import drafts
from surveys.models import Survey
from tests.browser.conftest import DESKTOP, NARROWEST, PHONE
from tests.browser.test_setup import visitor
from tests.factories import Chain

pytestmark = pytest.mark.browser
PAGES = (
    "/setup/surveys/recommend/",
    "/setup/surveys/recommend/preview/?language=ar&look=dark&place=qr-till",
    "/setup/surveys/",
    "/setup/surveys/recommend/questions/single/",
    "/setup/surveys/recommend/languages/",
    "/setup/surveys/recommend/languages/ar/",
    "/setup/surveys/recommend/publish/",
    "/setup/surveys/recommend/versions/",
    "/setup/surveys/where/",
    "/setup/look/",
    "/setup/asking/",
    "/setup/till-keys/",
    "/setup/till-keys/KY1/?link=1-abc123-r1-29000000-30-aaaaaaaaaaaaaaaaaaaaaaaaaa",
)
LOOKS: tuple[dict[str, Any], ...] = (
    {"viewport": PHONE, "color_scheme": "light", "language": "de"},
    {"viewport": NARROWEST, "color_scheme": "dark", "language": "uk"},
    {"viewport": DESKTOP, "color_scheme": "dark", "language": "en"},
)


@pytest.fixture
def survey(transactional_db: None) -> Survey:
    """A draft with something of everything."""
    from surveys.defaults import ensure_surveys

    chain = Chain()
    found = ensure_surveys()["recommend"].survey
    key = drafts.add_question(found, "single", chain.head_office)
    options = [{"key": "a", "text": {"en": "Waiting"}}, {"key": "b", "text": {"en": "Price"}}]
    values = {
        "text": {"en": "How satisfied were you, and what was it about?"},
        "options": options,
        "when": [{"question": "recommend", "at_most": 6}],
    }
    drafts.save_question(found, key, values, chain.head_office, seen="")
    drafts.add_question(found, "smiley3", chain.head_office)
    found.chain = chain  # type: ignore[attr-defined]
    return found


def test_every_page_is_whole(live_server: Any, browser: Browser, survey: Any) -> None:
    for look in LOOKS:
        reader = visitor(browser, live_server.url, survey.chain, **look)
        for number, address in enumerate(PAGES):
            # Axe is slow: each page once, every look a third of them, and the two fullest always.
            if number < 2 or number % len(LOOKS) == LOOKS.index(look):
                reader.go(address)
                reader.check(f"{address.strip('/').replace('/', '-').split('?')[0]}-{look['language']}")
        reader.page.context.close()


def test_a_question_is_written_seen_and_published(live_server: Any, browser: Browser, survey: Any) -> None:
    drafts.drop(survey, survey.chain.head_office)
    reader = visitor(browser, live_server.url, survey.chain, viewport=DESKTOP)
    page = reader.page
    reader.go("/setup/surveys/recommend/languages/")
    for box in page.locator("[name=languages]").all():
        box.set_checked(False)
    with page.expect_navigation():
        page.locator("form:has([name=first]) button").click()
    reader.go("/setup/surveys/recommend/")
    page.select_option("#add-kind", "smiley5")
    page.get_by_role("button", name="Add").click()
    page.get_by_label("Question").fill("How was the fitting room at {store}?")
    page.select_option("[name=when_0]", "recommend::6")
    page.get_by_role("button", name="Save", exact=True).last.click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    # Moving one changes the list in place.
    first = page.locator(".asked__one").nth(2)
    first.get_by_role("button", name="Move up").click()
    expect(page.locator(".asked__one").nth(1)).to_contain_text("fitting room")
    inside = page.frame_locator(".phone__page")
    expect(inside.get_by_text("How was the fitting room")).to_be_hidden()
    inside.locator("#f-score3").check(force=True)
    expect(inside.get_by_text("How was the fitting room")).to_be_visible()
    inside.locator("#f-score9").check(force=True)
    expect(inside.get_by_text("How was the fitting room")).to_be_hidden()
    reader.check("survey-draft")
    page.get_by_role("link", name="Publish").click()
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_text("Version 2 is published")).to_be_visible()
    assert survey.versions.count() == 2
    page.context.close()

    plain = visitor(browser, live_server.url, survey.chain, viewport=PHONE, java_script_enabled=False).page
    plain.goto(f"{live_server.url}/setup/surveys/recommend/")
    plain.locator(".asked__one").nth(1).get_by_role("button", name="Remove").click()
    left = len(survey.versions.get(number=2).document["questions"]) - 1
    expect(plain.locator(".asked__one")).to_have_count(left)
    plain.context.close()
