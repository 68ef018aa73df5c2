"""What shoppers speak of, in which tone, and what each topic costs in points."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.db import connection, models

from reports.cells import Cells, buckets_of, leaves_of
from reports.figures import Figure, Source
from reports.filters import Filters
from reports.lattice import Lattice, Place
from reports.linking import nps_words
from reports.models import NodeWeek, StoreWeek
from reports.statistics import (
    MIN_RANKED,
    Difference,
    Driver,
    Nps,
    Share,
    moved_among,
    share_difference,
    topic_costs,
)
from reports.stretches import QUARTER, Stretch, mondays
from sentiment.labels import topic_label
from surveys.choices import QuestionKind

Counted = tuple[int, int, int, int]
_NOTHING: Counted = (0, 0, 0, 0)


@dataclass(frozen=True)
class TopicRow:
    """A topic: how many answers speak of it and how, and its cost. Hidden ones have only their number, and of parts of
    thirteen weeks not even that (`size_hidden`)."""

    topic: str
    n: int
    hidden: bool
    share: Share
    negative: Share
    change: Difference | None
    moved: bool
    driver: Driver | None
    words: str
    words_negative: str
    size_hidden: bool = False

    @property
    def name(self) -> str:
        return topic_label(self.topic)


@dataclass(frozen=True)
class Topics:
    source: Source
    total: Nps
    rows: list[TopicRow]
    few: list[TopicRow]
    # Whether it is not told how many answers these topics are of.
    size_hidden: bool = False

    @property
    def all(self) -> list[TopicRow]:
        return [*self.rows, *self.few]

    @property
    def reach(self) -> float:
        """How far the drawing of the costs goes to either side, in points."""
        sides = [abs(row.driver.cost) + row.driver.margin for row in self.rows if row.driver]
        return max([2.0, *sides])


def topics_of(cells: Cells, source: Source, filters: Filters) -> Topics:
    """The topics of the answers to the 0-to-10 question, the costliest first; of cells by week as of those of whole
    periods."""
    cells = cells.by(leaves_of(filters.weeks, by_week=False, back=filters.back))
    now, total = _told(cells, source, filters.now)
    ago, old_total = _told(cells, source, filters.ago)
    covered = [one for one in cells.sources(now) if source.covers(one) and one not in total.left_out]
    spoken = read_topics(cells, covered)
    names = spoken.topics(covered)
    sums = {topic: spoken.sum_of(topic, covered, now) for topic in names}
    olds = {topic: spoken.sum_of(topic, covered, ago) for topic in names}
    shown = {topic for topic in names if total.shown and spoken.may_show(topic, covered, now)}
    drivers = topic_costs(total.nps, {topic: _nps(sums[topic]) for topic in shown if sums[topic][0] >= MIN_RANKED})
    changes = {
        topic: share_difference(Share(sums[topic][0], total.nps.n), Share(olds[topic][0], old_total.nps.n))
        for topic in shown
        if old_total.shown and spoken.may_show(topic, covered, ago)
    }
    moved = dict(zip(changes, moved_among(list(changes.values())), strict=True))
    rows = [
        TopicRow(
            topic=topic,
            n=sums[topic][0],
            hidden=topic not in shown,
            share=Share(sums[topic][0], total.nps.n),
            negative=Share(sums[topic][3], sums[topic][0]),
            change=changes.get(topic),
            moved=moved.get(topic, False),
            driver=drivers.get(topic),
            words=nps_words(filters, source=source, topic=topic),
            words_negative=nps_words(filters, source=source, topic=topic, tone="negative"),
            size_hidden=topic not in shown and in_parts(now),
        )
        for topic in names
        if sums[topic][0]
    ]
    known = sorted((row for row in rows if row.driver), key=lambda row: -(row.driver.cost if row.driver else 0))
    few = sorted((row for row in rows if not row.driver), key=lambda row: -row.n)
    return Topics(source, total.nps, known, few, size_hidden=total.size_hidden)


def in_parts(stretches: Collection[Stretch]) -> bool:
    """Whether any of these is less than thirteen weeks, of which even what is hidden tells its number."""
    return any(end - first < QUARTER for first, end in stretches)


def _told(cells: Cells, source: Source, stretches: list[Stretch]) -> tuple[list[Stretch], Figure]:
    """The weeks in which all that the figure of the period is about is shown, and the figure of these weeks."""
    places = cells.view.places
    missed = cells.figure(places, source, stretches).left_out
    ways = [one for one in cells.sources(stretches) if source.covers(one) and one not in missed]
    hidden = {
        part
        for one in ways
        for part in stretches
        if cells.nps_of(places, one, [part]).n and not cells.shows(cells.lattice(one), places, [part])
    }
    if told := [part for part in stretches if part not in hidden]:
        return told, cells.figure(places, source, told)
    # Each way is shown in other weeks: who speaks of a topic is not part of the sum of these.
    return stretches, replace(cells.figure(places, source, stretches), hidden=True)


def _nps(counted: Counted) -> Nps:
    n, promoters, detractors, _ = counted
    return Nps(promoters, n - promoters - detractors, detractors)


@dataclass
class Spoken:
    """Who speaks of what: by place, way of asking, topic and leaf of the cells."""

    cells: Cells
    counted: dict[Place, dict[Source, dict[str, dict[Stretch, Counted]]]]
    _lattices: dict[tuple[str, Source], tuple[Lattice, Lattice]] = field(default_factory=dict)

    def topics(self, sources: Collection[Source], places: Sequence[Place] | None = None) -> list[str]:
        """What is spoken of in these places, the viewed ones if none."""
        places = self.cells.view.places if places is None else places
        of = [self.counted[place].get(source, {}) for place in places for source in sources]
        return sorted({topic for by_topic in of for topic in by_topic})

    def sum_of(
        self,
        topic: str,
        sources: Collection[Source],
        stretches: Collection[Stretch],
        places: Sequence[Place] | None = None,
    ) -> Counted:
        """What was counted of these places, the viewed ones if none."""
        total = _NOTHING
        for place in self.cells.view.places if places is None else places:
            for source in sources:
                for (first, end), one in self.counted[place].get(source, {}).get(topic, {}).items():
                    if any(low <= first and end <= high for low, high in stretches):
                        total = tuple(x + y for x, y in zip(total, one, strict=True))  # type: ignore[assignment]
        return total

    def may_show(
        self,
        topic: str,
        sources: Collection[Source],
        stretches: Collection[Stretch],
        places: Sequence[Place] | None = None,
    ) -> bool:
        """Whether neither those who speak of the topic nor the others are too few, or would follow from other pages."""
        places = self.cells.view.places if places is None else places
        for lattice in [one for source in sources for one in self._of_both(topic, source)]:
            present = any(lattice.size(place, stretch) for place in places for stretch in stretches)
            if present and not self.cells.shows(lattice, places, stretches):
                return False
        return True

    def _of_both(self, topic: str, source: Source) -> tuple[Lattice, Lattice]:
        """What is shown of those who speak of the topic, and of the others."""
        key = (topic, source)
        if key not in self._lattices:
            speak: dict[Stretch, dict[Place, int]] = defaultdict(dict)
            for place, of in self.counted.items():
                for leaf, one in of.get(source, {}).get(topic, {}).items():
                    speak[leaf][place] = one[0]
            rest = {
                leaf: {place: n for place, nps in by_place.items() if (n := nps.n - speak[leaf].get(place, 0)) > 0}
                for leaf, by_place in self.cells.nps.get(source, {}).items()
            }
            self._lattices[key] = self.cells.lattice_of(speak), self.cells.lattice_of(rest)
        return self._lattices[key]


def read_topics(cells: Cells, sources: Collection[Source]) -> Spoken:
    """What those speak of who were asked in these ways: in one query for nodes and one for stores."""
    found = Spoken(cells, defaultdict(lambda: defaultdict(dict)))
    for model, owner, kind in ((NodeWeek, "node_id", "node"), (StoreWeek, "store_id", "store")):
        places = [place.pk for place in cells.view.all_places if place.kind == kind]
        if places and sources:
            _read_from(found, model, owner, kind, places, sources)
    return found


def _read_from(
    found: Spoken, model: type[models.Model], owner: str, kind: str, places: list[int], sources: Collection[Source]
) -> None:
    cells = found.cells
    oldest, starts = buckets_of(cells.leaves, cells.this_week)
    sums = ", ".join(f"sum((t.value ->> '{name}')::int)::int" for name in ("n", "promoters", "detractors", "negative"))
    statement = f"""
        SELECT {owner}, channel, sample_kind, t.key, width_bucket(monday, %(starts)s::date[]), {sums}
        FROM {model._meta.db_table} CROSS JOIN LATERAL jsonb_each(topics) AS t
        WHERE monday >= %(first)s AND monday <= %(last)s AND {owner} = ANY(%(places)s) AND headline_kind = %(nps)s
            AND (channel, sample_kind) IN (SELECT * FROM unnest(%(channels)s::text[], %(samples)s::text[]))
        GROUP BY 1, 2, 3, 4, 5
    """  # noqa: S608  (our own names)
    values: dict[str, Any] = {
        "starts": starts,
        "first": starts[0],
        "last": mondays(min(cells.leaves), cells.this_week)[1],
        "places": places,
        "nps": QuestionKind.NPS.value,
        "channels": [one.channel for one in sources],
        "samples": [one.sample for one in sources],
    }
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        for pk, channel, sample, topic, bucket, *counts in cursor.fetchall():
            if leaf := oldest[bucket - 1]:
                of = found.counted[Place(kind, pk)][Source(channel, sample)].setdefault(topic, {})
                of[leaf] = (counts[0], counts[1], counts[2], counts[3])
