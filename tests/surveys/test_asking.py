"""Head office sees who was asked, who was not and why, who left without sending, and what programs did."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from surveys.asking_figures import by_channel, by_store
from surveys.choices import HASTY, STAFF_FLAG, UNSENT, Mark, NotAskedReason, ResponseChannel
from surveys.fairness import note_not_asked
from surveys.models import LinkHour, Response, ScanHour
from tests.factories import Chain, make_response

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def weeks(chain: Chain, surveys: Any) -> Chain:
    """Something of everything, and as much that is too old or of another store."""
    now = timezone.now()
    note_not_asked(chain.store, ResponseChannel.CALL, "call 1", NotAskedReason.RESTING)
    note_not_asked(chain.store, ResponseChannel.CALL, "call 1", NotAskedReason.SAMPLED)
    note_not_asked(chain.store, ResponseChannel.CALL, "call 2", NotAskedReason.SAMPLED)
    LinkHour.objects.create(store=chain.store, channel="receipt", hour=now - HOUR, opens=9, taps=4, scanners=3)
    LinkHour.objects.create(store=chain.store, channel="receipt", hour=now - 40 * 24 * HOUR, opens=99, scanners=99)
    ScanHour.objects.create(touchpoint=chain.touchpoint, hour=now - HOUR, scans=12, opens=8, robots=5)
    for flags in ([], [UNSENT], [UNSENT, STAFF_FLAG], [HASTY], [STAFF_FLAG]):
        response = make_response(touchpoint=chain.touchpoint, score=9)
        Response.objects.filter(pk=response.pk).update(flags=flags)
    return chain


def test_channels_and_stores_in_counts(weeks: Chain, django_assert_num_queries: Any) -> None:
    from stores.models import Store

    with django_assert_num_queries(5):
        channels = dict(by_channel(Store.objects.all()))
    call, receipt, code = (channels[one] for one in (ResponseChannel.CALL, ResponseChannel.RECEIPT, ResponseChannel.QR))
    assert call.left_in_peace == 2 and {n for _why, n in call.reasons} == {1}
    assert (receipt.opens, receipt.taps, receipt.scanners) == (9, 4, 3)
    assert (code.opens, code.scanners, code.answers, code.unsent) == (8, 5, 2, 1)
    assert code.leaving.part == 1 and code.leaving.n == 3
    assert dict(code.marked) == {str(Mark.HASTY.label): 1, str(Mark.STAFF.label): 2}
    with django_assert_num_queries(5):
        rows = dict(by_store([weeks.store, weeks.foreign]))
    assert rows[weeks.store].left_in_peace == 2 and rows[weeks.store].opens == 17 and rows[weeks.store].scanners == 8
    assert rows[weeks.foreign].opens == rows[weeks.foreign].answers == 0


def test_the_page_says_what_it_means(client: Client, weeks: Chain) -> None:
    client.force_login(weeks.head_office)
    page = client.get("/setup/asking/").content.decode()
    for words in ("Was asked a short time ago", "4 by a tap on an answer", "33%", "Sent sooner than anybody can read"):
        assert words in page, words
    found = client.get("/setup/asking/", {"q": "lviv"}).content.decode()
    assert weeks.foreign.name in found and f">{weeks.store.name}<" not in found
    assert "No store found" in client.get("/setup/asking/", {"q": "nowhere at all"}).content.decode()
