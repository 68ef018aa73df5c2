"""What people do with a wall: take words off, let it hang, put it on a screen, and get it on Monday."""

import io
from datetime import UTC, date, datetime, time, timedelta

import pytest
from django.db.models import F
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pypdf import PdfReader

from alerts.choices import CaseState
from alerts.models import CaseEntry
from core.leases import claim
from core.look import Look, wearing
from core.personal import erase_response
from core.work import drain
from messaging.catcher import Catcher
from messaging.models import Message
from messaging.outbox import put_all
from reports import wall_rounds
from reports.actions import begin, end
from reports.models import ActionState, HideReason, WallApproval, WallHidden, WallRound, WallScreen
from reports.periods import Week
from reports.wall import build_wall
from reports.wall_actions import hide_words, make_screen, screen_address
from reports.wall_rounds import LEASE, WALL, begin_rounds, opening_after, send_due
from sentiment.labels import TOPIC_LABELS
from sentiment.models import Analysis, Sentiment
from stores.history import entries
from stores.models import ConfigChange, HoursException, OpeningInterval, RoleAssignment, User
from stores.opening import hours_of
from tests.factories import Chain, make_store
from tests.reports.makers import answer, make_case
from tests.reports.test_wall import TODAY, WEEK, leave, printed, wall_of

LAST_WEEK = Week.of(TODAY) + -1


def press(client: Client, user: User, name: str, *args: object, **fields: str) -> int:
    client.force_login(user)
    return client.post(reverse(name, args=args), fields).status_code


# --- taking off and approving -----------------------------------------------------------------------------------
def test_words_taken_off_with_a_reason_hang_nowhere_and_can_come_back(client, chain):
    response = leave(chain, "Ask for the one with the red hair, she is great")
    verbatim = response.verbatims.get()
    args = (chain.store.code, WEEK, verbatim.pk)
    assert press(client, chain.manager, "wall_hide", *args, reason="nonsense") == 302
    assert not WallHidden.objects.exists()
    assert press(client, chain.manager, "wall_hide", *args, reason=HideReason.NAMES_SOMEBODY) == 302
    wall = build_wall(chain.store, Week.of(TODAY))
    assert not wall.praises and wall.hidden[0].decision.by == chain.manager
    page = wall_of(client, chain.manager, chain.store)
    assert page.content.decode().count("red hair") == 1 and "Somebody can be recognised" in page.content.decode()
    assert "red hair" not in printed(wall_of(client, chain.manager, chain.store, name="wall_pdf").content)
    # Whoever was first stands.
    hide_words(verbatim, reason=HideReason.OFFENDS, by=chain.head_office)
    assert WallHidden.objects.get().reason == HideReason.NAMES_SOMEBODY
    assert press(client, chain.manager, "wall_show", *args) == 302
    assert build_wall(chain.store, Week.of(TODAY)).praises


@pytest.mark.parametrize(
    "name", ["wall_hide", "wall_show", "wall_approve", "wall_screen", "wall_hide_done", "wall_show_done"]
)
def test_nobody_else_decides_about_a_wall(client, chain, name):
    verbatim = leave(chain, "They wrapped it so nicely").verbatims.get()
    action = begin(chain.store, by=chain.manager, topic="waiting").action
    deed = (chain.store.code, WEEK, f"action:{action.pk}")
    args = {
        "wall_approve": deed[:2], "wall_screen": deed[:1], "wall_hide_done": deed, "wall_show_done": deed,
    }.get(name, (*deed[:2], verbatim.pk))  # fmt: skip
    for who in ("foreign_manager", "foreign_area_manager", "operator", "nobody", "call_centre_lead"):
        assert press(client, getattr(chain, who), name, *args, reason=HideReason.OFFENDS) == 404
    assert press(Client(), chain.manager, name, *args, reason=HideReason.OFFENDS) == 302


def test_words_of_another_store_cannot_be_taken_off_by_way_of_ones_own(client, chain):
    theirs = leave(chain, "They wrapped it so nicely").verbatims.get()
    args = (chain.foreign.code, WEEK, theirs.pk)
    assert press(client, chain.foreign_manager, "wall_hide", *args, reason=HideReason.OFFENDS) == 404
    assert not WallHidden.objects.exists()


def test_deeds_are_taken_off_with_a_reason_come_back_and_the_history_tells(client, chain):
    case = make_case(
        leave(chain, "No ladder to lend", sentiment=Sentiment.NEGATIVE),
        state=CaseState.RESOLVED,
        resolved_at=timezone.now(),
    )
    CaseEntry.objects.create(case=case, kind="action", text="Gave one to the next in the queue", author=chain.manager)
    for number in range(5):
        action = begin(chain.area, by=chain.head_office, topic=list(TOPIC_LABELS)[number]).action
        end(action.pk, ActionState.DONE, by=chain.head_office, text=f"Improvement {number}")
    # However many actions were ended that week, each hangs, and what came of a case beside them.
    wall = build_wall(chain.store, Week.of(TODAY))
    assert [one.did for one in wall.done][:5] == [f"Improvement {number}" for number in (4, 3, 2, 1, 0)]
    assert wall.done[5].did == "Gave one to the next in the queue" and len(wall.done) == 6
    for one in (wall.done[0], wall.done[5]):
        args = (chain.store.code, WEEK, one.deed)
        assert press(client, chain.manager, "wall_hide_done", *args, reason="nonsense") == 302
        assert press(client, chain.manager, "wall_hide_done", *args, reason=HideReason.NAMES_SOMEBODY) == 302
        wall = build_wall(chain.store, Week.of(TODAY))
        assert one.deed not in {hung.deed for hung in wall.done}
        # The words that it was about hang nowhere else then.
        assert "No ladder to lend" not in {voice.text for voice in [*wall.praises, *wall.lessons]}
        assert [(hid.done.deed, hid.decision.by) for hid in wall.hidden_deeds] == [(one.deed, chain.manager)]
        assert f"/show-done/{one.deed}/" in wall_of(client, chain.manager, chain.store).content.decode()
        assert one.did not in printed(wall_of(client, chain.manager, chain.store, name="wall_pdf").content)
        assert press(client, chain.manager, "wall_show_done", *args) == 302
        assert one.deed in {hung.deed for hung in build_wall(chain.store, Week.of(TODAY)).done}
        told = ConfigChange.objects.filter(store=chain.store, what="wall", actor=chain.manager)[:2]
        assert [(entry.old, entry.new) for entry in told] == [
            ({one.deed: "names"}, {one.deed: ""}), ({one.deed: ""}, {one.deed: "names"}),
        ]  # fmt: skip
        assert [entry.new for entry in entries(told)[1].differences] == ["Somebody can be recognised"]
    # One store's decision is not its neighbour's, and a stranger's deed is none of theirs.
    assert len(build_wall(chain.neighbour, Week.of(TODAY)).done) == 5
    foreign = (chain.foreign.code, WEEK, f"case:{case.pk}")
    assert press(client, chain.foreign_manager, "wall_hide_done", *foreign, reason=HideReason.OFFENDS) == 404


def test_who_looked_through_it_is_said_only_while_it_hangs_as_they_saw_it(client, chain):
    def page() -> str:
        return wall_of(client, chain.manager, chain.store).content.decode()

    def approve(user: User, seen: str = "") -> None:
        hangs = build_wall(chain.store, Week.of(TODAY)).fingerprint
        press(client, user, "wall_approve", chain.store.code, WEEK, seen=seen or hangs)

    first = leave(chain, "They wrapped it so nicely")
    assert "Nobody has looked through this wall yet" in page()
    seen = build_wall(chain.store, Week.of(TODAY)).fingerprint
    approve(chain.manager)
    approve(chain.head_office)
    assert WallApproval.objects.get().by == chain.manager
    assert f"Last looked through by {chain.manager.name}" in page()
    # Words that came later were not seen; nor does who has an older page before them approve of them.
    leave(chain, "Fine tea, and the one with the red hair is a star")
    assert f"Changed since {chain.manager.name} looked through it" in page() and "ooked through by" not in page()
    approve(chain.head_office, seen)
    assert WallApproval.objects.get().by == chain.manager
    approve(chain.head_office)
    assert f"Last looked through by {chain.head_office.name}" in page()
    # The same words read otherwise are other words; fewer words are no others.
    Analysis.objects.filter(verbatim__response=first).update(redacted="They wrapped [name] so nicely")
    assert "Changed since" in page()
    erase_response(first.pk)
    assert f"Last looked through by {chain.head_office.name}" in page()


def test_a_wall_that_nobody_is_mailed_says_so(client, chain):
    assert "is mailed to nobody" not in wall_of(client, chain.head_office, chain.store).content.decode()
    User.objects.filter(pk__in=[chain.manager.pk, chain.deputy.pk]).update(is_active=False)
    assert "is mailed to nobody" in wall_of(client, chain.head_office, chain.store).content.decode()


def test_a_large_wall_is_on_large_paper(client, chain):
    leave(chain, "They wrapped it so nicely")
    sizes = {}
    for paper in ("a4", "a3", "../etc"):
        pdf = wall_of(client, chain.manager, chain.store, name="wall_pdf", paper=paper).content
        sizes[paper] = round(float(PdfReader(io.BytesIO(pdf)).pages[0].mediabox.width))
    assert sizes == {"a4": 595, "a3": 842, "../etc": 595}


# --- the screen -------------------------------------------------------------------------------------------------
def test_a_screen_shows_last_weeks_wall_without_a_sign_in_until_its_link_ends(client, chain):
    hostile = "<script>alert(1)</script> and the tea was good"
    leave(chain, hostile, day=LAST_WEEK.sunday)
    leave(chain, "of this running week")
    press(client, chain.manager, "wall_screen", chain.store.code)
    address = screen_address(WallScreen.objects.get())
    assert address in wall_of(client, chain.manager, chain.store).content.decode()
    visitor, path = Client(), "/" + address.split("/", 3)[3]
    page = visitor.get(path)
    assert page.status_code == 200 and "no-store" in page["Cache-Control"]
    body = page.content.decode()
    assert "the tea was good" in body and "<script>alert" not in body and "running week" not in body
    press(client, chain.manager, "wall_screen", chain.store.code)
    ended = visitor.get(path)
    assert ended.status_code == 404 and "This screen has no wall." in ended.content.decode()
    newer = "/" + screen_address(WallScreen.objects.get()).split("/", 3)[3]
    assert visitor.get(newer).status_code == 200
    press(client, chain.manager, "wall_screen", chain.store.code, end="")
    assert visitor.get(newer).status_code == 404


def test_paper_and_screen_have_the_chains_logo_and_colours_and_the_smileys(client, chain, settings):
    settings.CHAIN_NAME = "Ladders and Sons"
    leave(chain, "They wrapped it so nicely", day=LAST_WEEK.sunday)
    answer(chain.touchpoint, 5, day=LAST_WEEK.sunday, times=5, headline_kind="smiley5")
    path = "/" + screen_address(make_screen(chain.store, by=chain.manager)).split("/", 3)[3]
    svg = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 10">'
    drawn = f'{svg}<rect width="40" height="10" fill="#0a5c4a"/></svg>'
    for logo in ("", drawn):
        with wearing(Look("Ladders and Sons", "#0a5c4a", "#f2b705", logo)):
            screen = Client().get(path).content.decode()
            paper = printed(wall_of(client, chain.manager, chain.store, str(LAST_WEEK), name="wall_pdf").content)
            theme = Client().get(reverse("theme")).content.decode()
        assert ("screen__logo" in screen, "Ladders and Sons" in paper) == (bool(logo), not logo)
        assert screen.count('class="smiley"') == 5 and "--second:#f2b705" in theme


def test_a_screen_of_a_closed_store_is_dark(chain):
    path = "/" + screen_address(make_screen(chain.store, by=chain.manager)).split("/", 3)[3]
    assert Client().get(path).status_code == 200
    type(chain.store).objects.filter(pk=chain.store.pk).update(retired_at=timezone.now())
    assert Client().get(path).status_code == 404


# --- on Monday --------------------------------------------------------------------------------------------------
MONDAY = date(2026, 3, 30)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("weekly", "closed_on", "zone", "expected"),
    [
        ({0: ("10:00", "20:00")}, [], "Europe/Berlin", datetime(2026, 3, 30, 8, tzinfo=UTC)),  # the clocks went forward
        ({0: ("10:00", "20:00")}, [], "America/New_York", datetime(2026, 3, 30, 14, tzinfo=UTC)),
        ({0: ("10:00", "20:00"), 1: ("09:00", "20:00")}, [0], "Europe/Berlin", datetime(2026, 3, 31, 7, tzinfo=UTC)),
        ({2: ("22:00", "04:00"), 6: ("22:00", "04:00")}, [], "Europe/Kyiv", datetime(2026, 4, 1, 19, tzinfo=UTC)),
        (dict.fromkeys(range(7), ("00:00", "00:00")), [], "Europe/Berlin", datetime(2026, 3, 30, 6, tzinfo=UTC)),
        ({}, [], "Europe/Berlin", datetime(2026, 3, 30, 6, tzinfo=UTC)),
        ({0: ("10:00", "20:00")}, [0], "Europe/Berlin", datetime(2026, 3, 30, 6, tzinfo=UTC)),
    ],
)
def test_when_a_wall_goes_out(weekly, closed_on, zone, expected):
    chain = Chain()
    store = make_store(node=chain.area, code="X1", name="X", time_zone=zone, hours=None)
    OpeningInterval.objects.filter(store=store).delete()
    for day, (opens, closes) in weekly.items():
        OpeningInterval.objects.create(
            store=store, weekday=day, opens=time.fromisoformat(opens), closes=time.fromisoformat(closes)
        )
    for day in closed_on:
        HoursException.objects.create(store=store, date=MONDAY + timedelta(days=day), opens=None, closes=None)
    assert opening_after(hours_of(store), Week(MONDAY) + -1) == expected


def make_due(chain: Chain, weeks_ago: int) -> WallRound:
    """The store's row as it stands when nothing has run since: the wall of the week so many before this one is next."""
    begin_rounds()
    WallRound.objects.exclude(store=chain.store).delete()
    week = Week.of(TODAY) + -weeks_ago
    WallRound.objects.update(monday=week.monday, run_at=timezone.now() - timedelta(minutes=1))
    return WallRound.objects.get()


@pytest.mark.parametrize("weeks_ago", [2, 4])
def test_every_wall_is_put_once_and_what_an_outage_missed_follows(chain, weeks_ago):
    make_due(chain, weeks_ago)
    taken = 0
    while send_due():
        taken += 1
    row = WallRound.objects.get()
    # The one of the week before this goes out only when this week's opening is past.
    assert taken in {weeks_ago - 1, weeks_ago}
    assert row.run_at and row.run_at > timezone.now()
    sent = [Week.of(TODAY) + -ago for ago in range(weeks_ago, weeks_ago - taken, -1)]
    assert row.monday == (sent[-1] + 1).monday
    keys = Message.objects.filter(kind=WALL).values_list("dedup_key", flat=True)
    people = (chain.manager, chain.deputy)
    assert sorted(keys) == sorted(f"wall:{chain.store.pk}:{week}:{one.pk}:email" for week in sent for one in people)


def test_what_no_server_takes_holds_up_the_other_walls_for_a_day_at_most(chain):
    make_due(chain, 2)
    stuck = [wall_rounds._message(chain.store, LAST_WEEK + -number, chain.manager) for number in range(5, 25)]
    put_all(stuck)
    assert send_due() == 0
    Message.objects.update(created_at=timezone.now() - timedelta(days=2))
    assert send_due() == 1


def test_a_worker_whose_lease_passed_on_puts_nothing(chain):
    make_due(chain, 2)
    (stale,) = claim(WallRound.objects.all(), limit=1, lease=LEASE)
    WallRound.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert send_due() == 1
    Message.objects.filter(kind=WALL).delete()
    wall_rounds._send(stale)
    assert not Message.objects.filter(kind=WALL).exists()


def test_a_store_whose_hours_were_changed_waits_for_its_new_opening(chain):
    make_due(chain, 0)
    assert send_due() == 1
    waits_until = WallRound.objects.get().run_at
    assert waits_until and waits_until > timezone.now()
    assert not Message.objects.filter(kind=WALL).exists()


def test_the_wall_comes_by_mail_with_its_pdf_in_the_readers_language(chain, settings):
    leave(chain, "They wrapped it so nicely", day=LAST_WEEK.monday)
    User.objects.filter(pk=chain.manager.pk).update(language="de")
    drain(["facts"])
    put_all([wall_rounds._message(chain.store, LAST_WEEK, reader) for reader in (chain.manager, chain.deputy)])
    # Mail was away for weeks.
    Message.objects.update(
        created_at=F("created_at") - timedelta(weeks=5), expires_at=F("expires_at") - timedelta(weeks=5)
    )
    with Catcher() as catcher:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", catcher.smtp_port
        drain(["alerts"])
        sent = {one.recipient: one for one in catcher.messages}
    assert set(sent) == {chain.manager.email, chain.deputy.email}
    assert f"Woche {LAST_WEEK.number}" in sent[chain.manager.email].subject
    assert "They wrapped it so nicely" in sent[chain.deputy.email].text


def test_a_week_without_answers_sends_nothing_nor_does_one_to_who_lost_the_store(chain):
    put_all([wall_rounds._message(chain.store, LAST_WEEK, chain.manager)])
    message = Message.objects.get(kind=WALL)
    assert wall_rounds.render_wall(message) is None
    leave(chain, "They wrapped it so nicely", day=LAST_WEEK.monday)
    drain(["facts"])
    rendered = wall_rounds.render_wall(message)
    assert rendered
    (attached,) = rendered.attachments
    assert attached.content_type == "application/pdf" and "wrapped it so nicely" in printed(attached.content)
    # While mail was away, the manager went to another store; who reads it from above still does.
    RoleAssignment.objects.filter(user=chain.manager).update(store=chain.foreign)
    assert wall_rounds.render_wall(Message.objects.get(pk=message.pk)) is None
    message.user = chain.area_manager
    assert wall_rounds.render_wall(message)
