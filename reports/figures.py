"""The figures that reports show, and whether each may be shown. Nothing here decides how it looks."""

from dataclasses import dataclass, field
from typing import NamedTuple

from django.utils.translation import gettext

from reports.filters import POOLED
from reports.periods import Period, Week
from reports.statistics import MIN_RANKED, MIN_SHOWN, Difference, Nps, Share
from reports.statistics import NO_ANSWERS as NO_ANSWERS
from surveys.choices import FACES, QuestionKind, ResponseChannel, SampleKind


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
class Figure:
    """An NPS as it may be shown: `hidden` when its group is too small, or would give away one that is."""

    nps: Nps
    hidden: bool
    change: Difference | None = None
    # Whether the change is more than chance, among all those it stands with.
    moved: bool = False
    # Whether even the number of answers is not told; which ways of asking, and how many weeks, a sum had to leave out.
    size_hidden: bool = False
    left_out: list[Source] = field(default_factory=list)
    weeks_left_out: int = 0

    @property
    def shown(self) -> bool:
        return not self.hidden and self.nps.n > 0

    @property
    def ranked(self) -> bool:
        return self.shown and self.nps.n >= MIN_RANKED


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
    """One point of a chart: a week, or the four to five weeks up to and with it; `words` opens those behind it."""

    first: Week
    last: Week
    figure: Figure
    words: str = ""

    @property
    def name(self) -> str:
        return str(self.last) if self.first == self.last else f"{self.first} – {self.last}"


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
    counts: tuple[int, ...]
    lowest: int
    happy_from: int
    unhappy_to: int
    hidden: bool
    words: str

    @property
    def n(self) -> int:
        return sum(self.counts)

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
        return Share(sum(self.counts[self.happy_from - self.lowest :]), self.n)

    @property
    def unhappy(self) -> Share:
        return Share(sum(self.counts[: self.unhappy_to - self.lowest + 1]), self.n)


@dataclass(frozen=True)
class LoopShare:
    """One share of the closed loop and what it is a share of; `suppressed` when it would give away a neighbour's.
    `key` and `whole` are the parts of `loop_cases` whose words are behind them."""

    key: str
    whole: str
    name: str
    share: Share
    suppressed: bool = False

    @property
    def too_few(self) -> bool:
        return self.share.n < MIN_SHOWN

    @property
    def hidden(self) -> bool:
        return self.suppressed or self.too_few


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
        return not (self.running or any(part.share.n for part in self.contactable + self.fix_only + self.outcomes))


@dataclass(frozen=True)
class MixRow:
    """How many answers came by one way of asking, now and before."""

    source: Source
    now: Share
    before: Share
    words: str
    words_before: str
    hidden: bool
    hidden_before: bool


@dataclass
class Overview:
    period: Period
    source: Source | None = None
    chosen: bool = False
    cards: list[SourceCard] = field(default_factory=list)
    pooled_query: str = ""
    headline: Figure | None = None
    headline_words: str = ""
    points: list[Point] = field(default_factory=list)
    rows: list[PlaceRow] = field(default_factory=list)
    moved: list[Moved] = field(default_factory=list)
    compared: int = 0
    answers: list[Answers] = field(default_factory=list)
    loop: ClosedLoop | None = None
    mix: list[MixRow] = field(default_factory=list)
    responses: int = 0
    staff_responses: int = 0

    @property
    def source_is_sum(self) -> bool:
        """Whether chart and table are about more than one of the cards."""
        return self.source is not None and all(card.source != self.source for card in self.cards)
