"""Praise: who gets it, how it is thanked for, and that it wakes and names nobody."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from alerts.kudos import KUDOS, count_kudos, kudos_visible_to, rejoice, render_kudos
from alerts.models import Kudos
from messaging.models import Message, PushDevice
from sentiment.models import Analysis
from sentiment.signals import verbatim_analysed
from surveys.choices import STAFF_FLAG
from tests.factories import Chain, make_response

pytestmark = pytest.mark.django_db
WORDS = "Olena helped me find the perfect gift, thank you so much!"


def analysed(chain: Chain, *, score: int | None = 10, words: str = WORDS, **reading: Any) -> Analysis:
    """A response whose words have just been read."""
    response = make_response(touchpoint=chain.touchpoint, score=score, words=words)
    redacted = words.replace("Olena", "[name]")
    known = {"sentiment": "positive", "p_positive": 0.97, "confident": True, "redacted": redacted}
    analysis = Analysis.objects.create(
        verbatim=response.verbatims.get(), analysed_at=timezone.now(), language="en", **known | reading
    )
    verbatim_analysed.send(sender=Analysis, analysis=analysis)
    return analysis


@pytest.mark.parametrize(
    ("reading", "given"),
    [
        ({}, True),
        ({"score": None}, True),
        ({"score": None, "p_positive": 0.6}, False),
        ({"score": 7}, False),
        ({"sentiment": "negative"}, False),
        ({"urgency": ["safety"]}, False),
        ({"words": "Nice."}, False),
    ],
)
def test_very_happy_words_are_kudos(chain: Chain, reading: dict[str, Any], given: bool) -> None:
    analysis = analysed(chain, **reading)
    assert Kudos.objects.filter(response=analysis.verbatim.response).exists() == given
    # Read again, they are told of once.
    rejoice(analysis)
    assert Kudos.objects.count() == given


def test_staffs_own_answers_are_no_kudos(chain: Chain) -> None:
    response = make_response(touchpoint=chain.touchpoint, score=10, words=WORDS)
    response.flags = [STAFF_FLAG]
    response.save()
    analysis = Analysis.objects.create(verbatim=response.verbatims.get(), analysed_at=timezone.now(), confident=True)
    assert rejoice(analysis) is None


def test_phones_that_take_push_hear_of_it_and_nobody_is_mailed(chain: Chain) -> None:
    PushDevice.objects.create(user=chain.deputy, endpoint="https://push.example/1", p256dh="p", auth="a")
    analysis = analysed(chain)
    [message] = Message.objects.filter(kind=KUDOS)
    assert (message.user, message.channel) == (chain.deputy, "push")
    rendered = render_kudos(message)
    assert rendered and "10/10" in rendered.subject and "Olena" not in rendered.text and "perfect gift" in rendered.text
    analysis.verbatim.response.erased_at = timezone.now()
    analysis.verbatim.response.save()
    assert render_kudos(message) is None


def test_thanked_by_one_tap_and_counted(client: Client, chain: Chain) -> None:
    analysis = analysed(chain)
    response = analysis.verbatim.response
    address = f"/kudos/{response.pk}/thank/"
    client.force_login(chain.manager)
    inbox = client.get("/inbox/").content.decode()
    assert "perfect gift" in inbox and address in inbox
    assert client.post(address, {"next": "/inbox/"})["Location"] == "/inbox/"
    fragment = client.post(address, headers={"HX-Request": "true"}).content.decode()
    assert chain.manager.name in fragment and "<button" not in fragment
    counted = count_kudos(kudos_visible_to(chain.manager))
    assert (counted.n, counted.thanked, response.kudos.thanks.count()) == (1, 1, 1)
    assert "thanked for 1" in client.get("/kudos/").content.decode()
    assert "says thank you" in client.get(f"/c/{response.token}/").content.decode()
    client.force_login(chain.foreign_manager)
    assert client.post(address).status_code == 404
    assert "perfect gift" not in client.get("/kudos/").content.decode()
    response.erased_at = timezone.now()
    response.save()
    client.force_login(chain.manager)
    assert not kudos_visible_to(chain.manager).exists()
