"""The screen of a store: where its manager lands, what waits, what costs most, what to praise, and the others."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from alerts.choices import CaseState
from alerts.models import RootCause
from alerts.policy import OUTSIDE_CAUSE
from core.work import drain
from reports.actions import begin
from reports.models import Action
from reports.periods import Week, latest_day
from sentiment.models import Sentiment
from stores.choices import TouchpointKind
from stores.models import Touchpoint, User
from tests.factories import Chain, make_store, make_touchpoint
from tests.reports.makers import announce, answer, make_analysis, make_case

pytestmark = pytest.mark.django_db
ZONE = "Europe/Kyiv"


def shop(chain: Chain, code: str) -> Touchpoint:
    return make_touchpoint(store=make_store(node=chain.area, code=code, name=f"Kyiv {code}"), kind=TouchpointKind.TILL)


def test_an_empty_store_says_what_to_do(client: Client, chain: Chain) -> None:
    client.force_login(chain.manager)
    page = client.get("/reports/store/").content.decode()
    assert "Kyiv One" in page and "Nothing stands out" in page and "QR codes" in page
    # It is where "Reports" leads whoever runs a store; others begin with all they see.
    assert 'href="/reports/store/"' in client.get("/inbox/").content.decode()
    client.force_login(chain.area_manager)
    assert 'href="/reports/"' in client.get("/inbox/").content.decode()


def test_one_screen_tells_what_waits_what_costs_and_what_to_praise(client: Client, chain: Chain) -> None:
    today = latest_day([ZONE])
    early = Week.of(today).monday - timedelta(weeks=2)
    for response in answer(chain.touchpoint, 1, day=early, times=35, words="We waited for ever and ever"):
        topics = [{"topic": "waiting", "sentiment": "negative"}]
        make_analysis(response.verbatims.get(), sentiment=Sentiment.NEGATIVE, topics=topics)
    answer(chain.touchpoint, 10, day=early, times=45)
    (happy,) = answer(chain.touchpoint, 10, day=today, words="Anna was so kind and wrapped it beautifully for us")
    redacted = "[name] was so kind and wrapped it beautifully for us"
    make_analysis(happy.verbatims.get(), sentiment=Sentiment.POSITIVE, redacted=redacted)
    late, calm = answer(chain.touchpoint, 2, day=today, times=2)
    make_case(late)
    make_case(calm, state=CaseState.ACKNOWLEDGED, due_in=timedelta(hours=2))
    for response in (late, calm, happy):
        announce(response)
    drain(["facts"])
    begin(chain.area, by=chain.area_manager, topic="price")
    for above in (chain.area.parent, chain.root):
        assert above is not None
        begin(above, by=chain.head_office, topic="staff")
    client.force_login(chain.manager)
    with CaptureQueriesContext(connection) as queries:
        page = client.get("/reports/store/KY1/")
    assert len(queries) <= 25
    view, shown = page.context["view"], page.content.decode()
    assert len(view.under_way) == 3
    assert (view.this_week.waiting, view.this_week.untouched, view.this_week.overdue) == (2, 2, 1)
    assert view.costliest.topic == "waiting" and view.costliest.driver.stands
    assert "Waiting time" in shown and "costs " in shown
    assert redacted in shown and "Anna" not in shown
    assert view.found.headline.nps.n == 83
    # Nobody else has answered in the area: nothing to stand beside.
    assert view.area is None


def test_the_others_are_told_only_where_they_are_enough(client: Client, chain: Chain) -> None:
    day = Week.of(latest_day([ZONE])).monday - timedelta(weeks=2)
    client.force_login(chain.manager)

    def area() -> object:
        return client.get("/reports/store/KY1/").context["view"].area

    answer(chain.touchpoint, 1, day=day, times=30)
    others = [shop(chain, code) for code in ("A", "B", "C")]
    for one in others[:2]:
        answer(one, 10, day=day, times=30)
    # One of the two others could work out the second.
    assert area() is None
    answer(others[2], 10, day=day, times=30)
    found = client.get("/reports/store/KY1/").context["view"].area
    assert (found.node, found.unlike.points, found.unlike.significant) == (chain.area, -200, True)
    assert "worse than the others, more than chance" in client.get("/reports/store/KY1/").content.decode()


def test_a_store_without_scores_and_with_few_answers_says_so(client: Client, chain: Chain) -> None:
    answer(chain.touchpoint, 9, day=timezone.now().date(), times=3)
    client.force_login(chain.manager)
    shown = client.get("/reports/store/KY1/").content.decode()
    assert "hidden" in shown and "Shown from 5 answers on" in shown


def test_a_store_is_told_what_is_done_about_it_and_opens_what_is_its_own(client: Client, chain: Chain) -> None:
    of_area = begin(chain.area, by=chain.area_manager, topic="price").action
    own = begin(chain.store, by=chain.manager, topic="waiting").action
    User.objects.filter(pk=chain.area_manager.pk).update(name="Whoever runs the area")
    begin(chain.other_area, by=chain.head_office, topic="staff")
    Action.objects.filter(pk=of_area.pk).update(due_on=of_area.due_on - timedelta(weeks=9))
    client.force_login(chain.manager)
    page = client.get("/reports/store/KY1/")
    # What is theirs comes first, however late the rest is.
    assert [(one.action, one.is_mine, one.opens) for one in page.context["view"].under_way] == [
        (own, True, True),
        (of_area, False, False),
    ]
    shown = page.content.decode()
    assert of_area.title in shown and "for all of Kyiv" in shown and "overdue since" in shown
    # It says what is done above it, not by whom.
    assert "Whoever runs the area" not in shown
    assert f'href="/reports/actions/{of_area.pk}/"' not in shown
    client.force_login(chain.area_manager)
    shown = client.get("/reports/store/KY1/").content.decode()
    assert f'href="/reports/actions/{of_area.pk}/"' in shown and f'href="/reports/actions/{own.pk}/"' in shown
    client.force_login(chain.head_office)
    shown = client.get("/reports/store/KY1/").content.decode()
    assert "Whoever runs the area" in shown


def test_nobody_is_asked_to_put_right_what_is_outside_their_control(client: Client, chain: Chain) -> None:
    outside = RootCause.objects.create(name=OUTSIDE_CAUSE, names={"en": "The weather and the like"})
    ours = RootCause.objects.create(name="Long wait")
    for number, response in enumerate(answer(chain.touchpoint, 2, day=timezone.now().date(), times=7)):
        make_case(response, state=CaseState.RESOLVED, root_cause=ours if number < 2 else outside)
    client.force_login(chain.manager)
    page = client.get("/reports/store/KY1/")
    assert page.context["view"].cause.cause == ours
    # Two of seven are not the commonest of anything yet.
    shown = page.content.decode()
    assert "The root cause of 2 of 7 cases" in shown and "The commonest root cause" not in shown
    assert "said from 30 cases on" in shown


def test_the_chart_is_of_several_weeks_a_point_where_that_tells_more_and_says_so(client: Client, chain: Chain) -> None:
    today = latest_day([ZONE])
    for week in range(13):
        answer(chain.touchpoint, 9, day=today - timedelta(weeks=week), times=3)
    client.force_login(chain.manager)
    page = client.get("/reports/store/KY1/")
    assert [one.figure.nps.n for one in page.context["view"].found.points] == [15, 12, 12]
    assert "each point stands for four or five" in page.content.decode()
    # How many were very happy is told of the same weeks, where this one would tell of few.
    this_week, monday = page.context["view"].this_week, Week.of(today).monday
    assert (this_week.kudos.n, this_week.since) == (0, monday - timedelta(weeks=3))
    assert f"since {this_week.since.day} {this_week.since:%B %Y}" in page.content.decode()
    for week in range(13):
        answer(chain.touchpoint, 9, day=today - timedelta(weeks=week), times=3)
    page = client.get("/reports/store/KY1/")
    assert [one.figure.nps.n for one in page.context["view"].found.points] == [6] * 13
    assert "each point stands for four or five" not in page.content.decode()
    assert (page.context["view"].this_week.kudos.n, page.context["view"].this_week.since) == (0, None)
