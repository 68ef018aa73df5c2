"""The pages of figures as people hold them: each passes axe on a phone and keeps to the narrowest screen, in German."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.conf import settings
from django.db.models import F
from django.test import Client
from playwright.sync_api import expect

from alerts.choices import CaseState
from alerts.models import Case, RootCause, Rule
from reports.actions import begin, end
from reports.models import ActionState, PeriodKind
from reports.periods import Week, latest_day
from reports.published import publish
from sentiment.models import Sentiment
from stores.models import User
from tests.browser.conftest import NARROWEST, PHONE, Stack, Visitor
from tests.factories import Chain
from tests.reports.callers import calls, counted
from tests.reports.makers import announce, answer, make_analysis, make_case

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def chain(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Chain:
    """A quarter with something on every page."""
    monkeypatch.setattr(settings, "AGENT_FIGURES", True)
    chain = Chain()
    chain.head_office.language = "de"
    chain.head_office.save()
    Rule.objects.update(active=False)  # the cases are made here
    cause = RootCause.objects.create(name="Long wait")
    today = latest_day([chain.store.time_zone])
    for back in (2, 3, 4):
        day = Week.of(today).monday - timedelta(weeks=back)
        answer(chain.touchpoint, 10, day=day, times=8)
        for response in answer(chain.touchpoint, 2, day=day, times=11, words="Viel zu lange gewartet " + "o" * 200):
            topics = [{"topic": "waiting", "sentiment": "negative"}]
            make_analysis(response.verbatims.get(), sentiment=Sentiment.NEGATIVE, topics=topics)
            case = make_case(response, state=CaseState.RESOLVED, contacted=10, root_cause=cause)
            announce(response, case)
    calls(chain.call_centre, [10] * 30 + [2] * 3, day=today - timedelta(days=20), agent="Somebody with a long name")
    calls(chain.call_centre, [3] * 30, day=today - timedelta(days=20), queue="returns", agent="A2")
    counted(chain.call_centre)
    answer(chain.foreign_touchpoint, 4, day=today - timedelta(days=20), times=6, headline_kind="smiley5")
    return chain


def fits_in_ukrainian(office: Visitor, chain: Chain) -> None:
    """The medians of cases, as long as they get, in the language with the longest words for them."""
    late, open_secs = F("opened_at") + timedelta(hours=46, minutes=44), 38 * 3600 + 2640
    Case.objects.update(
        **{f"{moment}_at": late for moment in ("acknowledged", "contacted", "resolved")},
        **{f"{moment}_open_secs": open_secs for moment in ("acknowledged", "contacted", "resolved")},
    )
    User.objects.filter(pk=chain.head_office.pk).update(language="uk")
    office.page.set_viewport_size(NARROWEST)  # type: ignore[arg-type]
    office.page.goto(f"{office.origin}/inbox/closing/")
    expect(office.page.get_by_text("46 год 44 хв")).to_have_count(3)
    wide = office.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, f"how it went scrolls sideways by {wide} px"
    User.objects.filter(pk=chain.head_office.pk).update(language="de")


def test_every_page_of_figures_fits_a_phone_and_a_reader(visit: Callable[..., Visitor], chain: Chain) -> None:
    week = Week.of(latest_day([chain.store.time_zone])) + -3
    period = publish(PeriodKind.WEEK, week.monday, by=chain.head_office)
    action = begin(chain.area, by=chain.head_office, topic="waiting").action
    end(action.pk, ActionState.DONE, by=chain.head_office, text="So " + "o" * 200)
    office = visit(viewport=PHONE)
    client = Client()
    client.force_login(chain.head_office, backend="allauth.account.auth_backends.AuthenticationBackend")
    value = client.cookies[settings.SESSION_COOKIE_NAME].value
    office.page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": value, "url": office.origin}])
    area = f"?node={chain.area.pk}"
    for name, path in {
        "stores": "stores/",
        "calls": "calls/",
        "change": "change/",
        "topics": f"topics/{area}",
        "loop": f"loop/{area}",
        "asking": f"asking/{area}",
        "actions": "actions/",
        "action": f"actions/{action.pk}/",
        "digests": "digests/",
        "file": "files/?of=reports",
        "published": "published/",
        "period": f"published/{period.pk}/",
        "store": f"store/{chain.store.code}/",
        "overview": area,
    }.items():
        office.page.set_viewport_size(PHONE)  # type: ignore[arg-type]
        office.page.goto(f"{office.origin}/reports/{path}")
        office.check(f"reports-{name}")
        office.page.set_viewport_size(NARROWEST)  # type: ignore[arg-type]
        wide = office.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{name} scrolls sideways by {wide} px on the narrowest screen"
    # A week of the chart is reached by the keyboard and opens the words behind it.
    point = office.page.get_by_role("link", name=f"Woche {week}").first
    point.focus()
    office.page.keyboard.press("Enter")
    expect(office.page.locator(".voice")).to_have_count(11)
    fits_in_ukrainian(office, chain)
