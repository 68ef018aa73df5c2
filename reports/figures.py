"""The figures that reports show, and whether each may be shown. Nothing here decides how it looks."""

from dataclasses import dataclass, field
from typing import NamedTuple

from django.utils.translation import gettext

from reports.filters import POOLED
from reports.periods import Period, Week
from reports.statistics import MIN_RANKED, MIN_SHOWN, Difference, Nps, Share
from stores.models import Store
from surveys.choices import ResponseChannel, SampleKind

NO_ANSWERS = Nps(0, 0, 0)


class Source(NamedTuple):
    """A channel and a sample kind: answers that may be added up without saying so. Empty stands for any."""

    channel: str
    sample: str

    @property
    def name(self) -> str:
        channel = ResponseChannel(self.channel).label if self.channel else gettext("All channels")
        if self.sample == POOLED:
            return gettext("%(channel)s · all samples pooled") % {"channel": channel}
        return f"{channel} · {SampleKind(self.sample).label}"

    def covers(self, other: "Source") -> bool:
        return self.channel in ("", other.channel) and self.sample in ("", POOLED, other.sample)


@dataclass(frozen=True)
class Figure:
    """An NPS as it may be shown: `hidden` when its group is too small, or would give away one that is."""

    nps: Nps
    hidden: bool
    change: Difference | None = None
    # Whether the change is more than chance, among all those it stands with.
    moved: bool = False

    @property
    def shown(self) -> bool:
        return not self.hidden and self.nps.n > 0

    @property
    def ranked(self) -> bool:
        return self.shown and self.nps.n >= MIN_RANKED


@dataclass(frozen=True)
class SourceCard:
    source: Source
    figure: Figure
    current: bool
    query: str


@dataclass(frozen=True)
class WeekFigure:
    week: Week
    figure: Figure


@dataclass(frozen=True)
class StoreRow:
    store: Store
    figure: Figure
    reached: Share
    reached_hidden: bool
    query: str


@dataclass(frozen=True)
class Smileys:
    """How often each face was chosen, from the unhappiest to the happiest. A distribution and never a score."""

    source: Source
    counts: tuple[int, ...]

    @property
    def n(self) -> int:
        return sum(self.counts)

    @property
    def hidden(self) -> bool:
        return self.n < MIN_SHOWN

    @property
    def faces(self) -> list[tuple[int, Share]]:
        return [(face, Share(count, self.n)) for face, count in enumerate(self.counts, start=1)]


@dataclass(frozen=True)
class LoopShare:
    """One share of the closed loop and what it is a share of; `suppressed` when it would give away a neighbour's."""

    key: str
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
    contactable: list[LoopShare]
    fix_only: list[LoopShare]
    outcomes: list[LoopShare]
    running: int

    @property
    def empty(self) -> bool:
        return not (self.running or any(part.share.n for part in self.contactable + self.fix_only + self.outcomes))


@dataclass
class Overview:
    period: Period
    source: Source | None = None
    chosen: bool = False
    cards: list[SourceCard] = field(default_factory=list)
    pooled_query: str = ""
    headline: Figure | None = None
    weeks: list[WeekFigure] = field(default_factory=list)
    ranked: list[StoreRow] = field(default_factory=list)
    few: list[StoreRow] = field(default_factory=list)
    hidden: list[StoreRow] = field(default_factory=list)
    silent: list[StoreRow] = field(default_factory=list)
    smileys: list[Smileys] = field(default_factory=list)
    loop: ClosedLoop | None = None
    responses: int = 0
    staff_responses: int = 0

    @property
    def source_is_sum(self) -> bool:
        """Whether chart and table are about more than one of the cards."""
        return self.source is not None and all(card.source != self.source for card in self.cards)
