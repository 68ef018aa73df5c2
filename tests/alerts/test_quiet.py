"""Who is left in peace and until when: shoppers at night, staff while their store is closed; never the severe."""

from datetime import UTC, datetime, time, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.conf import LazySettings
from django.utils import timezone

from alerts.actions import answer_shopper
from alerts.choices import EventKind
from alerts.models import CaseEvent
from alerts.renderers import answer_at_night, while_closed
from core.leases import from_now
from feedback import env
from messaging.choices import Channel, MessageState
from messaging.models import ChatHook, Message
from messaging.quiet import day_for_all, morning_after, zones_of
from messaging.work import deliver_due, fail_over
from stores.models import OpeningInterval, User
from tests.alerts.conftest import open_case
from tests.factories import Chain
from tests.messaging.listeners import Phone

KYIV = ZoneInfo("Europe/Kyiv")


@pytest.mark.parametrize(
    ("local", "until"),
    [
        ("2026-03-28T20:59", None),
        ("2026-03-28T21:00", "2026-03-29T08:00"),
        # The clocks go forward in this night: eight is eight.
        ("2026-03-29T02:30", "2026-03-29T08:00"),
        ("2026-03-29T07:59", "2026-03-29T08:00"),
        ("2026-03-29T08:00", None),
    ],
)
def test_shoppers_sleep_by_their_own_clock(local: str, until: str | None, settings: LazySettings) -> None:
    settings.QUIET_HOURS = (21, 8)
    expected = datetime.fromisoformat(until).replace(tzinfo=KYIV).astimezone(UTC) if until else None
    assert morning_after(datetime.fromisoformat(local).replace(tzinfo=KYIV).astimezone(UTC), KYIV) == expected


@pytest.mark.parametrize(
    ("number", "utc", "until"),
    [
        # Of the store's own country: its clock, at eleven in the morning.
        ("+380671234567", "2026-06-01T08:00", None),
        # Tokyo has long gone home; New York and Honolulu sleep, until Honolulu wakes.
        ("+818012345678", "2026-06-01T13:00", "2026-06-01T23:00"),
        ("+12025550123", "2026-06-01T08:00", "2026-06-01T18:00"),
        ("+12025550123", "2026-06-01T20:00", None),
        ("no number", "2026-06-01T20:00", "2026-06-02T05:00"),
    ],
)
def test_guests_from_abroad_sleep_by_the_clock_of_their_number(
    chain: Chain, number: str, utc: str, until: str | None, settings: LazySettings
) -> None:
    settings.QUIET_HOURS = (21, 8)
    now = datetime.fromisoformat(utc).replace(tzinfo=UTC)
    expected = datetime.fromisoformat(until).replace(tzinfo=UTC) if until else None
    assert day_for_all(now, zones_of(number, chain.store)) == expected


def test_an_answer_waits_for_the_morning_of_its_shopper(chain: Chain, settings: LazySettings) -> None:
    settings.QUIET_HOURS = (21, 8)
    case = open_case(chain, contact="+818012345678")
    answer_shopper(case.pk, actor=chain.manager, text="Sorry.", form_id=uuid4())
    message = Message.objects.get(kind="case_answer")
    with time_machine.travel(datetime.now(UTC).replace(hour=13, minute=0) + timedelta(days=1), tick=False):
        held = answer_at_night(message)
    assert held and held.astimezone(ZoneInfo("Asia/Tokyo")).hour == 8


def test_a_siesta_is_a_quiet_time_too_and_off_is_off(settings: LazySettings) -> None:
    noon = datetime(2026, 6, 1, 13, tzinfo=UTC)
    settings.QUIET_HOURS = (12, 15)
    assert morning_after(noon, ZoneInfo("UTC")) == datetime(2026, 6, 1, 15, tzinfo=UTC)
    settings.QUIET_HOURS = None
    assert morning_after(noon, ZoneInfo("UTC")) is None


@pytest.mark.parametrize("wrong", ["21", "21-24", "8-8", "nine-five"])
def test_hours_that_are_none_are_refused_at_the_start(wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.core.exceptions import ImproperlyConfigured

    monkeypatch.setenv("QUIET_HOURS", wrong)
    with pytest.raises(ImproperlyConfigured, match="QUIET_HOURS"):
        env.hours("QUIET_HOURS", default="off")


def close(chain: Chain) -> datetime:
    """The store opens in about two hours; returns when."""
    opens = (timezone.now().astimezone(ZoneInfo(chain.store.time_zone)) + timedelta(hours=2)).replace(
        minute=0, second=0, microsecond=0
    )
    chain.store.opening_intervals.all().delete()
    OpeningInterval.objects.create(
        store=chain.store, weekday=opens.weekday(), opens=opens.time(), closes=_later(opens.time())
    )
    return opens.astimezone(UTC)


def _later(at: time) -> time:
    return time(at.hour, 30)


def notice(chain: Chain, channel: Channel) -> Message:
    message = Message.objects.get(user=chain.manager, kind="case_notice")
    Message.objects.filter(pk=message.pk).update(channel=channel)
    message.refresh_from_db()
    return message


@pytest.mark.django_db
def test_a_phone_is_quiet_while_its_store_is_closed(chain: Chain) -> None:
    opens = close(chain)
    case = open_case(chain)
    message = notice(chain, Channel.PUSH)
    assert while_closed(message) == opens
    deliver_due()
    message.refresh_from_db()
    assert (message.state, message.run_at) == (MessageState.PENDING, opens)
    # Mail does not buzz, and what is severe waits for nobody.
    message.channel = Channel.EMAIL
    assert while_closed(message) is None
    message.channel = Channel.PUSH
    case.severity = "severe"
    case.save()
    assert while_closed(message) is None


@pytest.mark.django_db
def test_an_open_store_is_told_at_once(chain: Chain) -> None:
    open_case(chain)
    assert while_closed(notice(chain, Channel.PUSH)) is None


@pytest.mark.django_db
def test_push_comes_first_for_whoever_has_a_phone_and_the_stand_in_is_on_record(chain: Chain) -> None:
    Phone(chain.manager, "https://127.0.0.1:1")
    case = open_case(chain)
    message = Message.objects.get(user=chain.manager, kind="case_notice")
    assert message.channel == Channel.PUSH
    Message.objects.filter(pk=message.pk).update(state=MessageState.DEAD, failover_at=from_now(timedelta(0)))
    assert fail_over() == 1
    told = CaseEvent.objects.filter(case=case, kind=EventKind.NOTIFIED, recipient=chain.manager)
    assert sorted(told.values_list("channel", "step__ordinal")) == [("email", 0), ("push", 0)]


@pytest.mark.django_db
def test_a_chat_hears_of_the_cases_of_its_part_of_the_tree(chain: Chain) -> None:
    own = ChatHook.objects.create(name="Area", url="https://chat.example/1", node=chain.area)
    ChatHook.objects.create(name="Other", url="https://chat.example/2", node=chain.other_area)
    ChatHook.objects.create(name="Severe", url="https://chat.example/3", store=chain.store, severe_only=True)
    ChatHook.objects.create(name="Old", url="https://chat.example/4", store=chain.store, retired_at=timezone.now())
    case = open_case(chain)
    assert [message.hook_id for message in Message.objects.filter(channel=Channel.CHAT)] == [own.pk]
    assert CaseEvent.objects.filter(case=case, kind=EventKind.NOTIFIED, channel=Channel.CHAT).count() == 1


@pytest.mark.django_db
def test_without_any_address_somebody_notices(chain: Chain, caplog: pytest.LogCaptureFixture) -> None:
    User.objects.filter(pk=chain.manager.pk).update(email="")
    open_case(chain)
    assert not Message.objects.filter(user=chain.manager).exists()
