"""Actions against causes of bad visits: who begins and changes them, who is told, what followed, and what hangs."""

import uuid
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.db import connection, transaction
from django.db.utils import ProgrammingError
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.formats import date_format

from alerts.models import RootCause
from core.personal import erase_response
from core.work import drain
from messaging.models import Message
from messaging.outbox import rendered_for
from reports.actions import Plan, amend, begin, end, note, take_up
from reports.effect import Effect, Measure, effect_of
from reports.filters import scope_of
from reports.models import Action, ActionEntry, ActionState
from reports.pdf import wall_pdf
from reports.periods import Week, latest_day
from reports.wall import build_wall
from sentiment.models import Sentiment
from stores.models import Node, Store
from tests.factories import Chain
from tests.reports.makers import announce, answer, make_analysis, make_case

pytestmark = pytest.mark.django_db
ZONE = "Europe/Kyiv"


def plan(action: Action, **changes: object) -> Plan:
    kept = {"title": action.title, "owner": action.owner, "due_on": action.due_on, "place": action.place}
    return Plan(**(kept | changes))  # type: ignore[arg-type]


def ago(action: Action, *, begun: int, done: int | None = None) -> Action:
    """The same action, begun and done so many weeks ago."""
    now = timezone.now()
    Action.objects.filter(pk=action.pk).update(
        created_at=now - timedelta(weeks=begun),
        state=ActionState.OPEN if done is None else ActionState.DONE,
        ended_at=None if done is None else now - timedelta(weeks=done),
    )
    return Action.objects.select_related("store__node", "node", "cause").get(pk=action.pk)


def test_one_tap_begins_it_where_the_cause_shows_and_a_second_one_leads_there(client: Client, chain: Chain) -> None:
    cause = RootCause.objects.create(name="Long wait")
    (response,) = answer(chain.touchpoint, 2, day=timezone.now().date(), words="The queue!")
    make_analysis(
        response.verbatims.get(),
        sentiment=Sentiment.NEGATIVE,
        topics=[{"topic": "price", "sentiment": "positive"}, {"topic": "waiting", "sentiment": "negative"}],
    )
    case = make_case(response)
    client.force_login(chain.manager)
    assert 'name="case"' in client.get(f"/cases/{case.pk}/").content.decode()
    first = client.post("/reports/actions/begin/", {"case": str(case.pk)})
    action = Action.objects.get()
    assert first["Location"] == f"/reports/actions/{action.pk}/"
    assert (action.store, action.topic, action.case, action.owner) == (chain.store, "waiting", case, chain.manager)
    assert (action.title, action.state) == ("Waiting time", ActionState.OPEN)
    assert client.post("/reports/actions/begin/", {"case": str(case.pk)})["Location"] == first["Location"]
    # With a root cause it is that, wherever the tap was.
    case.root_cause = cause
    case.save()
    client.post("/reports/actions/begin/", {"case": str(case.pk)})
    client.post("/reports/actions/begin/", {"cause": str(cause.pk), "store": "KY1"})
    assert list(Action.objects.order_by("pk").values_list("topic", "cause")) == [("waiting", None), ("", cause.pk)]
    client.force_login(chain.area_manager)
    client.post("/reports/actions/begin/", {"topic": "price", "node": str(chain.area.pk)})
    assert Action.objects.get(topic="price").node == chain.area
    for page in ("/reports/loop/", "/reports/topics/", "/reports/actions/?mine=1"):
        assert client.get(page).status_code == 200
    assert "Long wait" in client.get("/reports/loop/").content.decode()


def test_who_begins_sees_and_changes_it(client: Client, chain: Chain) -> None:
    action = begin(chain.store, by=chain.manager, topic="waiting").action
    of_area = begin(chain.area, by=chain.area_manager, topic="waiting").action
    page, begin_at = f"/reports/actions/{action.pk}/", "/reports/actions/begin/"
    readers = {
        chain.manager: (200, 302, 302),
        chain.area_manager: (200, 302, 302),
        chain.head_office: (200, 302, 302),
        # A deputy reads and writes notes.
        chain.deputy: (200, 302, 403),
        chain.foreign_manager: (404, 404, 404),
        chain.foreign_area_manager: (404, 404, 404),
        chain.call_centre_lead: (404, 404, 404),
        chain.operator: (404, 404, 404),
        chain.nobody: (404, 404, 404),
    }
    for reader, (seen, noted, changed) in readers.items():
        client.force_login(reader)
        assert client.get(page).status_code == seen
        assert (f'href="{page}"' in client.get("/reports/actions/").content.decode()) == (seen == 200)
        words = {"do": "note", "text": "Ordered", "form_id": str(uuid.uuid4())}
        assert client.post(page, words).status_code == noted
        assert client.post(page, {"do": "reopen"}).status_code == changed
        asked = client.post(begin_at, {"topic": "price", "store": "KY1"}).status_code
        assert asked == (403 if reader == chain.deputy else changed)
    # What the area does is the area's, and a store does not begin there.
    client.force_login(chain.manager)
    assert client.get(f"/reports/actions/{of_area.pk}/").status_code == 404
    assert client.post(begin_at, {"topic": "price", "node": str(chain.area.pk)}).status_code == 404
    for senseless in ({}, {"topic": "x", "store": "KY1"}, {"case": "x" * 36}, {"cause": "٣", "store": "KY1"}):
        assert client.post(begin_at, senseless).status_code == 404
    assert client.post(page, {"do": "x"}).status_code == 400
    # An owner who decides nothing else there changes what is theirs.
    amend(action.pk, plan(action, owner=chain.deputy), by=chain.manager)
    client.force_login(chain.deputy)
    assert client.post(page, {"do": "done", "text": "A second till"}).status_code == 302
    assert Action.objects.get(pk=action.pk).state == ActionState.DONE


def test_the_plan_changes_with_its_history_and_words_lose_contacts(client: Client, chain: Chain) -> None:
    action = begin(chain.store, by=chain.area_manager, topic="waiting").action
    page, due = f"/reports/actions/{action.pk}/", timezone.now().date() + timedelta(days=9)
    client.force_login(chain.area_manager)
    sent = {
        "do": "plan",
        "title": "Second till, call +380 50 123 45 67",
        "place": f"node:{chain.area.pk}",
        "owner": chain.area_manager.pk,
        "due_on": str(due),
    }
    # A store's manager does not see the area whole, and nobody's time runs backwards.
    refused = client.post(page, sent | {"owner": chain.manager.pk})
    assert refused.status_code == 422 and Action.objects.get().store == chain.store
    assert client.post(page, sent | {"due_on": "2020-01-01"}).status_code == 422
    assert client.post(page, sent | {"place": f"node:{chain.other_area.pk}"}).status_code == 422
    assert client.post(page, sent).status_code == 302
    changed = Action.objects.get()
    assert (changed.place, changed.due_on) == (chain.area, due)
    assert changed.title == "Second till, call [phone]"
    form = str(uuid.uuid4())
    for _ in range(2):
        client.post(page, {"do": "note", "text": "<b>Mail ann@example.com</b>", "form_id": form})
    shown = client.get(page).content.decode()
    assert "Kyiv One → Kyiv" in shown and "&lt;b&gt;Mail [e-mail]&lt;/b&gt;" in shown
    assert [one.kind for one in ActionEntry.objects.all()] == ["made", "title", "due", "place", "note"]
    for statement in ("UPDATE reports_actionentry SET text = 'x'", "DELETE FROM reports_actionentry"):
        with pytest.raises(ProgrammingError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


def test_deleting_their_words_takes_what_was_noted_about_a_shoppers_case(chain: Chain) -> None:
    (response,) = answer(chain.touchpoint, 2, day=timezone.now().date(), words="Rude")
    action = begin(chain.store, by=chain.manager, case=make_case(response)).action
    other = begin(chain.store, by=chain.manager, topic="price").action
    for one in (action, other):
        note(one.pk, "She came twice", by=chain.manager, form_id=uuid.uuid4())
    with transaction.atomic():
        erase_response(response.pk)
    assert [one.text for one in action.entries.all()] == ["", ""]
    assert [one.text for one in other.entries.all()] == ["", "She came twice"]


def test_the_owner_is_told_once_in_their_language_and_not_in_vain(chain: Chain) -> None:
    action = begin(chain.store, by=chain.manager, topic="waiting").action
    chain.deputy.language = "de"
    chain.deputy.save()
    own = Message.objects.select_related("user").get(kind="action due")
    assert rendered_for(own) is not None
    action = amend(action.pk, plan(action, owner=chain.deputy), by=chain.manager)
    assert rendered_for(own) is None
    due = action.due_on + timedelta(days=3)
    for _ in range(2):
        action = amend(action.pk, plan(action, due_on=due), by=chain.manager)
    messages = list(Message.objects.filter(kind__startswith="action").select_related("user").order_by("created_at"))
    told = [(one.kind, one.user, rendered_for(one) is not None) for one in messages]
    assert told == [
        ("action due", chain.manager, False),
        ("action given", chain.deputy, True),
        ("action due", chain.deputy, False),
        ("action due", chain.deputy, True),
    ]
    given, reminder = messages[1], messages[3]
    # On the morning of that day, where the store is.
    assert (
        reminder.run_at is not None
        and reminder.run_at.astimezone(ZoneInfo(ZONE)).strftime("%F %H:%M") == f"{due} 08:00"
    )
    rendered = rendered_for(reminder)
    assert (
        rendered and rendered.subject.startswith("Heute fällig: ") and f"/reports/actions/{action.pk}/" in rendered.url
    )
    end(action.pk, ActionState.DONE, by=chain.deputy, text="Done")
    assert rendered_for(reminder) is None and rendered_for(given) is None
    # What was due before is not due today.
    Action.objects.update(due_on=due - timedelta(weeks=9))
    take_up(action.pk, by=chain.manager)
    assert not Message.objects.filter(subject_id=f"{action.pk}:{due - timedelta(weeks=9)}").exists()


def test_who_does_not_see_its_place_any_more_is_not_led_to_its_page(client: Client, chain: Chain) -> None:
    action = begin(chain.area, by=chain.area_manager, topic="waiting").action
    page = f"/reports/actions/{action.pk}/"
    due = Message.objects.select_related("user").get(kind="action due")
    for sees in (True, False):
        rendered = rendered_for(due)
        assert rendered and action.title in rendered.subject
        assert [page in part for part in (rendered.text, rendered.html, rendered.url)] == [sees] * 3
        client.force_login(chain.area_manager)
        assert client.get(page).status_code == (200 if sees else 404)
        chain.area_manager.roles.update(node=None, store=chain.store)


def test_the_form_says_who_reads_the_title_of_what_is_done_above_stores(client: Client, chain: Chain) -> None:
    said = "Everybody below this place who reads reports sees this title."
    for place, reader, warned in (
        (chain.area, chain.area_manager, True),
        (chain.store, chain.area_manager, True),  # it may be moved above
        (chain.store, chain.manager, False),
    ):
        action = begin(place, by=reader, topic="waiting").action
        client.force_login(reader)
        assert (said in client.get(f"/reports/actions/{action.pk}/").content.decode()) == warned


def test_nobody_is_told_of_an_action_at_night(settings: Any, chain: Chain) -> None:
    settings.QUIET_HOURS = (21, 8)
    with time_machine.travel(datetime(2026, 11, 24, 22, 30, tzinfo=UTC), tick=True):
        action = begin(chain.store, by=chain.manager, topic="waiting").action
        amend(action.pk, plan(action, owner=chain.deputy, due_on=date(2026, 11, 25)), by=chain.manager)
    told = Message.objects.filter(user=chain.deputy).order_by("created_at")
    # In Kyiv it is half past midnight.
    assert [one.run_at for one in told] == [datetime(2026, 11, 25, 6, tzinfo=UTC)] * 2


def test_a_day_is_over_where_the_store_is(client: Client, chain: Chain) -> None:
    # In Kyiv it is the next day.
    with time_machine.travel(datetime(2026, 11, 24, 22, 30, tzinfo=UTC), tick=True):
        action = begin(chain.store, by=chain.manager, topic="waiting").action
        client.force_login(chain.manager)
        for days, late in ((-1, True), (0, True), (1, False)):
            Action.objects.update(due_on=date(2026, 11, 24) + timedelta(days=days))
            for page in ("/reports/actions/", f"/reports/actions/{action.pk}/"):
                assert ("overdue since" in client.get(page).content.decode()) == late
        end(action.pk, ActionState.DONE, by=chain.manager, text="Done")
        for page in ("/reports/actions/?state=done", f"/reports/actions/{action.pk}/"):
            assert "25 Nov 2026" in client.get(page).content.decode()


def test_many_that_ended_in_several_places_ask_no_more_than_one(client: Client, chain: Chain) -> None:
    def end_one(place: Node | Store, topic: str) -> None:
        end(begin(place, by=chain.head_office, topic=topic).action.pk, ActionState.DONE, by=chain.head_office)

    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.get("/reports/actions/?state=done").status_code == 200
        return len(queries)

    client.force_login(chain.head_office)
    end_one(chain.root, "price")
    one = asked()
    for place in (chain.area, chain.other_area, chain.store, chain.foreign):
        for topic in ("waiting", "price"):
            end_one(place, topic)
    assert asked() == one


def effect(action: Action, chain: Chain) -> Effect | None:
    drain(["facts"])
    return effect_of(action, scope_of(chain.head_office), Week.of(latest_day([ZONE])))


def only(found: Effect | None) -> Measure:
    assert found is not None
    return found.measures[0]


def test_before_and_after_are_compared_by_the_same_measure_with_its_margin(chain: Chain) -> None:
    cause = RootCause.objects.create(name="Long wait")
    today = latest_day([ZONE])

    def weeks_ago(weeks: int, unhappy: int, happy: int) -> None:
        day = Week.of(today).monday - timedelta(weeks=weeks)
        answer(chain.touchpoint, 10, day=day, times=happy)
        for response in answer(chain.touchpoint, 1, day=day, times=unhappy):
            announce(response, make_case(response, root_cause=cause))

    weeks_ago(9, unhappy=14, happy=26)
    weeks_ago(2, unhappy=3, happy=37)
    # While it was being done: on neither side.
    weeks_ago(5, unhappy=30, happy=0)
    action = ago(begin(chain.store, by=chain.manager, cause=cause).action, begun=6, done=4)
    found = effect(action, chain)
    own = only(found)
    assert own.before.share and own.after.share and own.change
    assert (own.before.share.part, own.before.share.n) == (14, 40)
    assert (own.after.share.part, own.after.share.n) == (3, 40)
    assert round(own.change.points, 1) == -27.5 and own.better and own.stands
    assert found is not None
    nps = found.measures[1]
    assert nps.before.nps and nps.after.nps and nps.change
    assert (nps.before.nps.n, nps.after.nps.n) == (40, 40)
    assert round(nps.change.points) == 55 and nps.stands
    # Not begun long enough ago, dropped: nothing to say.
    assert effect(ago(action, begun=0), chain) is None
    end(begin(chain.store, by=chain.manager, topic="price").action.pk, ActionState.DROPPED, by=chain.manager)
    assert effect(Action.objects.get(topic="price"), chain) is None


def test_weeks_between_both_sides_belong_to_neither_however_many(chain: Chain) -> None:
    monday = Week.of(latest_day([ZONE])).monday

    def weeks_ago(weeks: int, negative: int, other: int) -> None:
        day = monday - timedelta(weeks=weeks)
        answer(chain.touchpoint, 9, day=day, times=other)
        for response in answer(chain.touchpoint, 1, day=day, times=negative, words="The queue"):
            topics = [{"topic": "waiting", "sentiment": "negative"}]
            make_analysis(response.verbatims.get(), sentiment=Sentiment.NEGATIVE, topics=topics)
            announce(response)

    weeks_ago(28, negative=10, other=30)
    weeks_ago(20, negative=20, other=10)
    weeks_ago(2, negative=5, other=35)
    own = only(effect(ago(begin(chain.store, by=chain.manager, topic="waiting").action, begun=25, done=5), chain))
    assert own.before.share and (own.before.share.part, own.before.share.n) == (10, 40)
    assert own.after.share and (own.after.share.part, own.after.share.n) == (5, 40)


def test_few_complaints_among_many_answers_are_shown(client: Client, chain: Chain) -> None:
    """What an action is for: that hardly anybody complains any more."""
    monday = Week.of(latest_day([ZONE])).monday
    for weeks, negative in ((9, 20), (2, 1)):
        day = monday - timedelta(weeks=weeks)
        answer(chain.touchpoint, 9, day=day, times=40 - negative)
        for response in answer(chain.touchpoint, 2, day=day, times=negative, words="The queue"):
            topics = [{"topic": "waiting", "sentiment": "negative"}]
            make_analysis(response.verbatims.get(), sentiment=Sentiment.NEGATIVE, topics=topics)
            announce(response)
    action = ago(begin(chain.store, by=chain.manager, topic="waiting").action, begun=6, done=4)
    own = only(effect(action, chain))
    assert own.before.share and (own.before.share.part, own.before.share.n) == (20, 40)
    assert own.after.share and (own.after.share.part, own.after.share.n) == (1, 40)
    assert own.better and own.stands


def test_few_answers_are_not_told_by_a_sum(client: Client, chain: Chain) -> None:
    monday = Week.of(latest_day([ZONE])).monday
    answer(chain.touchpoint, 1, day=monday - timedelta(weeks=9), times=40)
    answer(chain.touchpoint, 1, day=monday - timedelta(weeks=2), times=3)
    action = ago(begin(chain.store, by=chain.manager, topic="waiting").action, begun=6, done=4)
    found = effect(action, chain)
    assert found is not None and found.measures
    assert all(one.after.n == 0 and one.change is None for one in found.measures)
    client.force_login(chain.manager)
    assert "Too few answers to compare." in client.get(f"/reports/actions/{action.pk}/").content.decode()


def test_what_was_done_hangs_on_the_walls_below_it_as_whose_it_is(client: Client, chain: Chain) -> None:
    week = Week.of(latest_day([ZONE]))

    def done(place: Node | Store, text: str, **against: str) -> None:
        action = begin(place, by=chain.head_office, **against).action  # type: ignore[arg-type]
        end(action.pk, ActionState.DONE, by=chain.head_office, text=text)

    done(chain.area, "A second till opens at five in the queue. Call 030 1234567", topic="waiting")
    done(chain.other_area, "Elsewhere", topic="waiting")
    done(chain.neighbour, "Next door", topic="waiting")
    end(begin(chain.area, by=chain.head_office, topic="price").action.pk, ActionState.DROPPED, by=chain.head_office)
    (own,) = build_wall(chain.store, week).done
    assert (own.about, own.whose, own.said) == ("Waiting time", "Kyiv", None)
    assert own.did.startswith("A second till") and "1234567" not in own.did
    assert [one.did for one in build_wall(chain.foreign, week).done] == ["Elsewhere"]
    assert len(build_wall(chain.neighbour, week).done) == 2
    assert not build_wall(chain.store, week + -1).done
    client.force_login(chain.manager)
    shown = client.get(f"/wall/KY1/{week}/").content.decode()
    assert "We did · Kyiv" in shown and "Waiting time" in shown
    assert wall_pdf(build_wall(chain.store, week)).startswith(b"%PDF")
    ended = date_format(latest_day([ZONE]), "SHORT_DATE_FORMAT")
    client.force_login(chain.head_office)
    assert ended in client.get("/reports/actions/?state=done").content.decode()
