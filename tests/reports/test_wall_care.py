"""Where head office asks for it, words hang only once somebody has looked through them."""

from django.test import Client
from django.utils import timezone

from alerts.choices import CaseState
from alerts.models import CaseEntry
from messaging.models import Message
from messaging.outbox import put_all
from reports import wall_rounds
from reports.actions import begin, end
from reports.models import ActionState, HideReason, WallCare
from reports.periods import Week
from reports.wall import build_wall, things_waiting
from reports.wall_actions import approve_wall, begin_care, end_care, hide_words, make_screen, screen_address
from sentiment.labels import TOPIC_LABELS
from sentiment.models import Sentiment
from stores.choices import Role
from stores.history import entries
from stores.models import ConfigChange, RoleAssignment
from tests.factories import make_user
from tests.reports.makers import make_case
from tests.reports.test_wall import TODAY, leave, printed, wall_of
from tests.reports.test_wall_people import LAST_WEEK, press

PAGE = "/setup/walls/"


def shown_everywhere(client: Client, chain) -> list[str]:
    """The screen's page, the paper as printed and the mail's two bodies with what is attached."""
    path = "/" + screen_address(make_screen(chain.store, by=chain.manager)).split("/", 3)[3]
    paper = printed(wall_of(client, chain.manager, chain.store, str(LAST_WEEK), name="wall_pdf").content)
    Message.objects.all().delete()
    put_all([wall_rounds._message(chain.store, LAST_WEEK, chain.manager)])
    rendered = wall_rounds.render_wall(Message.objects.get())
    assert rendered
    mailed = [rendered.text, rendered.html, printed(rendered.attachments[0].content)]
    return [Client().get(path).content.decode(), paper, *mailed]


def approve(client: Client, chain) -> None:
    seen = build_wall(chain.store, LAST_WEEK).fingerprint
    press(client, chain.manager, "wall_approve", chain.store.code, str(LAST_WEEK), seen=seen)


def test_words_wait_on_screens_on_paper_and_in_mail_until_somebody_has_seen_them(client, chain):
    leave(chain, "They wrapped it so nicely", day=LAST_WEEK.monday)
    for place in shown_everywhere(client, chain):
        assert "wrapped it so nicely" in place
    begin_care(chain.root, by=chain.head_office)
    for place in shown_everywhere(client, chain):
        assert "wrapped it so nicely" not in place
    page = wall_of(client, chain.manager, chain.store, str(LAST_WEEK)).content.decode()
    assert "wrapped it so nicely" in page and "Until then none of these words is on a screen or on paper" in page
    screen, paper, text, html, attached = shown_everywhere(client, chain)
    assert "чекає, доки хтось це перегляне" in screen  # in the store's language
    assert "waits until somebody has looked through it" in paper and paper == attached
    assert "1 thing waits" in text and "1 thing waits" in html and "ready to print" not in text + html
    glance = f"/reports/store/{chain.store.code}/"
    assert "1 thing on the wall of last week waits" in client.get(glance).content.decode()
    approve(client, chain)
    assert "on the wall of last week" not in client.get(glance).content.decode()
    for place in shown_everywhere(client, chain):
        assert "wrapped it so nicely" in place and "wait" not in place and "чекає" not in place
    # What came later waits; what was seen hangs on.
    leave(chain, "Ask for the one with the red hair", day=LAST_WEEK.sunday)
    for place in shown_everywhere(client, chain):
        assert "wrapped it so nicely" in place and "red hair" not in place
    page = wall_of(client, chain.manager, chain.store, str(LAST_WEEK)).content.decode()
    assert page.count("new since somebody looked through it") == 1
    assert "red hair" in page and "Until then 1 thing of it is on no screen and on no paper" in page
    assert "1 more waits until somebody has looked through it" in shown_everywhere(client, chain)[1]


def test_lessons_and_what_was_done_wait_too(chain):
    leave(chain, "The queue took an hour and nobody said why", sentiment=Sentiment.NEGATIVE)
    action = begin(chain.store, by=chain.manager, topic=next(iter(TOPIC_LABELS))).action
    end(action.pk, ActionState.DONE, by=chain.manager, text="We opened a second till")
    begin_care(chain.area, by=chain.head_office)
    wall = build_wall(chain.store, Week.of(TODAY))
    hung = build_wall(chain.store, Week.of(TODAY), as_hung=True)
    assert len(things_waiting(chain.store, Week.of(TODAY))) == 2
    assert things_waiting(chain.foreign, Week.of(TODAY)) == []
    assert wall.lessons and wall.done and hung.empty and hung.waiting == 2
    assert (hung.responses, hung.figures) == (wall.responses, wall.figures)
    # What was approved hangs, also where two did the same.
    for words in ("We opened a second till", "New signs"):
        more = begin(chain.area, by=chain.head_office, topic=list(TOPIC_LABELS)[len(words) % 7]).action
        end(more.pk, ActionState.DONE, by=chain.head_office, text=words)
    for number in range(4):
        case = make_case(leave(chain, f"Too slow {number}"), state=CaseState.RESOLVED, resolved_at=timezone.now())
        CaseEntry.objects.create(case=case, kind="action", text=f"Called {number}", author=chain.manager)
    approve_wall(build_wall(chain.store, Week.of(TODAY)), by=chain.manager)
    page, hung = (build_wall(chain.store, Week.of(TODAY), as_hung=one) for one in (False, True))
    assert [one.did for one in hung.done] == [one.did for one in page.done] and len(page.done) == 4
    # Nowhere else.
    assert not build_wall(chain.foreign, LAST_WEEK).careful


def test_what_was_seen_hangs_on_though_newer_words_tell_more(client, chain):
    def hung() -> set[str]:
        return {one.text for one in build_wall(chain.store, LAST_WEEK, as_hung=True).lessons}

    begin_care(chain.root, by=chain.head_office)
    first = {f"The lift was out again, number {number}" for number in range(3)}
    for words in first:
        leave(chain, words, sentiment=Sentiment.NEGATIVE, day=LAST_WEEK.monday)
    approve(client, chain)
    assert hung() == first
    longer = "The queue at the tills went round two aisles and nobody came to open another one, on a Saturday too"
    later = [
        leave(chain, f"{longer} {number}", sentiment=Sentiment.NEGATIVE, day=LAST_WEEK.sunday) for number in range(3)
    ]
    wall = build_wall(chain.store, LAST_WEEK)
    assert not {one.text for one in wall.lessons} & first
    assert hung() == first and build_wall(chain.store, LAST_WEEK, as_hung=True).waiting == 3
    approve(client, chain)
    assert not hung() & first
    # Who has seen them need not look again once those are gone.
    for response in later:
        hide_words(response.verbatims.get(), reason=HideReason.OFFENDS, by=chain.manager)
    assert hung() == first and build_wall(chain.store, LAST_WEEK).looked_through


def test_who_lets_words_hang_after_all_is_told_whether_they_do(client, chain):
    begin_care(chain.root, by=chain.head_office)
    first = leave(chain, "They wrapped it so nicely", day=LAST_WEEK.monday).verbatims.get()
    approve(client, chain)
    later = leave(chain, "Ask for the one with the red hair", day=LAST_WEEK.sunday).verbatims.get()
    for verbatim, told in (
        (first, "These words may hang again."),
        (later, "may hang again, once you let the wall hang"),
    ):
        hide_words(verbatim, reason=HideReason.OFFENDS, by=chain.manager)
        press(client, chain.manager, "wall_show", chain.store.code, str(LAST_WEEK), verbatim.pk)
        assert told in wall_of(client, chain.manager, chain.store, str(LAST_WEEK)).content.decode()


def test_head_office_says_where(client, chain):
    client.force_login(chain.head_office)
    assert "Nowhere: words hang at once." in client.get(PAGE).content.decode()
    for _twice in range(2):
        assert client.post(PAGE, {"node": chain.area.pk}).status_code == 302
    assert WallCare.objects.get().node == chain.area
    assert 'name="end"' in client.get(PAGE).content.decode()
    # Who leads one region says nothing of another, and is told what holds from above.
    leads = make_user(email="leads@example.com", role=Role.HEAD_OFFICE, node=chain.other_area)
    RoleAssignment.objects.create(user=leads, role=Role.AREA_MANAGER, node=chain.area)
    begin_care(chain.root, by=chain.head_office)
    client.force_login(leads)
    assert client.post(PAGE, {"node": chain.area.pk, "end": ""}).status_code == 404
    page = client.get(PAGE).content.decode()
    assert f'<b dir="auto">{chain.root.name}</b>' in page and 'name="end"' not in page
    assert f'value="{chain.area.pk}"' not in page and f'value="{chain.other_area.pk}"' in page
    end_care(chain.root, by=chain.head_office)
    client.force_login(chain.head_office)
    for wrong in ("", "999999", "x"):
        assert client.post(PAGE, {"node": wrong}).status_code == 404
    client.post(PAGE, {"node": chain.area.pk, "end": ""})
    assert not WallCare.objects.exists()
    told = entries(ConfigChange.objects.filter(node=chain.area, what="wall_care").order_by("pk"))
    assert [(one.change.actor, one.differences[0].old, one.differences[0].new) for one in told] == [
        (chain.head_office, "–", "only once somebody has looked through them"),
        (chain.head_office, "only once somebody has looked through them", "–"),
    ]
    for other in (chain.manager, chain.area_manager, chain.operator):
        client.force_login(other)
        assert client.post(PAGE, {"node": chain.area.pk}).status_code == 403
