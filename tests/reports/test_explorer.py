"""The explorer: what is found by which words in which language, by which filter, for whom, and page by page."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from alerts.models import Case, RootCause, Rule, Verification
from core.models import JobState
from core.personal import erase_response
from core.work import drain
from reports.models import ExplorerRow
from sentiment.actions import correct
from sentiment.models import Analysis, Sentiment
from stores.choices import TouchpointKind
from surveys.choices import QuestionKind, ResponseChannel
from surveys.models import Response, Verbatim
from surveys.signals import response_saved
from tests.factories import PASSWORD, Chain, make_response
from tests.reports.makers import answer, make_analysis, make_case
from tests.reports.test_files import TODAY, ask, table

pytestmark = pytest.mark.django_db


def say(
    chain: Chain, words: str, *, score: int | None = 9, foreign: bool = False, read: Any = True, **more: Any
) -> int:
    """A shopper's words, read and counted; the verbatim's id."""
    touchpoint = chain.foreign_touchpoint if foreign else chain.touchpoint
    response = make_response(touchpoint=touchpoint, score=score, words=words, **more)
    with transaction.atomic():
        response_saved.send(sender=Response, response=response, corrected=False)
    verbatim = response.verbatims.get()
    if read:
        make_analysis(verbatim, sentiment=Sentiment.POSITIVE)
        if isinstance(read, dict):
            Analysis.objects.filter(pk=verbatim.pk).update(**read)
    return verbatim.pk


def found(client: Client, query: str = "") -> set[int]:
    drain(["facts"])
    page = client.get(f"/verbatims/?{query}")
    assert page.status_code == 200
    return {verbatim.pk for verbatim in page.context["found"].verbatims}


@pytest.fixture
def manager(client: Client, chain: Chain) -> Client:
    Rule.objects.update(active=True)
    client.force_login(chain.manager)
    return client


@pytest.mark.parametrize(
    ("words", "q"),
    [
        ("Rude STAFF, never again.", "staff rude"),
        ("An der Kasse eine endlose Warteschlange!", "schlange"),
        ("Ich war sehr enttäuscht, schließlich", "ENTTAUSCHT schliesslich"),
        ("Черга була довга, а продавчиня чемна.", "черг ПРОДАВЧИН"),
        ("Всё хорошо", "все"),
        ("كانت الخِدْمَةُ سيئة جداً", "خدمه"),
        ("والموظفون لم يساعدونا", "موظفون"),
        ("Très déçue par l’accueil", "decue accueil"),
        ("Zażółć gęślą jaźń", "zazolc gesla"),
        ("服务态度很差，不会再来", "态度"),
        ("They were 100% rude", "100% rude"),
        ("They were 100% rude", "%"),
        ("Вхід 🤮🤬", "🤮"),
        ("Never again!!", "!!"),
        ("a_b and c", "b"),
        ("I waited forty minutes", '"waited forty"'),
        ("Ich war enttaeuscht, schoen war es nicht", "enttäuscht schön"),
        ("Ich war enttäuscht", "enttaeuscht"),
        ("Стояли в черзі цілу годину", "черга"),
        ("Магазинів із чемним персоналом мало", "чемний магазин"),
        ("П’ять хвилин без продавчині", "пʼять продавчинею"),
        ("خدمة ممتازة وسعر جيد", "الخدمة بالسعر"),
    ],
)
def test_words_are_found_in_every_language(chain: Chain, manager: Client, words: str, q: str) -> None:
    pk = say(chain, words)
    say(chain, "Something else entirely")
    drain(["facts"])
    assert {v.pk for v in manager.get("/verbatims/", {"q": q}).context["found"].verbatims} == {pk}


@pytest.mark.parametrize("q", ["ring", '"forty waited"', '"waited fort"', "nowhere waited", "%", "_", "' OR 1=1 --"])
def test_what_was_not_said_is_not_found(chain: Chain, manager: Client, q: str) -> None:
    say(chain, "I waited forty minutes during the sale")
    drain(["facts"])
    shown = manager.get("/verbatims/", {"q": q}).context["found"].verbatims
    assert shown == []


def test_each_filter_leaves_what_it_says(chain: Chain, manager: Client) -> None:
    plain = say(chain, "A plain one", read={"sentiment": "neutral"}, score=8)
    german = say(chain, "Auf Deutsch gesagt", read={"language": "de"})
    angry = say(
        chain,
        "The guard hit my son",
        score=2,
        channel=ResponseChannel.CALL,
        read={"sentiment": "negative", "topics": [{"topic": "staff", "sentiment": "negative"}], "urgency": ["safety"]},
    )
    smiley = say(chain, "Kind people", headline_kind=QuestionKind.SMILEY5, score=5)
    unsure = say(chain, "Hm hm hm", score=None, read={"confident": False})
    everything = {plain, german, angry, smiley, unsure}
    assert found(manager) == everything
    assert found(manager, "band=unhappy") == {angry}
    assert found(manager, "band=happy") == {german, smiley}
    assert found(manager, "band=middle") == {plain}
    assert found(manager, "band=none") == {unsure}
    assert found(manager, "sentiment=neutral") == {plain}
    assert found(manager, "question=nps") == {plain, german, angry} and found(manager, "question=smiley5") == {smiley}
    assert found(manager, "language=de") == {german}
    assert found(manager, "channel=call") == {angry}
    assert found(manager, "topic=staff") == found(manager, "urgency=any") == found(manager, "urgency=safety") == {angry}
    assert found(manager, "urgency=fraud") == set()
    assert found(manager, "unsure=1") == {unsure}
    assert found(manager, "case=yes") == {angry}
    assert found(manager, "case=no") == everything - {angry}
    assert found(manager, "case=todo") == {angry} and found(manager, "case=resolved") == set()
    cause = RootCause.objects.create(name="Long wait")
    Case.objects.filter(response__verbatims=angry).update(root_cause=cause)
    assert found(manager, f"cause={cause.pk}") == {angry} and found(manager, f"cause={cause.pk}&case=no") == set()
    kind = chain.touchpoint.kind
    assert found(manager, f"code={kind}") == everything and found(manager, "code=x") == everything
    assert found(manager, f"code={next(one for one in TouchpointKind.values if one != kind)}") == set()
    Response.objects.filter(verbatims=plain).update(flags=["many"])
    Response.objects.filter(verbatims=german).update(flags=["trap"])
    assert found(manager, "question=nps") == {plain, angry} and found(manager, "question=nps&mark=trap") == {german}
    assert found(manager, "mark=many") == {plain} and found(manager, "mark=staff") == everything
    assert found(manager, "topic=staff&sentiment=negative&q=guard") == {angry}
    assert found(manager, "band=nonsense&topic=x&weeks=7&until=soon&before=never&cause=0&case=x") == everything


def test_a_persons_correction_moves_words_at_once(chain: Chain, manager: Client) -> None:
    pk = say(chain, "Well done, really well done.")
    assert found(manager, "corrected=1") == set()
    correct(pk, chain.manager, field="sentiment", value="negative")
    assert found(manager, "corrected=1") == found(manager, "sentiment=negative") == {pk}
    assert found(manager, "sentiment=positive") == set()


def test_words_are_corrected_in_the_list_by_who_may_read_them(chain: Chain, manager: Client) -> None:
    own, foreign = say(chain, "Well done, really."), say(chain, "Well done, really.", foreign=True)
    found(manager)
    link = f"/verbatims/{own}/reading/"
    assert f'hx-get="{link}"' in manager.get("/verbatims/").content.decode()
    assert manager.get(link)["Location"] == f"/verbatims/{own}/"
    htmx = {"HX-Request": "true", "HX-Current-URL": "http://testserver/verbatims/?q=well"}
    panel = manager.get(link, headers=htmx).content.decode()
    assert f'action="/readings/{own}/correct/"' in panel and 'value="/verbatims/?q=well"' in panel
    evil = manager.get(link, headers=htmx | {"HX-Current-URL": "https://evil.example/"}).content.decode()
    assert "evil" not in evil
    assert manager.get(f"/verbatims/{foreign}/reading/", headers=htmx).status_code == 404
    back = manager.post(f"/readings/{own}/correct/", {"say": "sentiment//negative", "next": "/verbatims/?q=well"})
    assert back["Location"] == "/verbatims/?q=well"
    assert found(manager, "sentiment=negative") == {own}
    # The labels beside the words follow what was said of them.
    labels = f"/verbatims/{own}/labels/"
    row = f'hx-get="{labels}" hx-trigger="corrected-{own} from:body"'
    assert row in manager.get("/verbatims/").content.decode()
    said = manager.post(f"/readings/{own}/correct/", {"say": "sentiment//neutral"}, headers=htmx)
    assert said["HX-Trigger"] == f"corrected-{own}"
    assert 'data-tone="neutral"' in manager.get(labels, headers=htmx).content.decode()
    assert manager.get(labels)["Location"] == f"/verbatims/{own}/"
    assert manager.get(f"/verbatims/{foreign}/labels/", headers=htmx).status_code == 404


def test_a_shared_link_opens_after_the_sign_in_and_tells_a_stranger_nothing(chain: Chain, client: Client) -> None:
    pk = say(chain, "Only ours")
    link = f"/verbatims/{pk}/"
    way_in = client.get(link)["Location"]
    signed_in = client.post(way_in, {"login": chain.manager.email, "password": PASSWORD})
    assert signed_in["Location"] == link
    client.logout()
    client.force_login(chain.foreign_manager)
    there, nowhere = client.get(link), client.get("/verbatims/999999/")
    assert there.status_code == nowhere.status_code == 404
    for page in (there.content.decode(), nowhere.content.decode()):
        assert "a store that is not yours" in page and "Kyiv" not in page and "Only ours" not in page


def test_words_corrected_and_deleted_by_the_shopper_are_found_no_more(chain: Chain, manager: Client) -> None:
    pk = say(chain, "The first words")
    assert found(manager, "q=first") == {pk}
    Verbatim.objects.filter(pk=pk).update(text="Other words")
    response = Response.objects.get(verbatims=pk)
    with transaction.atomic():
        response_saved.send(sender=Response, response=response, corrected=True)
    assert found(manager, "q=first") == set()
    assert found(manager, "q=other") == {pk}
    with transaction.atomic():
        erase_response(response.pk)
    assert not ExplorerRow.objects.exists()
    assert found(manager) == set()


def test_staff_scanning_their_own_code_are_not_shoppers(chain: Chain, manager: Client) -> None:
    pk = say(chain, "Testing the code")
    Response.objects.update(flags=["staff"])
    assert found(manager) == set()
    assert manager.get(f"/verbatims/{pk}/").status_code == 200


def test_nobody_finds_or_opens_another_stores_words(chain: Chain, client: Client) -> None:
    own, foreign = say(chain, "Ours indeed"), say(chain, "Theirs indeed", foreign=True)
    readers = {
        chain.manager: {own},
        chain.deputy: {own},
        chain.area_manager: {own},
        chain.head_office: {own, foreign},
        chain.foreign_manager: {foreign},
        chain.call_centre_lead: set(),
    }
    for reader, theirs in readers.items():
        client.force_login(reader)
        assert found(client, "q=indeed") == theirs
        for pk in (own, foreign):
            assert client.get(f"/verbatims/{pk}/").status_code == (200 if pk in theirs else 404)
    client.force_login(chain.manager)
    assert client.get("/verbatims/?store=LV1").status_code == 404
    assert client.get(f"/verbatims/?node={chain.other_area.pk}").status_code == 404
    assert client.get("/verbatims/99999999999999999999999/").status_code == 404


def test_pages_show_everything_once_and_count_honestly(chain: Chain, manager: Client) -> None:
    at = timezone.now() - timedelta(hours=2)
    # Several of the same moment: the order of pages must not depend on it.
    ids = {say(chain, f"Number {n} of many", submitted_at=at - timedelta(minutes=n // 7)) for n in range(60)}
    drain(["facts"])
    seen: list[int] = []
    address = "/verbatims/?q=many"
    for _ in range(5):
        page = manager.get(address)
        # Counted once: every count reads everything.
        assert page.context["found"].count == (60 if address == "/verbatims/?q=many" else None)
        shown = page.content.decode()
        assert ("60 comments" in shown) == (address == "/verbatims/?q=many")
        seen += [verbatim.pk for verbatim in page.context["found"].verbatims]
        if not page.context["found"].older:
            break
        address = "/verbatims/" + page.context["found"].older
    assert len(seen) == 60 and set(seen) == ids
    assert "Older comments" in shown


def test_more_than_can_be_counted_is_said_so(chain: Chain, manager: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reports.explorer.MOST_COUNTED", 2)
    monkeypatch.setattr("reports.explorer_views.MOST_COUNTED", 2)
    for n in range(3):
        say(chain, f"Number {n} of many")
    drain(["facts"])
    assert "More than 2 comments" in manager.get("/verbatims/").content.decode()


def test_a_long_search_says_how_far_it_came_and_goes_on_from_there(
    chain: Chain, manager: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = timezone.now()
    ids = [say(chain, "Number", submitted_at=now - timedelta(weeks=ago)) for ago in (0, 20, 21, 45)]
    assert found(manager, "weeks=52&q=number") == set(ids)
    assert "4 comments" in manager.get("/verbatims/?weeks=52&q=number").content.decode()
    monkeypatch.setattr("reports.explorer._PATIENCE_SECS", -1)
    seen, address = [], "/verbatims/?weeks=52&q=number"
    while address != "/verbatims/":
        page = manager.get(address)
        older, since = (getattr(page.context["found"], name) for name in ("older", "since"))
        assert ("Looked back as far as" in page.content.decode()) == bool(since) == bool(older)
        assert "No comment fits" not in page.content.decode() or not older
        seen += [verbatim.pk for verbatim in page.context["found"].verbatims]
        address = "/verbatims/" + older
    assert seen == ids


def test_any_days_up_to_a_quarter_are_a_link_until_weeks_are_chosen(chain: Chain, manager: Client) -> None:
    at = timezone.now().replace(hour=12) - timedelta(weeks=30)
    inside = [say(chain, "Inside", submitted_at=at - timedelta(days=ago)) for ago in (0, 9)]
    for ago in (-1, 10):
        say(chain, "Beside", submitted_at=at - timedelta(days=ago))
    days = f"from={(at - timedelta(days=9)).date()}&to={at.date()}"
    assert found(manager, days) == set(inside)
    page = manager.get(f"/verbatims/?{days}&band=happy")
    assert [chip.without for chip in page.context["chips"]] == ["?" + days, "?band=happy"]
    for senseless in (f"from={at.date()}", f"from={at.date()}&to=2020-01-01", "from=0001-01-01&to=0001-01-02"):
        assert manager.get(f"/verbatims/?{senseless}").context["search"].days is None
    assert found(manager, f"{days}&weeks=4") == set()


def test_older_words_are_in_an_older_period(chain: Chain, manager: Client) -> None:
    old = say(chain, "Long ago", submitted_at=timezone.now() - timedelta(weeks=20))
    new = say(chain, "Just now")
    assert found(manager) == {new}
    earlier = manager.get("/verbatims/").context["earlier"]
    assert found(manager, earlier.removeprefix("?")) == {old}
    later = manager.get("/verbatims/" + earlier).context["later"]
    assert found(manager, later.removeprefix("?")) == {new}


def test_each_choice_is_a_link_that_can_be_taken_away(chain: Chain, manager: Client) -> None:
    say(chain, "Anything")
    drain(["facts"])
    page = manager.get("/verbatims/?q=any&topic=staff&language=uk&unsure=1&case=no&urgency=any")
    chips = {chip.label: chip.without for chip in page.context["chips"]}
    assert list(chips) == ["“any”", "Staff", "Urgent", "Ukrainian", "Model unsure", "Without a case"]
    assert chips["Staff"] == "?q=any&urgency=any&language=uk&case=no&unsure=1"


def test_words_are_shown_and_never_run(chain: Chain, manager: Client) -> None:
    pk = say(chain, "<script>alert(1)</script> كانت سيئة", read={"language": "ar"})
    drain(["facts"])
    for address in ("/verbatims/", f"/verbatims/{pk}/", "/verbatims/?q=<script>"):
        page = manager.get(address).content.decode()
        assert "<script>alert" not in page
    assert 'dir="auto" lang="ar">&lt;script&gt;' in manager.get("/verbatims/").content.decode()


@pytest.mark.parametrize(
    "senseless",
    [
        "sentiment=zz", "topic=zz", "question=zz", "band=zz", "loop=zz", "weeks=0", "from=zz", "until=zz", "cause=zz",
        "from=2026-11-29&to=2026-11-01", "before=zz", "unsure=yes", "tone=negative",
    ],
)  # fmt: skip
def test_what_makes_no_sense_in_an_address_is_told(manager: Client, senseless: str) -> None:
    told = "Part of this address makes no sense here"
    assert told in manager.get(f"/verbatims/?{senseless}").content.decode()
    sensible = "sentiment=negative&topic=staff&weeks=4&until=2026-W40&band=unhappy&before="
    assert told not in manager.get(f"/verbatims/?{sensible}").content.decode()


def test_one_verbatim_has_its_case_its_reading_and_its_address(chain: Chain, manager: Client) -> None:
    pk = say(chain, "They ignored us", score=1, read={"sentiment": "negative", "p_negative": 0.91})
    case = Response.objects.get(verbatims=pk).opened_case
    page = manager.get(f"/verbatims/{pk}/").content.decode()
    assert f'href="/cases/{case.pk}/"' in page
    assert f'value="http://testserver/verbatims/{pk}/"' in page
    assert "The model thinks" in page and f'action="/readings/{pk}/correct/"' in page
    assert 'href="/verbatims/"' in manager.get("/inbox/").content.decode()


def test_a_list_costs_the_same_however_long_it_is(chain: Chain, manager: Client) -> None:
    counts = []
    for n in (2, 20):
        for k in range(n):
            say(chain, f"{n} {k} words", score=2)
        drain(["facts"])
        with CaptureQueriesContext(
            connection,
        ) as queries:
            manager.get("/verbatims/")
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 20


def test_a_case_that_another_response_joined_is_its_case_too(chain: Chain, manager: Client) -> None:
    pk = say(chain, "Again the same", score=9)
    other = make_response(touchpoint=chain.touchpoint, score=1, words="First")
    make_case(other).further_responses.create(response=Response.objects.get(verbatims=pk))
    ExplorerRow.objects.all().delete()
    with transaction.atomic():
        response_saved.send(sender=Response, response=Response.objects.get(verbatims=pk), corrected=True)
    assert pk in found(manager, "case=yes")


def test_the_reports_lead_to_the_words_behind_them(chain: Chain, manager: Client) -> None:
    pk = say(chain, "Behind the figure")
    say(chain, "Of another channel", channel=ResponseChannel.CALL)
    drain(["facts"])
    page = manager.get("/reports/?store=KY1&channel=qr&weeks=4").content.decode()
    assert 'href="/verbatims/?store=KY1&amp;channel=qr&amp;weeks=4"' in page
    assert found(manager, "store=KY1&channel=qr&weeks=4") == {pk}


def test_who_scored_again_is_found_by_when_and_their_file_ends_with_older_words(client: Client, chain: Chain) -> None:
    said = [
        answer(chain.touchpoint, 2, day=TODAY - timedelta(weeks=weeks), words=f"Said {weeks} weeks ago")[0]
        for weeks in (20, 0, 20)
    ]
    now = timezone.now()
    for response, weeks in zip(said, (0, 14, 14), strict=True):
        at = now - timedelta(weeks=weeks)
        Verification.objects.create(case=make_case(response), round=0, asked_at=at, score=9, scored_at=at)
    client.force_login(chain.manager)
    (recovery,) = client.get(reverse("report_loop")).context["recovery"]
    assert (recovery.n, recovery.words) == (1, "?question=nps&again=1")
    page = client.get(reverse("verbatims") + recovery.words)
    assert [one.response_id for one in page.context["found"].verbatims] == [said[0].pk]
    (recovery,) = client.get(reverse("report_loop"), {"weeks": "26"}).context["recovery"]
    assert (recovery.n, len(found(client, recovery.words.removeprefix("?")))) == (3, 3)
    job = ask(client, chain.manager, "verbatims", "again=1")
    assert [row["Answer"] for row in table(job)] == [str(said[0].pk)]
    erase_response(said[0].pk)
    job.refresh_from_db()
    assert (job.state, job.chunks.count()) == (JobState.FAILED, 0)
