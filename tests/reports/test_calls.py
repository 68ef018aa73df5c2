"""The page of a call centre: scores by queue and agent, how sure they are, and what must not be told."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client
from django.utils import timezone

from core.personal import erase_response
from core.retention import purge
from core.work import drain
from reports.models import AgentWeek, QueueDay
from surveys.choices import QuestionKind
from surveys.inviting import call_ended
from surveys.models import Call
from tests.factories import Chain
from tests.reports.callers import calls, counted
from tests.reports.makers import noon

pytestmark = pytest.mark.django_db
TODAY = timezone.now().date()


def weeks(chain: Chain) -> list[tuple[object, ...]]:
    rows = AgentWeek.objects.filter(store=chain.call_centre).order_by("queue", "agent", "headline_kind")
    return list(rows.values_list("queue", "agent", "headline_kind", "happy", "between", "unhappy"))


def test_calls_are_counted_by_queue_and_agent(chain: Chain) -> None:
    day = TODAY - timedelta(weeks=2)
    first, *_ = calls(chain.call_centre, [10, 9, 7, 3, None], day=day, unanswered=4)
    calls(chain.call_centre, [5, 4, 3, 2, 1], day=day, queue="-", agent="", kind=QuestionKind.CSAT)
    calls(chain.store, [10], day=day)
    counted(chain.call_centre)
    counted(chain.store)
    assert weeks(chain) == [("", "", "csat", 2, 1, 2), ("orders", "A1", "nps", 2, 1, 1)]
    assert list(QueueDay.objects.order_by("queue").values_list("store", "queue", "asked", "answered")) == [
        (chain.call_centre.pk, "", 5, 5),
        (chain.call_centre.pk, "orders", 9, 5),
    ]
    # A correction, and an answer that staff gave themselves.
    first.score = 0
    first.save()
    counted(chain.call_centre)
    assert weeks(chain)[1] == ("orders", "A1", "nps", 1, 1, 2)
    first.flags = ["staff"]
    first.save()
    counted(chain.call_centre)
    assert weeks(chain)[1] == ("orders", "A1", "nps", 1, 1, 1)
    assert QueueDay.objects.get(queue="orders").answered == 4
    # Erasing what a shopper said leaves what is counted.
    erase_response(first.pk)
    counted(chain.call_centre)
    assert weeks(chain)[1] == ("orders", "A1", "nps", 1, 1, 1)


def test_whoever_is_asked_after_a_call_is_counted_before_they_answer(chain: Chain) -> None:
    call_ended("call-1", chain.call_centre, "067 123 45 67", queue="orders", agent="A1", ended_at=noon(TODAY))
    drain(["facts"])
    assert QueueDay.objects.values_list("queue", "asked", "answered").get() == ("orders", 1, 0)


def test_an_agent_is_forgotten_on_request_and_after_three_years(chain: Chain) -> None:
    calls(chain.call_centre, [10, 9, 3], day=TODAY)
    calls(chain.call_centre, [1], day=TODAY - timedelta(days=1200), agent="A2")
    counted(chain.call_centre)
    purge()
    assert [row[:2] for row in weeks(chain)] == [("orders", "A1")]
    assert not Call.objects.filter(agent="A2").exists()
    call_command("forget_agent", "CALL", "A1")
    drain(["facts"])
    assert weeks(chain) == [("orders", "", "nps", 2, 0, 1)]
    assert not Call.objects.filter(agent="A1").exists()
    for names in (("CALL", "A1"), ("NO", "A1")):
        with pytest.raises(CommandError):
            call_command("forget_agent", *names)


def test_the_explorer_finds_words_by_queue_and_agent(client: Client, chain: Chain) -> None:
    calls(chain.call_centre, [2], day=TODAY, words="She hung up on me")
    calls(chain.call_centre, [9], day=TODAY, agent="A2", words="Patient and kind")
    calls(chain.call_centre, [9], day=TODAY, queue="", agent="", words="Nobody knows who this was")
    counted(chain.call_centre)
    client.force_login(chain.call_centre_lead)

    def found(query: str) -> set[str]:
        return {one.text for one in client.get(f"/verbatims/?{query}").context["found"].verbatims}

    assert found("queue=orders") == {"She hung up on me", "Patient and kind"}
    assert found("queue=orders&agent=A2") == {"Patient and kind"}
    assert found("queue=-&agent=-") == {"Nobody knows who this was"}
    assert found("agent=a2") == set()
    page = client.get("/verbatims/?agent=%3Cb%3E").content.decode()
    assert "Agent: &lt;b&gt;" in page and 'value="&lt;b&gt;"' in page
    client.force_login(chain.manager)
    assert found("agent=A2") == set() and 'name="agent"' not in client.get("/verbatims/").content.decode()
