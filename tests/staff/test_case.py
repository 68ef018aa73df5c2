"""The page of a case: what it shows, and every action as the plain form that it is."""

import re
from html import unescape
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.utils import timezone

from alerts import actions
from alerts.choices import CaseState, EntryKind, EventKind
from alerts.models import Case, RootCause, Verification
from alerts.work import follow_verifications
from core.leases import ClockNow
from messaging.choices import Channel
from messaging.models import Message
from sentiment.models import Analysis
from surveys.choices import ContactWish
from tests.factories import Chain, make_touchpoint, new_form_id
from tests.sentiment_queue.test_similar import like
from tests.sentiment_queue.test_similar import said as said_before
from tests.staff.cases import HTMX, make_case


def address(case: Case) -> str:
    return f"/cases/{case.pk}/"


def read(client: Client, case: Case) -> str:
    answer = client.get(address(case))
    assert answer.status_code == 200
    return answer.content.decode()


def form_id_on(html: str, action: str) -> str:
    """The id that our server minted into the form of an action."""
    part = html[html.index(f'name="action" value="{action}"') :]
    found = re.search(r'name="form_id" value="([0-9a-f-]{36})"', part)
    assert found
    return found[1]


def send(client: Client, case: Case, action: str, *, html: str = "", **data: Any) -> Any:
    """Send a form as the page has it."""
    form_id = form_id_on(html or read(client, case), action)
    return client.post(address(case), {"action": action, "form_id": form_id, **data})


def said(client: Client, answer: Any) -> str:
    """What the next page confirms, after the redirect."""
    assert answer.status_code == 303, answer.content.decode()
    html = client.get(answer["Location"]).content.decode()
    found = re.search(r'<div role="status">\s*<p class="notice">(.*?)</p>', html)
    assert found
    return found[1]


def test_acknowledging_is_one_tap(manager: Client, chain: Chain) -> None:
    case = make_case(chain.touchpoint)
    assert "You are on it" in said(manager, send(manager, case, "acknowledge"))
    case.refresh_from_db()
    assert case.state == CaseState.ACKNOWLEDGED
    assert case.events.filter(kind=EventKind.ACKNOWLEDGED, actor=chain.manager).count() == 1
    assert 'value="acknowledge"' not in read(manager, case)


def test_a_call_in_vain_and_a_call_that_reached(manager: Client, chain: Chain) -> None:
    case = make_case(chain.touchpoint, wish=ContactWish.CALL)
    tried = send(manager, case, "contact", channel="call", reached="no", note="Engaged.")
    assert "you tried" in said(manager, tried)
    case.refresh_from_db()
    assert case.attempted_at and not case.contacted_at
    assert "Engaged." in read(manager, case)
    assert "reached" in said(manager, send(manager, case, "contact", channel="call", reached="yes", note=""))
    case.refresh_from_db()
    assert case.state == CaseState.CONTACTED and case.contacted_at


def test_the_whole_way_to_resolved(manager: Client, chain: Chain) -> None:
    case = make_case(chain.touchpoint, wish=ContactWish.EMAIL)
    cause = RootCause.objects.all()[0]
    assert "Answered" in said(manager, send(manager, case, "answer", text="I am sorry. Please ask for me."))
    entry = case.entries.get(kind=EntryKind.ANSWER)
    assert entry.text == "I am sorry. Please ask for me." and entry.author == chain.manager
    assert Message.objects.filter(kind__contains="answer", contact=case.response.contact).count() == 1
    assert "Resolved" in said(
        manager, send(manager, case, "resolve", outcome="put_right", root_cause=cause.pk, text="Showed the team.")
    )
    case.refresh_from_db()
    assert case.state == CaseState.RESOLVED and case.root_cause == cause
    html = read(manager, case)
    assert str(cause) in html and "Showed the team." in html and 'value="resolve"' not in html


def test_a_refusal_says_why_and_keeps_what_was_typed(manager: Client, chain: Chain) -> None:
    case = make_case(chain.touchpoint)
    cause = RootCause.objects.all()[1]
    html = read(manager, case)
    for headers in (None, HTMX):
        answer = manager.post(
            address(case),
            {
                "action": "resolve",
                "form_id": form_id_on(html, "resolve"),
                "outcome": "put_right",
                "root_cause": cause.pk,
                "text": "I mopped <b>it</b>",
            },
            headers=headers,
        )
        assert answer.status_code == 422
        page = answer.content.decode()
        assert "Please contact the shopper first" in page and 'role="alert"' in page
        assert "I mopped &lt;b&gt;it&lt;/b&gt;</textarea>" in page
        assert f'value="{cause.pk}" selected' in page
        assert form_id_on(page, "resolve") == form_id_on(html, "resolve")
        assert ("<html" in page) is (headers is None)
    case.refresh_from_db()
    assert case.state == CaseState.OPEN


@pytest.mark.parametrize(
    ("action", "data", "missing"),
    [
        ("answer", {"text": "  "}, "answer-text"),
        ("note", {"text": ""}, "note-text"),
        ("note", {"text": "Typed already" + "y" * 4000}, "note-text"),
        ("resolve", {"text": "Typed already", "root_cause": ""}, "resolve-root_cause"),
        ("contact", {"channel": "sms", "reached": "yes", "note": "Typed already"}, "contact-channel"),
        ("contact", {"channel": "call", "note": "Typed already"}, ""),
    ],
)
def test_an_incomplete_form_comes_back(
    manager: Client, chain: Chain, action: str, data: dict[str, str], missing: str
) -> None:
    case = make_case(chain.touchpoint, wish=ContactWish.EMAIL if action == "answer" else ContactWish.CALL)
    answer = send(manager, case, action, **data)
    assert answer.status_code == 422
    page = answer.content.decode()
    assert not missing or f'id="{missing}_error"' in page
    if typed := next((one for one in data.values() if one.startswith("Typed already")), ""):
        assert f"{typed}</textarea>" in page
    assert not re.search(r"<textarea[^>]* maxlength", page), "what is pasted would be cut in silence"
    assert not case.entries.exists() and case.events.filter(actor__isnull=False).count() == 0


def test_the_same_form_twice_counts_once(manager: Client, chain: Chain) -> None:
    case = make_case(chain.touchpoint)
    html = read(manager, case)
    for _tap in range(2):
        said(manager, send(manager, case, "note", html=html, text="Only once"))
    assert case.entries.count() == 1


def test_of_two_who_resolve_the_second_is_told_and_keeps_the_words(manager: Client, chain: Chain) -> None:
    case = make_case(chain.touchpoint)
    send(manager, case, "contact", channel="call", reached="no")
    html, cause = read(manager, case), RootCause.objects.order_by("pk").first()
    assert cause
    first = send(
        manager, case, "resolve", html=html, outcome="put_right", root_cause=cause.pk, text="Called the supplier."
    )
    assert first.status_code == 303
    form_id = str(new_form_id())
    data = {"action": "resolve", "form_id": form_id, "outcome": "made_up", "root_cause": cause.pk}
    data |= {"text": "Sent a voucher."}
    for headers in ({}, HTMX):
        second = manager.post(address(case), data, headers=headers)
        page = second.content.decode()
        assert second.status_code == 422 and "Sent a voucher." in page
        assert re.search(r'role="alert"[^>]*>\s*<p>.+</p>', page)


def test_htmx_gets_the_case_and_the_confirmation(manager: Client, chain: Chain) -> None:
    case = make_case(chain.touchpoint)
    data = {"action": "acknowledge", "form_id": form_id_on(read(manager, case), "acknowledge")}
    answer = manager.post(address(case), data, headers=HTMX)
    page = answer.content.decode()
    assert answer.status_code == 200 and "<html" not in page
    assert re.search(r'hx-swap-oob="innerHTML:#said"><p class="notice">You are on it', page)
    assert '<article class="case" id="case"' in page


def test_a_change_by_somebody_else_is_told_and_nothing_replaced(manager: Client, chain: Chain) -> None:
    case = make_case(chain.touchpoint)
    found = re.search(r'hx-get="(/cases/[^"]+version=\d+)"', read(manager, case))
    assert found
    assert manager.get(found[1], headers=HTMX).status_code == 204
    actions.acknowledge(case.pk, actor=chain.deputy)
    answer = manager.get(found[1], headers=HTMX)
    assert answer.status_code == 200
    assert answer.content.decode().strip().startswith('<p class="notice" role="status">')


@pytest.mark.parametrize(
    ("wish", "link", "others"),
    [
        (ContactWish.CALL, 'href="tel:+380501112233"', ("sms:", "mailto:")),
        (ContactWish.TEXT, 'href="sms:+380501112233"', ("tel:", "mailto:")),
        (ContactWish.EMAIL, 'href="mailto:shopper@example.org"', ("tel:", "sms:")),
    ],
)
def test_only_the_way_that_the_shopper_chose(
    manager: Client, chain: Chain, wish: ContactWish, link: str, others: tuple[str, ...]
) -> None:
    value = "shopper@example.org" if wish == ContactWish.EMAIL else "+380501112233"
    html = read(manager, make_case(chain.touchpoint, wish=wish, value=value))
    assert link in html
    assert not any(f'href="{other}' in html for other in others)


def test_without_a_wish_the_cause_is_fixed_instead(manager: Client, chain: Chain) -> None:
    case = make_case(chain.touchpoint, wish=ContactWish.NONE)
    html = read(manager, case)
    assert "Fix the cause" in html and 'value="contact"' not in html
    assert "Noted what was done" in said(manager, send(manager, case, "fix", text="Second till opened."))
    case.refresh_from_db()
    assert case.fixed_at
    assert "Resolved" in said(
        manager, send(manager, case, "resolve", outcome="put_right", root_cause=RootCause.objects.all()[0].pk, text="")
    )


WAITS = "No message can go out; the question waits on the shopper's private page."


def test_where_no_message_can_go_out_nobody_is_said_to_be_asked(manager: Client, chain: Chain) -> None:
    case, cause = make_case(chain.touchpoint, wish=ContactWish.NONE), RootCause.objects.all()[0]
    html = read(manager, case)
    assert WAITS in html and "the shopper is asked" not in html
    confirmed = said(
        manager, send(manager, case, "resolve", outcome="put_right", root_cause=cause.pk, text="Second till opened.")
    )
    assert WAITS in unescape(confirmed)
    for _time in range(2):
        html = read(manager, case)
        assert WAITS in html and "asked, no word yet" not in html and "will be asked" not in html
        # When it would be time to ask, there is nobody to ask.
        Verification.objects.update(run_at=ClockNow())
        if Verification.objects.filter(asked_at=None).exists():
            follow_verifications()
    actions.confirm(case.response_id, contacted=None, solved=True)
    assert "<dd>not asked</dd>" in read(manager, case)


def test_a_shopper_who_was_asked_is_said_to_be_asked(manager: Client, chain: Chain) -> None:
    case, cause = make_case(chain.touchpoint, wish=ContactWish.EMAIL), RootCause.objects.all()[0]
    send(manager, case, "answer", text="I am sorry.")
    assert "will be asked" in said(
        manager, send(manager, case, "resolve", outcome="put_right", root_cause=cause.pk, text="")
    )
    assert "<dd>will be asked</dd>" in read(manager, case)
    Verification.objects.update(run_at=ClockNow())
    follow_verifications()
    assert "asked, no word yet" in read(manager, case)
    actions.withdraw_permission(case.response_id)
    assert "asked, no word yet" in read(manager, case)


def test_whoever_is_still_in_the_store_can_be_met(manager: Client, chain: Chain) -> None:
    case = make_case(chain.touchpoint, wish=ContactWish.NONE, still_here=True)
    said(manager, send(manager, case, "contact", channel="person", reached="yes", note=""))
    case.refresh_from_db()
    assert case.state == CaseState.CONTACTED


def test_an_erased_shopper_leaves_neither_words_nor_address(manager: Client, chain: Chain) -> None:
    case = make_case(chain.touchpoint, words="My secret words", value="+380501112233")
    assert "+380 50 111 2233" in read(manager, case)
    actions.erase(case.response_id)
    html = read(manager, case)
    assert "My secret words" not in html and "1112233" not in html and "111 2233" not in html
    assert "The shopper has deleted their words." in html


def test_a_withdrawn_permission_takes_the_address_away(manager: Client, chain: Chain) -> None:
    case = make_case(chain.touchpoint, value="+380501112233")
    actions.withdraw_permission(case.response_id)
    html = read(manager, case)
    assert "1112233" not in html and "Fix the cause" in html


def test_the_conversation_and_the_history(manager: Client, chain: Chain) -> None:
    case = make_case(chain.touchpoint, wish=ContactWish.EMAIL)
    actions.answer_shopper(case.pk, actor=chain.manager, text="Our answer", form_id=new_form_id())
    actions.shopper_reply(case.response_id, text="<i>Their reply</i>", form_id=new_form_id())
    actions.add_note(case.pk, actor=chain.deputy, text="Between us", form_id=new_form_id())
    html = read(manager, case)
    talk = html[html.index('class="talk"') : html.index("</ol>")]
    assert "Our answer" in talk and "&lt;i&gt;Their reply&lt;/i&gt;" in talk and "Between us" not in talk
    history = html[html.index('class="history"') :]
    kinds = re.findall(r'data-kind="(\w+)"', history)
    assert kinds == list(case.events.values_list("kind", flat=True))
    assert "Between us" in history and "Internal note" in history and "Deputy" in history
    local = case.opened_at.astimezone(ZoneInfo("Europe/Kyiv"))
    assert f"{local:%a %H:%M}" in history


def test_of_a_long_conversation_the_latest_stands_open(manager: Client, chain: Chain) -> None:
    case = make_case(chain.touchpoint, wish=ContactWish.EMAIL)

    def write(number: int) -> None:
        actions.shopper_reply(case.response_id, text=f"Word {number}.", form_id=uuid4(), channel=Channel.SMS)

    for number in range(8):
        write(number)
    assert "earlier-on" not in read(manager, case).split('id="history-title"')[0]
    write(8)
    html = read(manager, case)
    folded = html[html.index("Earlier messages") : html.index("</details>", html.index("Earlier messages"))]
    assert ">3</span>" in folded and "Word 2." in folded and "Word 3." not in folded
    assert "Word 3." in html and "Word 8." in html and "Shopper, by text message" in html
    # What happened is all there, too, in its order.
    kinds = re.findall(r'data-kind="(\w+)"', html[html.index('id="history-title"') :])
    assert kinds == list(case.events.values_list("kind", flat=True))


def test_what_was_understood_stands_beside_the_words(manager: Client, chain: Chain) -> None:
    case = make_case(chain.touchpoint)
    html = read(manager, case)
    assert 'class="reading"' not in html
    Analysis.objects.update_or_create(
        verbatim=case.response.verbatims.get(),
        defaults={
            "run_at": None,
            "analysed_at": timezone.now(),
            "sentiment": "negative",
            "topics": [{"topic": "waiting", "sentiment": "negative"}],
            "urgency": ["safety"],
        },
    )
    html = read(manager, case)
    assert "Waiting" in html and "Safety" in html and "negative" in html


def test_similar_comments_are_those_that_the_reader_may_see(client: Client, chain: Chain) -> None:
    case = make_case(chain.touchpoint)
    own = said_before(make_touchpoint(store=chain.store), like(0.97), "No <i>help</i> from anybody")
    neighbours = said_before(make_touchpoint(store=chain.neighbour), like(0.96), "Left alone next door")
    # Of a store that neither reader sees; what the case is about is the very same.
    same = said_before(chain.foreign_touchpoint, like(1), "Far away")
    columns = {"embedding": same.analysis.embedding, "model_version": "m1", "confident": True}
    Analysis.objects.filter(verbatim__response=case.response).update(analysed_at=ClockNow(), **columns)
    for reader, shown in ((chain.manager, [own]), (chain.area_manager, [own, neighbours])):
        client.force_login(reader)
        html = read(client, case)
        assert html.count('id="similar-title"') == 1
        assert re.findall(r'href="/verbatims/(\d+)/"><time', html) == [str(one.pk) for one in shown]
        assert "No &lt;i&gt;help&lt;/i&gt;" in html
    Analysis.objects.filter(verbatim=own).update(embedding=b"")
    client.force_login(chain.manager)
    assert 'id="similar-title"' not in read(client, case)


def test_strangers_find_nothing_and_change_nothing(client: Client, chain: Chain) -> None:
    case = make_case(chain.foreign_touchpoint)
    client.force_login(chain.manager)
    assert client.get(address(case)).status_code == 404
    answer = client.post(address(case), {"action": "acknowledge", "form_id": str(uuid4())})
    assert answer.status_code == 404
    client.force_login(chain.operator)
    assert client.post(address(case), {"action": "acknowledge", "form_id": str(uuid4())}).status_code == 403
    case.refresh_from_db()
    assert case.state == CaseState.OPEN
    assert client.get(f"/cases/{UUID(int=0)}/").status_code == 403


def test_an_action_that_is_none(manager: Client, chain: Chain) -> None:
    case = make_case(chain.touchpoint)
    assert manager.post(address(case), {"action": "explode"}).status_code == 400


def test_the_number_of_queries_is_bounded(manager: Client, chain: Chain, django_assert_max_num_queries: Any) -> None:
    case = make_case(chain.touchpoint)
    for number in range(20):
        actions.add_note(case.pk, actor=chain.manager, text=f"Note {number}", form_id=new_form_id())
    with django_assert_max_num_queries(22):
        read(manager, case)
