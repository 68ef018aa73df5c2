"""What is hidden of single weeks follows from no remainder, and from no number of answers on other pages."""

import re
from collections import defaultdict
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from reports.figures import ANY_WAY, Reach
from reports.models import AskedCount, AskedNodeWeek, AskedWeek, NodeWeek, StoreWeek
from reports.pages import read
from reports.periods import Week, latest_day
from reports.tables import asked, asking_lines, overview_lines
from stores.choices import NodeKind, Role
from stores.models import Node, Store
from tests.factories import Chain, make_node, make_store, make_user

WEEK = Week.of(latest_day(["Europe/Kyiv"]))
WAY = {"headline_kind": "nps", "channel": "qr", "sample_kind": "volunteer"}


def counted(store: Store, ago: int, **columns: int) -> None:
    """A week of a store, and of all places above it."""
    monday = (WEEK + -ago).monday
    promoters = columns.get("promoters", 0)
    more = {"responses": promoters, "score_counts": [0] * 10 + [promoters]}
    StoreWeek.objects.create(store=store, monday=monday, **WAY, **more, **columns)
    for node in Node.objects.filter(pk__in=store.node.above):
        cell, new = NodeWeek.objects.get_or_create(
            node=node, monday=monday, **WAY, defaults={"score_counts": [0] * 11} | more | columns
        )
        if not new:
            for name, n in (columns | {"responses": promoters}).items():
                setattr(cell, name, getattr(cell, name) + n)
            cell.score_counts = [0] * 10 + [cell.promoters]
            cell.save()


@pytest.fixture
def hiding(chain: Chain) -> tuple[Store, Store]:
    """Two stores with 3, 7, 0 and 4, 0, 6 answers in the three parts of thirteen weeks: each part of their area is
    shown, and none of theirs."""
    for store, sizes in ((chain.store, (3, 7, 0)), (chain.neighbour, (4, 0, 6))):
        for ago, n in zip((1, 5, 9), sizes, strict=True):
            if n:
                counted(store, ago, promoters=n)
    return chain.store, chain.neighbour


def text(page: Any) -> str:
    body = page.content.decode().partition("<main")[2].partition("</main>")[0]
    return " ".join(re.sub(r"<(script|style|form).*?</\1>|<[^>]*>", " ", body, flags=re.DOTALL).split())


def test_that_nobody_answered_is_not_said_where_it_may_not_be_told(client: Client, chain: Chain, hiding: Any) -> None:
    """Four weeks without answers, of a store whose parts of thirteen weeks are hidden."""
    client.force_login(chain.area_manager)
    page = client.get(reverse("report_compare"), {"weeks": "4", "store": hiding[1].code})
    assert page.context["comparison"].empty is None and "nobody gave a score" not in text(page)


def test_the_rest_of_two_places_is_of_the_weeks_that_both_show(client: Client, chain: Chain) -> None:
    # The third area hides its many beside the three, so that those of the first are shown.
    areas = [make_node(kind=NodeKind.AREA, name=name, parent=chain.area.parent) for name in ("A", "B", "C")]
    stores = [make_store(node=area, code=f"{area.name}1") for area in areas]
    for store, quarter, n, reached in ((0, 0, 10, 5), (0, 1, 60, 40), (1, 0, 40, 20), (1, 1, 3, 3), (2, 0, 9, 9)):
        counted(stores[store], 13 * quarter + 1, contactable=n, reached=reached)
    counted(stores[2], 14, contactable=40, reached=40)
    manager = make_user(email="two@chain.example", role=Role.AREA_MANAGER, node=areas[0])
    manager.roles.create(role=Role.AREA_MANAGER, node=areas[1])
    client.force_login(manager)
    page = client.get(reverse("report_loop"), {"weeks": "26"})
    league = page.context["league"]
    whole = league.total.contactable[0]
    assert (whole.share.part, whole.share.n, whole.weeks_left_out) == (25, 50, 13)
    rows = {row.name: row for row in [*league.ranked, *league.few]}
    assert rows[stores[0].name].shares[0].share.n == 70 and rows[stores[0].name].unlike is None
    # What the whole tells too is compared with the others in the same weeks.
    points = rows[stores[1].name].unlike.points
    assert (rows[stores[1].name].shares[0].share.n, points) == (40, 0)
    assert "too few answered then to be shown: 13 weeks" in text(page)
    query = {"node": str(areas[0].pk), "against": "group", "weeks": "26"}
    client.force_login(chain.head_office)
    found = client.get(reverse("report_compare"), query).context["comparison"]
    for row in found.shares:
        for one in (row.first, row.second):
            assert 0 <= one.share.part <= one.share.n


def test_a_remainder_is_taken_over_the_same_weeks_only() -> None:
    def reach(told: list[tuple[int, int]], missed: list[tuple[int, int]]) -> Reach:
        return Reach(frozenset((ANY_WAY, one) for one in told), frozenset((ANY_WAY, one) for one in missed))

    whole = reach([(0, 13), (13, 26), (26, 39)], [(39, 52)])
    assert whole.weeks_left_out == 13
    assert whole.leaves_a_rest(reach([(0, 13), (26, 39)], [])), "there is nobody in the second"
    assert whole.leaves_a_rest(reach([(0, 4)], [])), "a part of its weeks"
    assert not whole.leaves_a_rest(reach([(0, 13), (26, 39)], [(13, 26)])), "as many weeks, but others"
    assert not whole.leaves_a_rest(reach([(0, 13), (39, 52)], []))


@pytest.mark.parametrize("back", [0, 4])
def test_no_number_of_hidden_weeks_is_printed(client: Client, chain: Chain, hiding: Any, back: int) -> None:
    client.force_login(chain.head_office)
    until = {"weeks": "4", "until": str(WEEK + -back)}
    page = client.get(reverse("reports"), {"store": "KY2"} | until)
    found = page.context["overview"]
    (card,), (row,) = found.cards, found.mix
    assert found.size_hidden and card.figure.size_hidden and row.size_hidden and row.whole_hidden and row.hidden
    said = text(page)
    assert not re.search(r"n = \d|\b[0-46-9] answers?\b|No answers|\b4 ± |All together \d", said)
    assert "QR code · Volunteer – hidden" in said and "All together –" in said
    query = f"store=KY2&weeks=4&until={until['until']}"
    lines = list(overview_lines(read(asked(query, chain.head_office))))
    assert {line.table for line in lines} >= {"ways", "mix"}
    assert all(line.n is None and line.value is None for line in lines if line.table in ("ways", "weeks", "mix"))
    # Of thirteen weeks it is told, and of four those of the area are.
    assert client.get(reverse("reports"), {"store": "KY2"}).context["overview"].responses == 10
    above = client.get(reverse("reports"), {"node": str(chain.area.pk)} | until)
    assert (above.context["overview"].headline.nps.n, above.context["overview"].size_hidden) == (7, False)
    assert "All together 7" in text(above)


def test_nor_is_it_on_the_page_of_asking(client: Client, chain: Chain, hiding: Any) -> None:
    client.force_login(chain.head_office)
    common = {"channel": "qr", "kind": "", "invited": 0, "delivered": 0, "answered": 0}
    for ago in range(26):
        AskedCount.objects.create(monday=(WEEK + -ago).monday, counted_at=timezone.now(), summed=True)
    sums: dict[Any, int] = defaultdict(int)
    for store, sizes in zip(hiding, ((3, 7), (4, 0)), strict=True):
        for ago, n in zip((1, 5), sizes, strict=True):
            monday = (WEEK + -ago).monday
            steps = {"scans": 50, "opens": 40, "begun": n + 5, "completed": n, "with_words": n}
            AskedWeek.objects.create(store=store, monday=monday, **common, **steps)
            sums[monday] += n
    for monday, n in sums.items():
        steps = {"scans": 100, "opens": 80, "begun": n + 10, "completed": n, "with_words": n}
        AskedNodeWeek.objects.create(node=chain.area, monday=monday, **common, **steps)
    for back in (0, 4):
        until = {"weeks": "4", "until": str(WEEK + -back)}
        page = client.get(reverse("report_asking"), {"store": "KY2"} | until)
        (way,) = page.context["asking"].ways
        assert way.hidden and set(way.rates) == {"opened"}
        row = text(page).partition("QR code 40 / 50")[2]
        assert re.match(r" 80% ± \d+% – – – ", row) and "A dash instead of a number" in text(page)
        query = f"store=KY2&weeks=4&until={until['until']}"
        lines = list(asking_lines(read(asked(query, chain.head_office))))
        assert [str(line.way) for line in lines] == ["Opened, of scans"]
        area = client.get(reverse("report_asking"), {"node": str(chain.area.pk)} | until).context["asking"]
        assert [one.hidden for one in area.places] == [True, True] and not area.ways[0].hidden
    whole = client.get(reverse("report_asking"), {"store": "KY2"}).context["asking"]
    assert (whole.ways[0].hidden, whole.ways[0].now.completed) == (False, 4)
