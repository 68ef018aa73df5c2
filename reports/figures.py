"""The figures that reports show, and whether each may be shown. Nothing here decides how it looks."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from django.utils.translation import gettext

from reports.filters import POOLED
from reports.periods import Week
from reports.statistics import MIN_SHOWN, Difference, Nps, Share
from reports.stretches import QUARTER, Stretch
from surveys.choices import (
    FACES,
    PROMOTER_AT_LEAST,
    SCORE_RANGE,
    UNHAPPY_AT_MOST,
    QuestionKind,
    ResponseChannel,
    SampleKind,
)


class Source(NamedTuple):
    """A channel and a sample kind: answers that may be added up without saying so. Empty stands for any."""

    channel: str
    sample: str

    @property
    def name(self) -> str:
        channel = ResponseChannel(self.channel).label if self.channel else gettext("All channels")
        if self.sample == POOLED:
            return gettext("%(channel)s · all samples pooled") % {"channel": channel}
        if not self.sample:
            return str(channel)
        return f"{channel} · {SampleKind(self.sample).label}"

    def covers(self, other: "Source") -> bool:
        return self.channel in ("", other.channel) and self.sample in ("", POOLED, other.sample)


# Whichever way they were asked.
ANY_WAY = Source("", "")


@dataclass(frozen=True)
class Reach:
    """Of which stretches of weeks a sum is made, way by way, and which it leaves out for they are not shown."""

    told: frozenset[tuple[Source, Stretch]] = frozenset()
    missed: frozenset[tuple[Source, Stretch]] = frozenset()

    @property
    def left_out(self) -> list[Source]:
        """Ways of asking of which nothing is told."""
        return sorted({one for one, _ in self.missed} - {one for one, _ in self.told})

    @property
    def weeks_left_out(self) -> int:
        """Of how many weeks some answers to ways that are told are left out."""
        ways = {one for one, _ in self.told}
        return sum(end - first for first, end in {stretch for one, stretch in self.missed if one in ways})

    @property
    def hides_size(self) -> bool:
        """Whether not even the number is told: nothing is shown, and of parts of thirteen weeks no number is either."""
        return not self.told and any(end - first < QUARTER for _, (first, end) in self.missed)

    def leaves_a_rest(self, part: "Reach") -> bool:
        """Whether this sum less that of a part of it is the sum of all others: both are of the same weeks."""
        told = _weeks_of(self.told)
        return _weeks_of(part.told) <= told and told.isdisjoint(_weeks_of(part.missed))


def _weeks_of(stretches: Iterable[tuple[Source, Stretch]]) -> set[tuple[Source, int]]:
    return {(source, week) for source, stretch in stretches for week in range(*stretch)}


@dataclass(frozen=True)
class Figure:
    """An NPS as it may be shown: `hidden` when its group is too small, or would give away one that is."""

    nps: Nps
    hidden: bool
    change: Difference | None = None
    # Whether the change is more than chance, among all those it stands with.
    moved: bool = False
    # Whether even the number of answers is not told, nor whether there is any.
    size_hidden: bool = False
    reach: Reach = Reach()

    @property
    def left_out(self) -> list[Source]:
        return self.reach.left_out

    @property
    def weeks_left_out(self) -> int:
        return self.reach.weeks_left_out

    @property
    def shown(self) -> bool:
        return not self.hidden and self.nps.n > 0


@dataclass(frozen=True)
class SourceCard:
    """One way of asking: its figure, where it leads, and the words behind it."""

    source: Source
    figure: Figure
    current: bool
    query: str
    words: str


@dataclass(frozen=True)
class Point:
    """One point of a chart: a week, or the four to five weeks up to and with it; `words` opens those behind it. Two
    weeks that may be shown together only stand in the `places` of both. `running`: its last week is not over."""

    first: Week
    last: Week
    figure: Figure
    words: str = ""
    places: int = 1
    running: bool = False

    @property
    def name(self) -> str:
        return str(self.last) if self.single else f"{self.first} – {self.last}"

    @property
    def single(self) -> bool:
        return self.first == self.last

    @property
    def weeks(self) -> int:
        return (self.last.monday - self.first.monday).days // 7 + 1

    @property
    def headings(self) -> list[str]:
        """Of the columns in which it stands in a table."""
        return [self.name] if self.places == 1 else [str(self.first), str(self.last)]

    @property
    def label(self) -> str:
        """The shortest name, below a drawing."""
        return str(self.last.number) if self.places == 1 else f"{self.first.number}–{self.last.number}"


@dataclass(frozen=True)
class PlaceRow:
    """A place right below the one that is shown."""

    name: str
    figure: Figure
    points: list[Point]
    query: str
    words: str


@dataclass(frozen=True)
class Moved:
    """A place or a topic that changed more than chance, among all places, stores and topics that stand with it.

    Of a place by NPS points, `figure` being its score now; of a topic by percentage points of the answers that name it,
    `share` being those now.
    """

    name: str
    change: Difference
    query: str
    figure: Figure | None = None
    share: Share | None = None


@dataclass(frozen=True)
class Answers:
    """How often each answer to another headline question was given: a distribution, and never an NPS."""

    kind: str
    source: Source
    # From 0 on, whatever the lowest of the question is.
    scores: tuple[int, ...]
    hidden: bool
    words: str
    size_hidden: bool = False
    reach: Reach = Reach()

    @property
    def lowest(self) -> int:
        return SCORE_RANGE[QuestionKind(self.kind)][0]

    @property
    def counts(self) -> tuple[int, ...]:
        """From the lowest answer to the highest."""
        low, high = SCORE_RANGE[QuestionKind(self.kind)]
        return self.scores[low : high + 1]

    @property
    def n(self) -> int:
        return sum(self.counts)

    @property
    def weeks_left_out(self) -> int:
        return self.reach.weeks_left_out

    @property
    def question(self) -> str:
        return str(QuestionKind(self.kind).label)

    @property
    def each(self) -> list[tuple[int, int, Share]]:
        """The score, the face that stands for it (0: none), and its share; the lowest first."""
        faces = FACES.get(self.kind, ())
        return [
            (self.lowest + place, faces[place] if faces else 0, Share(count, self.n))
            for place, count in enumerate(self.counts)
        ]

    @property
    def happy(self) -> Share:
        return Share(sum(self.counts[PROMOTER_AT_LEAST[QuestionKind(self.kind)] - self.lowest :]), self.n)

    @property
    def unhappy(self) -> Share:
        return Share(sum(self.counts[: UNHAPPY_AT_MOST[QuestionKind(self.kind)] - self.lowest + 1]), self.n)


@dataclass(frozen=True)
class LoopShare:
    """One share of the closed loop and what it is a share of; `suppressed` when it would give away a neighbour's;
    `size_hidden` when not even their number is told. `key` and `whole` are the parts of `loop_cases` whose words are
    behind them."""

    key: str
    whole: str
    name: str
    share: Share
    suppressed: bool = False
    size_hidden: bool = False
    reach: Reach = Reach()

    @property
    def weeks_left_out(self) -> int:
        return self.reach.weeks_left_out

    @property
    def too_few(self) -> bool:
        return self.share.n < MIN_SHOWN

    @property
    def hidden(self) -> bool:
        return self.suppressed or self.size_hidden or self.too_few


@dataclass(frozen=True)
class ClosedLoop:
    """What became of cases whose shoppers were asked in the ways that `source` covers."""

    contactable: list[LoopShare]
    fix_only: list[LoopShare]
    outcomes: list[LoopShare]
    running: int
    source: Source = ANY_WAY

    @property
    def empty(self) -> bool:
        parts = self.contactable + self.fix_only + self.outcomes
        return not (self.running or any(part.share.n or part.size_hidden for part in parts))


@dataclass(frozen=True)
class MixRow:
    """How many answers came by one way of asking, now and before; `size_hidden` and `whole_hidden`: where not even that
    is told, of this way or of all together."""

    source: Source
    now: Share
    before: Share
    words: str
    words_before: str
    hidden: bool
    hidden_before: bool
    size_hidden: bool = False
    whole_hidden: bool = False


@dataclass
class Overview:
    source: Source | None = None
    chosen: bool = False
    cards: list[SourceCard] = field(default_factory=list)
    pooled_query: str = ""
    headline: Figure | None = None
    headline_words: str = ""
    # `_coarse`: whether each point stands for four or five weeks, as many single ones cannot be shown.
    points: list[Point] = field(default_factory=list)
    points_coarse: bool = False
    rows: list[PlaceRow] = field(default_factory=list)
    rows_coarse: bool = False
    moved: list[Moved] = field(default_factory=list)
    compared: int = 0
    answers: list[Answers] = field(default_factory=list)
    loop: ClosedLoop | None = None
    mix: list[MixRow] = field(default_factory=list)
    responses: int = 0
    staff_responses: int = 0
    # Whether the number of answers is not told.
    size_hidden: bool = False

    @property
    def source_is_sum(self) -> bool:
        """Whether chart and table are about more than one of the cards."""
        return self.source is not None and all(card.source != self.source for card in self.cards)
