"""The page of words that wait for a person, without JavaScript and with it."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.utils import timezone
from django.utils.formats import date_format

from alerts.choices import ReviewReason, ReviewState
from alerts.models import Case, Review
from sentiment.models import Analysis
from surveys.models import Response, Verbatim
from tests.alerts.test_reviews import ANGRY, judged
from tests.factories import Chain
from tests.staff.cases import HTMX


@pytest.fixture
def review(chain: Chain) -> Review:
    return Review.objects.get(
        response=judged(chain, "Дуже <b>грубо</b> і довго.", **ANGRY, proven=False, language="uk")
    )


def test_it_shows_the_words_why_they_wait_and_until_when(manager: Client, review: Review) -> None:
    page = manager.get("/inbox/review/").content.decode()
    assert 'lang="uk" dir="auto">Дуже &lt;b&gt;грубо&lt;/b&gt; і довго.' in page
    assert "not proven in this language (Ukrainian)" in page
    assert "waits until" in page and "Open a case" in page and "Not a complaint" in page
    inbox = manager.get("/inbox/").content.decode()
    assert 'href="/inbox/review/"' in inbox
    Analysis.objects.update(language="da", language_confidence=0.3)
    page = manager.get("/inbox/review/").content.decode()
    assert "Angry, in a language the model is not proven in." in page and "Danish" not in page
    assert 'id="review-count">1</span>' in inbox
    # A rule by topic asks about praise too.
    Analysis.objects.update(sentiment="positive")
    page = manager.get("/inbox/review/").content.decode()
    assert "A rule looks for such words" in page and "Angry" not in page


def test_one_tap_opens_the_case_and_leads_there(manager: Client, review: Review) -> None:
    answer = manager.post(f"/inbox/review/{review.pk}/", {"open": "1"})
    case = Case.objects.get()
    assert (answer.status_code, answer["Location"]) == (303, f"/cases/{case.pk}/")
    page = manager.get(f"/cases/{case.pk}/").content.decode()
    assert "Read by a person" in page and "Manager" in page
    assert "Nothing to review." in manager.get("/inbox/review/").content.decode()


def test_with_javascript_the_words_make_way_for_the_outcome(manager: Client, review: Review) -> None:
    answer = manager.post(f"/inbox/review/{review.pk}/", {"why": "content"}, headers=HTMX)
    assert "Noted: not a complaint." in answer.content.decode()
    assert "<html" not in answer.content.decode()
    late = manager.post(f"/inbox/review/{review.pk}/", {"open": "1"}, headers=HTMX).content.decode()
    assert "Somebody was faster: Not a complaint" in late
    assert not Case.objects.exists()


def test_a_week_apart_is_told_apart(manager: Client, review: Review) -> None:
    came = timezone.now() - timedelta(days=1)
    Response.objects.update(submitted_at=came)
    Review.objects.update(run_at=came + timedelta(days=7))
    zone = ZoneInfo(review.store.time_zone)
    since, until = (date_format((came + timedelta(days=n)).astimezone(zone), "j M H:i") for n in (0, 7))
    page = manager.get("/inbox/review/").content.decode()
    assert f"<span>{since}</span>" in page and f"waits until {until}" in page


def test_a_dismissal_without_a_reason_is_none(manager: Client, review: Review) -> None:
    assert manager.post(f"/inbox/review/{review.pk}/", {"why": "because"}).status_code == 400
    review.refresh_from_db()
    assert review.state == ReviewState.PENDING


def test_what_expired_unread_is_seen_for_a_week(manager: Client, review: Review) -> None:
    Review.objects.update(state=ReviewState.EXPIRED, run_at=None, decided_at=timezone.now() - timedelta(days=1))
    page = manager.get("/inbox/review/").content.decode()
    assert "Expired, read by nobody" in page and "грубо" in page
    assert "Not a complaint" not in page
    manager.post(f"/inbox/review/{review.pk}/", {"open": "1"})
    assert Case.objects.exists()


def test_what_waits_can_still_be_dismissed_beside_what_expired(chain: Chain, manager: Client, review: Review) -> None:
    judged(chain, "Шумно і довго чекати.", **ANGRY, proven=False, language="uk")
    Review.objects.filter(pk=review.pk).update(state=ReviewState.EXPIRED, run_at=None, decided_at=timezone.now())
    waiting, expired = manager.get("/inbox/review/").content.decode().split("Expired, read by nobody")
    assert "waits until" in waiting and "Not a complaint" in waiting and "data-expired" not in waiting
    assert "data-expired" in expired and "Not a complaint" not in expired


@pytest.mark.parametrize("stranger", ["foreign_manager", "foreign_area_manager", "operator", "nobody"])
def test_strangers_decide_nothing(client: Client, chain: Chain, review: Review, stranger: str) -> None:
    client.force_login(getattr(chain, stranger))
    for data in ({"open": "1"}, {"why": "content"}):
        assert client.post(f"/inbox/review/{review.pk}/", data).status_code in {403, 404}
    review.refresh_from_db()
    assert review.state == ReviewState.PENDING
    assert not Case.objects.exists()


def test_what_a_colleague_said_is_the_reason(manager: Client, review: Review) -> None:
    Review.objects.update(reason=ReviewReason.CORRECTED)
    page = manager.get("/inbox/review/").content.decode()
    assert "A colleague says that it is negative." in page
    assert "cannot tell" not in page


def test_words_that_the_shopper_took_back_wait_no_longer(manager: Client, review: Review) -> None:
    review.verbatim.analysis.delete()
    Verbatim.objects.update(text="")
    assert "Nothing to review." in manager.get("/inbox/review/").content.decode()
    assert 'id="review-count">0<' in manager.get("/inbox/").content.decode()
