"""The page of a call centre: scores by queue and agent, how sure they are, and what must not be told."""

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from io import StringIO
from itertools import product
from typing import Any

import numpy as np
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core.jobs import run_due
from core.models import Job, JobState
from core.personal import erase_response
from core.retention import purge
from core.work import drain
from reports import call_pages
from reports.call_figures import Score, Waiting
from reports.calls import Choice, calls_of
from reports.cells import view_of
from reports.checking import check
from reports.exporting import ANSWERS, FIGURES
from reports.facts import count_store
from reports.filters import Filters, scope_of
from reports.models import AgentWeek, NodeWeek, QueueDay, StaleMark, StoreWeek
from reports.pages import read
from reports.periods import Period, Week
from reports.rebuilding import count_week
from reports.statistics import MIN_SHOWN, Nps, Share
from reports.sums import monday_of
from reports.tables import asked, call_lines
from stores.choices import SecurityEventKind, StoreKind
from stores.models import SecurityEvent, User
from surveys.choices import QuestionKind
from surveys.inviting import call_ended
from surveys.models import Call, Response
from surveys.signals import response_saved
from tests.factories import Chain, make_store, make_touchpoint
from tests.reports.callers import calls, counted
from tests.reports.makers import answer, make_case, noon

pytestmark = pytest.mark.django_db
TODAY = timezone.now().date()


@pytest.fixture(autouse=True)
def by_agent(settings: Any) -> None:
    settings.AGENT_FIGURES = True


def weeks(chain: Chain) -> list[tuple[object, ...]]:
    rows = AgentWeek.objects.filter(store=chain.call_centre).order_by("queue", "agent", "headline_kind", "monday")
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


def test_an_answer_on_the_day_after_counts_for_the_day_of_the_call(
    chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reports.checking._PAUSE_SECS", 0)
    yesterday = TODAY - timedelta(days=1)
    (response,) = calls(chain.call_centre, [9], day=yesterday, unanswered=1, answered=TODAY)
    response_saved.send(sender=Response, response=response, corrected=False)
    drain(["facts"])
    assert QueueDay.objects.values_list("local_day", "asked", "answered").get() == (yesterday, 2, 1)
    call_command("check_facts", stdout=StringIO())


def test_a_call_of_a_store_has_nothing_counted_again(chain: Chain) -> None:
    call_ended("call-1", chain.store, "067 123 45 67", ended_at=noon(TODAY))
    assert not StaleMark.objects.exists()


def test_the_check_compares_them_with_the_calls_and_a_rebuild_mends_them(
    chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reports.checking._PAUSE_SECS", 0)
    calls(chain.call_centre, [10, 9, 3], day=TODAY - timedelta(days=8))
    # Nobody answers on that day: nothing but the calls tells of it.
    calls(chain.call_centre, [], day=TODAY, unanswered=2)
    call_command("rebuild_facts", "--anew", stdout=StringIO())
    call_command("check_facts", stdout=StringIO())
    AgentWeek.objects.update(happy=1)
    QueueDay.objects.get(local_day=TODAY).delete()
    out = StringIO()
    with pytest.raises(SystemExit):
        call_command("check_facts", stdout=out)
    assert "store CALL: AgentWeek" in out.getvalue() and "orders A1 nps: happy 1 instead of 2" in out.getvalue()
    assert "orders: cells 0 instead of 1" in out.getvalue()
    call_command("rebuild_facts", "--anew", stdout=StringIO())
    call_command("check_facts", stdout=StringIO())
    QueueDay.objects.all().delete()
    count_store(chain.call_centre.pk)
    call_command("check_facts", stdout=StringIO())


def test_an_agent_is_forgotten_on_request_and_after_three_years(client: Client, chain: Chain) -> None:
    calls(chain.call_centre, [10, 9, 3], day=TODAY)
    calls(chain.call_centre, [1], day=TODAY - timedelta(days=1200), agent="A2")
    counted(chain.call_centre)
    purge()
    assert [row[:2] for row in weeks(chain)] == [("orders", "A1")]
    assert not Call.objects.filter(agent="A2").exists()
    # An answer that nobody has counted yet, and files of which one names the agent.
    calls(chain.call_centre, [9], day=TODAY - timedelta(days=21))
    client.force_login(chain.call_centre_lead)
    for page in ("report_calls", "reports"):
        client.post("/reports/files/", {"of": page, "query": "", "format": "csv", "kind": FIGURES})
        run_due()
    call_command("forget_agent", "CALL", "A1")
    assert weeks(chain) == [("orders", "", "nps", 1, 0, 0), ("orders", "", "nps", 2, 0, 1)]
    assert not Call.objects.filter(agent="A1").exists()
    states = {job.params["page"]: (job.state, job.chunks.exists()) for job in Job.objects.all()}
    assert states == {"report_calls": (JobState.FAILED, False), "reports": (JobState.DONE, True)}
    event = SecurityEvent.objects.get(kind=SecurityEventKind.AGENT_FORGOTTEN)
    client.force_login(chain.head_office)
    page = client.get("/accounts/events/").content.decode()
    assert event.scope == chain.call_centre.name and "Name of an agent taken off calls" in page and "None" not in page
    for names in (("CALL", "A1"), ("NO", "A1")):
        with pytest.raises(CommandError):
            call_command("forget_agent", *names)


def test_purged_agents_are_neither_missed_nor_made_again(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reports.checking._PAUSE_SECS", 0)
    for days in (1200, 1050, 990):
        calls(chain.call_centre, [9, 8], day=TODAY - timedelta(days=days), agent=f"A{days}")
    # Answered four weeks after the call, whose name has ended.
    called, answered = (TODAY - timedelta(days=days) for days in (1100, 1072))
    calls(chain.call_centre, [9], day=called, answered=answered, agent="A1072")
    calls(chain.call_centre, [9], day=TODAY)
    # Of the three years the weeks with answers, which is quicker.
    centre = chain.call_centre.pk
    mondays = sorted({monday_of(day) for day in Response.objects.values_list("local_day", flat=True)})
    for _round in range(2):
        for monday in mondays:
            count_week([centre], monday)
        assert not any(one.differences for one in check(stores=[centre], weeks=mondays))
        purge()
        assert not any(one.differences for one in check(stores=[centre], weeks=mondays))
        assert [row[1] for row in weeks(chain)] == ["A1", "A990"]


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


def page_of(client: Client, user: User, query: str = "") -> Any:
    client.force_login(user)
    return client.get(f"/reports/calls/{query}")


def busy(chain: Chain) -> None:
    """Two queues: in one of them four agents, of whom one is worse than chance would have it; and some with few."""
    week, centre = TODAY - timedelta(weeks=2), chain.call_centre
    for agent, scores in (("Ada", [10] * 40), ("Bo", [10] * 36 + [2] * 4), ("Cy", [10] * 38 + [7] * 2)):
        calls(centre, scores, day=week, agent=agent)
    calls(centre, [10] * 10 + [1] * 30, day=week, agent="Dora")
    calls(centre, [10] * 30, day=week, agent="", queue="returns")
    calls(centre, [10] * 8, day=week, agent="Few")
    calls(centre, [1] * 3, day=week, agent="Hidden")
    calls(centre, [9] * 40, day=week, queue="returns", agent="Ada", unanswered=60)
    calls(centre, [10] * 40, day=week - timedelta(weeks=13), agent="Dora")
    counted(centre)


def test_a_lead_sees_queues_and_agents_and_what_is_no_more_than_chance(
    client: Client, chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy(chain)
    (response,) = calls(chain.call_centre, [0], day=TODAY, agent="Dora")
    calls(chain.call_centre, [], day=TODAY, queue="new", unanswered=3)
    make_case(response)
    counted(chain.call_centre)
    client.force_login(chain.call_centre_lead)
    with CaptureQueriesContext(connection) as queries:
        page = client.get("/reports/calls/")
    assert len(queries) <= 21
    found, shown = page.context["calls"], page.content.decode()
    rows = {row.name: row for row in found.agents}
    assert [row.name for row in found.queues] == ["new", "orders", "returns"]
    assert (found.queues[0].score.n, found.queues[0].asked) == (0, Share(0, 3))
    assert found.whole.score.n == 242 and found.whole.asked.n == 305
    assert (rows["Ada"].score.n, rows["Dora"].score.nps) == (80, Nps(10, 0, 31))
    # Three answers are hidden, and the smallest of the others with them.
    assert (rows["Hidden"].score.hidden, rows["Few"].score.hidden) == (True, True)
    assert rows["Hidden"].score.n == 3 and rows["Dora"].likely and not rows["Few"].likely
    assert (rows["Dora"].stands, rows["Dora"].unlike.points < 0, rows["Dora"].score.moved) == (True, True, True)
    assert [row.name for row in found.agents][-4:] == ["Dora", "", "Few", "Hidden"] and found.apart >= 1
    assert (rows["Dora"].waiting.cases, rows["Dora"].waiting.late, found.whole.waiting.cases) == (1, 1, 1)
    assert "more than chance would have it" in shown and "1 late" in shown
    assert "queue=orders&question=nps" in found.queues[1].words and "agent=Ada" in rows["Ada"].words
    # In one queue, by name.
    page = page_of(client, chain.call_centre_lead, "?queue=returns&order=name")
    assert [(row.name, row.score.n) for row in page.context["calls"].agents] == [("Ada", 40), ("", 30)]
    assert "queue=returns&agent=Ada" in page.context["calls"].agents[0].words
    monkeypatch.setattr(call_pages, "PER_PAGE", 4)
    page = page_of(client, chain.call_centre_lead, "?page=2&order=name")
    assert [row.name for row in page.context["sheet"]] == ["Few", "Hidden", ""]
    assert 'href="?store=CALL&amp;order=name&amp;page=1#agents"' in page.content.decode()
    # Senseless choices count as none.
    page = page_of(client, chain.call_centre_lead, "?queue=nothing&order=%3Cb%3E&kind=x&weeks=4&store=CALL")
    assert (page.context["calls"].queue, page.context["period"].weeks) == ("", 4)


def test_cases_wait_of_queues_and_agents_that_nobody_has_scored_lately(client: Client, chain: Chain) -> None:
    busy(chain)
    long_ago = TODAY - timedelta(weeks=60)
    for agent, queue in (("Ada", "orders"), ("Old", "orders"), ("Old", "gone"), ("", "")):
        make_case(*calls(chain.call_centre, [0], day=long_ago, agent=agent, queue=queue))
    # This one is about no call.
    make_case(*answer(make_touchpoint(store=chain.call_centre), 3, day=TODAY))
    found = page_of(client, chain.call_centre_lead).context["calls"]
    assert found.whole.waiting == Waiting(4, 4)
    for rows, cases in (
        (found.queues, {"orders": 2, "gone": 1, "": 1, "returns": 0}),
        (found.agents, {"Ada": 1, "Old": 2, "": 1}),
    ):
        waiting = {row.name: row.waiting.cases for row in rows}
        assert {name: waiting[name] for name in cases} == cases and sum(waiting.values()) == 4
    found = page_of(client, chain.call_centre_lead, "?queue=gone").context["calls"]
    assert [(row.name, row.score.n, row.waiting.cases) for row in found.agents] == [("Old", 0, 1)]


def test_agents_have_figures_where_the_chain_wants_them_only(client: Client, chain: Chain, settings: Any) -> None:
    busy(chain)
    (response,) = calls(chain.call_centre, [2], day=TODAY, agent="Xenia", words="She hung up on me")
    counted(chain.call_centre)
    said = f"/verbatims/{response.verbatims.get().pk}/"
    for wanted in (True, False):
        settings.AGENT_FIGURES = wanted
        page = page_of(client, chain.call_centre_lead)
        found, shown = page.context["calls"], page.content.decode()
        assert (bool(found.agents), "Xenia" in shown, "#agents" in shown) == (wanted, wanted, wanted)
        assert [row.name for row in found.queues] == ["orders", "returns"] and found.whole.score.n == 242
        lines = list(call_lines(read(asked("", chain.call_centre_lead)), asked("", chain.call_centre_lead)))
        assert {line.table for line in lines} >= {"queues", "answered"}
        assert ("Xenia" in {line.name for line in lines}) == wanted
        page = client.get("/verbatims/?agent=Ada")
        assert len(page.context["found"].verbatims) == (0 if wanted else 1)
        shown = page.content.decode()
        assert ('name="agent"' in shown, "Agent: Ada" in shown) == (wanted, wanted)
        assert ("Xenia" in client.get(said).content.decode()) == wanted


def test_how_many_answered_tells_nothing_of_a_question_whose_number_is_hidden(client: Client, chain: Chain) -> None:
    week, centre = TODAY - timedelta(weeks=1), chain.call_centre
    for queue in ("orders", "returns"):
        calls(centre, [10] * 40, day=week, queue=queue, unanswered=40)
    counted(centre)
    asked_of = {"orders": Share(40, 80), "returns": Share(40, 80), "": Share(80, 160)}
    found = page_of(client, chain.call_centre_lead, "?weeks=4").context["calls"]
    assert {row.name: row.asked for row in (found.whole, *found.queues)} == asked_of
    calls(centre, [5] * 3, day=week, kind=QuestionKind.CSAT)
    counted(centre)
    found = page_of(client, chain.call_centre_lead, "?weeks=4").context["calls"]
    assert {row.name: row.asked for row in (found.whole, *found.queues)} == {
        "": None, "orders": None, "returns": Share(40, 80),
    }  # fmt: skip
    # Of thirteen weeks every number of answers is told.
    assert page_of(client, chain.call_centre_lead).context["calls"].queues[0].asked == Share(43, 83)


def test_another_question_is_never_an_nps(client: Client, chain: Chain) -> None:
    day = TODAY - timedelta(weeks=1)
    for agent, scores in (("Ada", [5] * 40), ("Bo", [5] * 20 + [3] * 20)):
        calls(chain.call_centre, scores, day=day, agent=agent, kind=QuestionKind.SMILEY5)
    calls(chain.call_centre, [10] * 9, day=day)
    counted(chain.call_centre)
    page = page_of(client, chain.head_office)
    found = page.context["calls"]
    rows = {row.name: row for row in found.agents}
    assert (found.kind, rows["Bo"].score.value, rows["Bo"].score.is_nps) == (QuestionKind.SMILEY5, 50.0, False)
    assert rows["Ada"].score.high <= 100 and rows["Ada"].stands and 50 < rows["Ada"].likely.estimate.score < 100
    assert "100%" in page.content.decode() and "NPS ±" not in page.content.decode()
    page = page_of(client, chain.head_office, "?kind=nps")
    assert (page.context["calls"].whole.score.nps.n, page.context["calls"].whole.score.value) == (9, 100.0)


def test_who_has_no_call_centre_has_no_such_page(client: Client, chain: Chain) -> None:
    busy(chain)
    for user, status in ((chain.manager, 404), (chain.area_manager, 404), (chain.head_office, 200)):
        assert page_of(client, user).status_code == status
        assert ('href="/reports/calls/' in client.get("/reports/").content.decode()) == (status == 200)
    # A centre elsewhere is nobody's but its own lead's and theirs above it.
    other = make_store(node=chain.other_area, code="CALL2", name="Second centre", kind=StoreKind.CALL_CENTRE)
    assert page_of(client, chain.foreign_area_manager).context["only_store"] == other
    assert page_of(client, chain.foreign_area_manager, "?store=CALL").status_code == 404
    assert "Ada" not in page_of(client, chain.foreign_area_manager).content.decode()
    assert page_of(client, chain.call_centre_lead, "?store=CALL2").status_code == 404
    assert page_of(client, chain.head_office, "?store=CALL2").context["only_store"] == other


@dataclass
class Solver:
    """Whoever has the page of each period, in all queues and in each, and solves equations. `rows`: how many answers a
    queue's agent had in which week."""

    chain: Chain
    rows: dict[tuple[str, str, int], int]
    # Of which rows the sums are known, and how many of them are of a queue, an agent and a single week.
    known: list[set[int]] = field(default_factory=list)
    seen: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.at = {row: number for number, row in enumerate(self.rows)}
        self._count()
        for weeks in (4, 13):
            for chosen in ("", *"pqr"):
                self._read(weeks, chosen)

    def _count(self) -> None:
        """The same answers in the cells of agents, the centre, and all that lies above it."""
        centre, monday = self.chain.call_centre, Week.of(TODAY).monday
        AgentWeek.objects.bulk_create(
            AgentWeek(
                store=centre, monday=monday - timedelta(weeks=week), queue=queue, agent=agent,
                headline_kind="nps", happy=n, between=0, unhappy=0,
            )
            for (queue, agent, week), n in self.rows.items()
        )  # fmt: skip
        of_weeks: Counter[int] = Counter()
        for (_queue, _agent, week), n in self.rows.items():
            of_weeks[week] += n
        for week, n in of_weeks.items():
            cell = {
                "monday": monday - timedelta(weeks=week), "headline_kind": "nps", "channel": "call",
                "sample_kind": "verified", "responses": n, "promoters": n, "score_counts": [0] * 10 + [n],
            }  # fmt: skip
            StoreWeek.objects.create(store=centre, **cell)
            NodeWeek.objects.bulk_create(NodeWeek(node_id=pk, **cell) for pk in centre.node.above)

    def _read(self, weeks: int, chosen: str) -> None:
        filters, period = Filters(store=self.chain.call_centre, weeks=weeks), Period(Week.of(TODAY), weeks)
        view = view_of(scope_of(self.chain.head_office), filters)
        found = calls_of(view, filters, period, Choice(queue=chosen))
        for what, rows in (("whole", [found.whole]), ("queue", found.queues), ("agent", found.agents)):
            for row in rows:
                self._learn(what, row.name, chosen, row.score, range(weeks))
                self._learn("week", row.name, chosen, row.this_week, range(1), of=what)

    def _learn(self, what: str, name: str, chosen: str, score: Score, weeks: range, *, of: str = "") -> None:
        of = of or what
        cells = {
            at
            for (queue, agent, week), at in self.at.items()
            if week in weeks
            and (of != "queue" or queue == name)
            and (of != "agent" or (agent == name and chosen in ("", queue)))
            and queue not in score.left_out
        }
        if score.shown and cells:
            self.seen[what] += 1
            self.known.append(cells)

    @property
    def follows(self) -> list[set[int]]:
        """What is told or can be worked out about one to four answers: of each row, agent and queue."""
        few = [cells for cells in self.known if self._size(cells) < MIN_SHOWN]
        matrix = np.zeros((len(self.known), len(self.rows)))
        for number, cells in enumerate(self.known):
            matrix[number, list(cells)] = 1
        # A sum follows if it lies in the space of what is known.
        _, values, base = np.linalg.svd(matrix, full_matrices=False)
        base = base[values > 1e-9]
        for cells in self._tried():
            wanted = np.zeros(len(self.rows))
            wanted[list(cells)] = 1
            if 0 < self._size(cells) < MIN_SHOWN and np.allclose(base.T @ (base @ wanted), wanted):
                few.append(cells)
        return few

    def _tried(self) -> Iterator[set[int]]:
        yield from ({at} for at in self.at.values())
        for first, end in ((0, 1), (0, 4), (0, 13), (1, 4), (4, 13)):
            within = {row: at for row, at in self.at.items() if first <= row[2] < end}
            yield from ({at for row, at in within.items() if row[0] == queue} for queue in "pqr")
            yield from ({at for row, at in within.items() if row[1] == agent} for agent in "abcdef")
            for queue, agent in product("pqr", "abcdef"):
                yield {at for row, at in within.items() if row[:2] == (queue, agent)}

    def _size(self, cells: set[int]) -> int:
        counts = list(self.rows.values())
        return sum(counts[at] for at in cells)


def random_calls(seed: int) -> dict[tuple[str, str, int], int]:
    rng, found = random.Random(seed), {}
    for queue, agent in product("pqr", "abcdef"):
        usual = rng.choice([0.2, 2, 8, 30])
        for week in range(26):
            if n := int(rng.expovariate(1 / usual) + rng.random()):
                found[queue, agent, week] = n
    return found


@pytest.mark.parametrize("seed", range(4))
def test_nothing_follows_about_fewer_than_five_answers(chain: Chain, seed: int) -> None:
    solver = Solver(chain, random_calls(seed))
    assert all(solver.seen[what] for what in ("whole", "queue", "agent")), solver.seen
    assert not solver.follows


def test_single_weeks_of_queues_and_agents_are_shown_where_they_may_be(chain: Chain) -> None:
    busy = {(queue, agent, week): 6 for queue in "pqr" for agent in "abcdef" for week in range(13)}
    solver = Solver(chain, busy)
    assert all(solver.seen[what] for what in ("whole", "queue", "agent", "week")) and not solver.follows


def test_without_hiding_more_than_the_few_they_would_follow(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reports.statistics.showing._left_after_hiding", lambda _filled, good, _columns: good)
    assert Solver(chain, random_calls(0)).follows


def test_a_file_says_which_queues_a_sum_leaves_out(chain: Chain) -> None:
    for queue, agent, times in (
        ("orders", "Ada", 2),
        ("orders", "Bo", 40),
        ("orders", "Cy", 9),
        ("returns", "Ada", 40),
    ):
        calls(chain.call_centre, [9] * times, day=TODAY, queue=queue, agent=agent)
    counted(chain.call_centre)
    lines = call_lines(read(asked("", chain.call_centre_lead)), asked("", chain.call_centre_lead))
    ways = {line.name: (line.n, line.way.partition(" · ")[2]) for line in lines if line.table == "agents"}
    question = str(QuestionKind.NPS.label)
    assert ways["Ada"] == (40, f"{question} · without orders") and ways["Bo"] == (40, question)


def test_the_page_leaves_as_a_file_with_what_is_hidden_left_empty(client: Client, chain: Chain) -> None:
    busy(chain)
    page = page_of(client, chain.call_centre_lead).content.decode()
    assert 'href="/reports/files/?of=report_calls' in page
    reading = read(asked("", chain.call_centre_lead))
    lines = list(call_lines(reading, asked("order=name", chain.call_centre_lead)))
    agents = {line.name: line for line in lines if line.table == "agents"}
    assert (agents["Ada"].n, agents["Hidden"].value, agents["Hidden"].hidden) == (80, None, True)
    assert agents["Ada"].place_first == 1 and agents["Dora"].value == -50.0
    assert [(line.name, line.n) for line in lines if line.table == "answered"] == [
        ("All queues", 301), ("orders", 171), ("returns", 130),
    ]  # fmt: skip
    # The answers behind it are those about calls.
    answer(make_touchpoint(store=chain.call_centre), 3, day=TODAY)
    client.post("/reports/files/", {"of": "report_calls", "query": "", "format": "csv", "kind": ANSWERS})
    run_due()
    job = Job.objects.latest("created_at")
    assert (job.done, "Call centre" in job.title) == (241, True)
