"""Figures by e-mail: each issue once, about its own weeks, by what its reader may see and in their language."""

import io
import socket
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl
import pytest
from aiosmtpd.controller import Controller
from django.db.models import F
from django.urls import reverse
from django.utils import timezone
from pypdf import PdfReader

from core.leases import ClockNow, claim
from core.work import drain
from messaging.models import Message
from messaging.outbox import rendered_for
from messaging.work import deliver_due
from reports import digests
from reports.action_reads import time_zone_of
from reports.digests import DIGEST, LEASE, issue_from, render_digest, send_due, sent_at, subscribe
from reports.models import Digest, Rhythm
from reports.periods import Week
from stores.models import Store, User
from stores.people import take_role
from tests.factories import make_store
from tests.reports.makers import answer
from tests.reports.test_wall import TODAY

LAST_WEEK = Week.of(TODAY) + -1


def make_due(digest: Digest, weeks_ago: int) -> None:
    """As if nothing had run since the issue about the week so many before this one was next."""
    monday = (Week.of(TODAY) + -weeks_ago).monday
    Digest.objects.filter(pk=digest.pk).update(monday=monday, run_at=timezone.now() - timedelta(minutes=1))


def test_when_an_issue_goes_out():
    kyiv = ZoneInfo("Europe/Kyiv")
    assert sent_at(kyiv, Week(date(2026, 3, 23))) == datetime(2026, 3, 30, 4, tzinfo=UTC)
    # A month's is about the weeks before its first Monday.
    assert issue_from(Rhythm.MONTHLY, Week(date(2026, 11, 9))) == Week(date(2026, 11, 30))
    assert issue_from(Rhythm.MONTHLY, Week(date(2026, 11, 30))) == Week(date(2026, 11, 30))
    assert issue_from(Rhythm.WEEKLY, Week(date(2026, 11, 9))) == Week(date(2026, 11, 9))


@pytest.mark.parametrize("weeks_ago", [2, 4])
def test_every_issue_is_put_once_and_what_an_outage_missed_follows(chain, weeks_ago):
    digest = subscribe(chain.manager, Rhythm.WEEKLY)
    assert subscribe(chain.manager, Rhythm.WEEKLY) == digest
    make_due(digest, weeks_ago)
    taken = 0
    while send_due():
        taken += 1
    digest.refresh_from_db()
    # That of last week goes out only once it is Monday at seven.
    assert taken in {weeks_ago - 1, weeks_ago} and digest.run_at and digest.run_at > timezone.now()
    sent = [Week.of(TODAY) + -ago for ago in range(weeks_ago, weeks_ago - taken, -1)]
    keys = set(Message.objects.filter(kind=DIGEST).values_list("dedup_key", flat=True))
    assert keys == {f"digest:{digest.pk}:{week}:email" for week in sent}


def test_a_worker_whose_lease_passed_on_puts_nothing(chain):
    make_due(subscribe(chain.manager, Rhythm.WEEKLY), 2)
    (stale,) = claim(Digest.objects.all(), limit=1, lease=LEASE)
    Digest.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert send_due() == 1
    Message.objects.filter(kind=DIGEST).delete()
    digests._send(stale)
    assert not Message.objects.filter(kind=DIGEST).exists()


def test_few_are_written_at_once_for_alerts_need_senders_too(chain):
    people = [chain.manager, chain.deputy, chain.area_manager, chain.head_office, chain.foreign_manager]
    for person in people:
        for rhythm in Rhythm:
            make_due(subscribe(person, rhythm), 1)
    assert [send_due(), send_due()] == [5, 0]
    Message.objects.filter(kind=DIGEST).update(run_at=None)
    assert send_due() == 5


def issue(digest: Digest, week: Week) -> Message:
    return Message(kind=DIGEST, subject_id=f"{digest.pk}:{week}", user=digest.user)


def test_an_issue_has_the_figures_of_its_weeks_and_of_its_reader(chain):
    answer(chain.touchpoint, 10, day=LAST_WEEK.monday, times=9)
    answer(chain.touchpoint, 2, day=LAST_WEEK.monday, times=3)
    answer(chain.foreign_touchpoint, 2, day=LAST_WEEK.monday, times=8)
    answer(chain.touchpoint, 2, day=TODAY, times=20)
    User.objects.filter(pk=chain.manager.pk).update(language="de")
    chain.manager.refresh_from_db()
    found = rendered_for(issue(subscribe(chain.manager, Rhythm.WEEKLY), LAST_WEEK))
    assert found
    assert f"Woche {LAST_WEEK.number}" in found.subject and "NPS 50 (" in found.text and "n = 12" in found.text
    assert reverse("digests") in found.html
    paper, book = found.attachments
    text = "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(paper.content)).pages)
    assert "n = 12" in text and "50 (" in text and chain.foreign.name not in text
    sheets = openpyxl.load_workbook(io.BytesIO(book.content))
    cells = [cell.value for sheet in sheets for row in sheet.iter_rows() for cell in row]
    assert 12 in cells and 8 not in cells and chain.foreign.code not in cells
    # Head office reads both areas; a role that is gone ends it.
    whole = render_digest(issue(subscribe(chain.head_office, Rhythm.MONTHLY), LAST_WEEK))
    assert whole and "n = 20" in whole.text
    of_area = subscribe(chain.area_manager, Rhythm.WEEKLY, node=chain.area)
    take_role(chain.area_manager.roles.get(), actor=None)
    assert render_digest(issue(of_area, LAST_WEEK)) is None


class Postbox:
    """What a mail server takes in."""

    def __init__(self) -> None:
        self.letters: list[EmailMessage] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        letter = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(letter, EmailMessage)
        self.letters.append(letter)
        return "250 OK"


def work() -> None:
    """Everything that is due, as the loop does it."""
    while send_due():
        Message.objects.filter(kind=DIGEST, run_at__isnull=False).update(run_at=ClockNow())
        while deliver_due():
            pass


def test_after_an_outage_each_issue_arrives_once_with_its_files_in_the_readers_language(chain, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    down = socket.socket()
    down.bind(("127.0.0.1", 0))  # nobody else listens there meanwhile
    settings.EMAIL_HOST, settings.EMAIL_PORT = down.getsockname()
    settings.EMAIL_TIMEOUT = 60
    User.objects.filter(pk=chain.manager.pk).update(language="de")
    answer(chain.touchpoint, 10, day=(LAST_WEEK + -3).monday, times=9)
    make_due(subscribe(User.objects.get(pk=chain.manager.pk), Rhythm.WEEKLY), 3)
    # Two issues were missed at least; the mail server is still down.
    work()
    waiting = Message.objects.filter(kind=DIGEST, run_at__isnull=False)
    assert waiting.count() >= 2
    long_ago = {name: F(name) - timedelta(weeks=5) for name in ("created_at", "expires_at")}
    waiting.update(**long_ago)
    postbox = Postbox()
    server = Controller(postbox, hostname="127.0.0.1", port=settings.EMAIL_PORT, ready_timeout=60)
    down.close()
    server.start()
    try:
        for _ in range(2):
            waiting.update(run_at=ClockNow())
            deliver_due()
            work()
    finally:
        server.stop()
    weeks = [Week.of(TODAY) + -ago for ago in (3, 2, 1)][: len(postbox.letters)]
    assert len(weeks) == Message.objects.filter(kind=DIGEST).count() >= 2
    assert {letter["Subject"].split()[-1] for letter in postbox.letters} == {str(week.number) for week in weeks}
    assert len({letter["Message-ID"] for letter in postbox.letters}) == len(weeks)
    for letter in postbox.letters:
        assert letter["To"] == chain.manager.email
        paper, book = letter.iter_attachments()
        assert [str(file.get_filename()).split(".")[-1] for file in (paper, book)] == ["pdf", "xlsx"]
        text = "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(paper.get_content())).pages)
        sheets = openpyxl.load_workbook(io.BytesIO(book.get_content()))
        assert "Zahlen bis Woche" in text and "Befragungsarten" in sheets.sheetnames


def test_what_is_of_several_stores_keeps_the_time_of_most(chain):
    node = chain.area
    for number in range(3):
        make_store(node=node, code=f"Z{number}")
    Store.objects.filter(code__startswith="Z").update(time_zone="Europe/Lisbon")
    assert str(digests.zone_of(subscribe(chain.area_manager, Rhythm.WEEKLY, node=node))) == str(time_zone_of(node))
    assert str(time_zone_of(node)) == "Europe/Lisbon" != str(time_zone_of(chain.store))


def test_one_asks_for_it_and_ends_it_on_a_page(client, chain):
    client.force_login(chain.area_manager)
    address = reverse("digests")
    assert "Nothing comes by e-mail yet" in client.get(address).content.decode()
    assert client.post(address, {"rhythm": "weekly", "place": f"node:{chain.area.pk}"}).status_code == 302
    assert client.post(address, {"rhythm": "monthly", "place": f"store:{chain.store.code}"}).status_code == 302
    assert client.post(address, {"rhythm": "weekly", "place": f"node:{chain.other_area.pk}"}).status_code == 404
    assert client.post(address, {"rhythm": "weekly", "place": f"store:{chain.foreign.code}"}).status_code == 404
    assert client.post(address, {"rhythm": "hourly", "place": ""}).status_code == 404
    first, second = Digest.objects.order_by("pk")
    assert (first.node, second.store, first.user) == (chain.area, chain.store, chain.area_manager)
    page = client.get(address).content.decode()
    assert "Kyiv" in page and "next on" in page
    client.force_login(chain.manager)
    client.post(address, {"end": str(first.pk)})
    assert Digest.objects.count() == 2
    client.force_login(chain.area_manager)
    client.post(address, {"end": str(first.pk)})
    assert Digest.objects.get(run_at__isnull=False) == second
    assert [one for one, *_ in client.get(address).context["digests"]] == [second]
    drain(["facts"])
    assert not Message.objects.filter(kind=DIGEST).exists()
