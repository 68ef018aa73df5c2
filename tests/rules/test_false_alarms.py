"""Cases that stores leave out as no complaint: counted per rule, told once a week."""

from datetime import UTC, datetime, timedelta

from django.test import Client
from django.utils import timezone

from alerts.choices import CaseState, EventKind, Exemption, ExemptReason
from alerts.false_alarms import (
    FALSE_ALARMS,
    WEEK,
    alarms_of,
    render_weekly,
    send_weekly,
    week_begin,
    week_name,
    week_of,
)
from alerts.models import Case, CaseEvent
from messaging.models import Message
from stores.models import User
from tests.alerts.conftest import open_case
from tests.factories import Chain


def leave_out(case: Case, by: User) -> Case:
    case.state, case.exemption, case.exempt_reason = (
        CaseState.DISMISSED, Exemption.NOT_COMPLAINT, ExemptReason.CONTENT,
    )  # fmt: skip
    case.save()
    CaseEvent.objects.create(case=case, kind=EventKind.DISMISSED, at=timezone.now(), actor=by)
    return case


def test_each_rule_with_its_false_alarms_of_the_week(office: Client, chain: Chain) -> None:
    begin = week_begin(timezone.now()) - WEEK
    cases = [open_case(chain, contact=None) for _number in range(6)]
    leave_out(cases[0], chain.manager)
    Case.objects.filter(pk=cases[1].pk).update(exemption=Exemption.OUTSIDE)
    Case.objects.update(opened_at=begin + timedelta(days=6, hours=23))
    Case.objects.filter(pk=cases[5].pk).update(opened_at=begin + WEEK)
    [rule] = alarms_of(begin, chain.head_office)
    assert (rule.name, rule.opened, rule.false, rule.outside) == ("Low score", 5, 1, 1)
    assert rule.percent.startswith("20% ±")
    page = office.get("/setup/rules/alarms/").content.decode()
    assert "Low score" in page and week_name(begin) in page
    assert office.get("/setup/rules/alarms/?week=nonsense").status_code == 200
    for week in ("2999-W01", "0001-W01", "9999-W52", "0000-W01"):
        assert office.get(f"/setup/rules/alarms/?week={week}").status_code == 200


def test_head_office_is_told_once_a_week(chain: Chain) -> None:
    leave_out(open_case(chain, contact=None), chain.manager)
    Case.objects.update(opened_at=timezone.now() - WEEK)
    send_weekly()
    send_weekly()
    message = Message.objects.get(kind=FALSE_ALARMS)
    assert message.user == chain.head_office
    written = render_weekly(message)
    assert written and "1 of 1 cases" in written.subject
    assert "Low score" in written.text and "Low score" in written.html
    Case.objects.all().update(opened_at=timezone.now())
    assert render_weekly(message) is None


def test_weeks_are_those_of_iso() -> None:
    assert week_name(week_begin(datetime(2027, 1, 3, 12, tzinfo=UTC))) == "2026-W53"
    assert week_of("2026-W53") == datetime(2026, 12, 28, tzinfo=UTC)
    assert week_of("x") is None
