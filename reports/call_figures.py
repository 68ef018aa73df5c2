"""The figures of queues and agents: what their callers said to one headline question, on the scale it was asked on."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from reports.figures import Source
from reports.statistics import MIN_RANKED, Difference, Estimate, Nps, Share, nps_difference, share_difference
from surveys.choices import QuestionKind, ResponseChannel, SampleKind

ASKED = Source(ResponseChannel.CALL.value, SampleKind.VERIFIED.value)


class Tally(NamedTuple):
    """Answers by what their score means on the scale of its question."""

    happy: int = 0
    between: int = 0
    unhappy: int = 0

    @property
    def n(self) -> int:
        return self.happy + self.between + self.unhappy

    def less(self, other: "Tally") -> "Tally":
        return Tally(self.happy - other.happy, self.between - other.between, self.unhappy - other.unhappy)


def sum_of(tallies: Iterable[Tally]) -> Tally:
    """All of them together."""
    return Tally(*map(sum, zip(*tallies, strict=True)))


@dataclass(frozen=True)
class Score:
    """What a group says to one headline question: an NPS, and of any other question the share of happy answers.

    `left_out` names the queues that a sum does not tell of. `value`, `margin`, `low` and `high` are in NPS points or in
    percent.
    """

    kind: QuestionKind
    tally: Tally
    hidden: bool = False
    size_hidden: bool = False
    left_out: list[str] = field(default_factory=list)
    change: Difference | None = None
    # Whether the change is more than chance, among all those it stands with.
    moved: bool = False

    @property
    def is_nps(self) -> bool:
        return self.kind == QuestionKind.NPS

    @property
    def nps(self) -> Nps:
        return Nps(self.tally.happy, self.tally.between, self.tally.unhappy)

    @property
    def happy(self) -> Share:
        return Share(self.tally.happy, self.tally.n)

    @property
    def n(self) -> int:
        return self.tally.n

    @property
    def shown(self) -> bool:
        return not self.hidden and self.n > 0

    @property
    def ranked(self) -> bool:
        return self.shown and self.n >= MIN_RANKED

    @property
    def value(self) -> float:
        return (self.nps.score or 0.0) if self.is_nps else 100 * (self.happy.value or 0.0)

    @property
    def margin(self) -> float:
        return self.nps.margin if self.is_nps else 100 * self.happy.margin

    @property
    def low(self) -> float:
        return self.nps.low if self.is_nps else 100 * self.happy.low

    @property
    def high(self) -> float:
        return self.nps.high if self.is_nps else 100 * self.happy.high

    def beyond(self, other: "Score") -> Difference | None:
        """How far this one lies above the other."""
        if self.is_nps:
            return nps_difference(self.nps, other.nps)
        return share_difference(self.happy, other.happy)


@dataclass(frozen=True)
class Likely:
    """What a group's score is likely to be, in NPS points or percent, and the places it may have; see `ranked`."""

    estimate: Estimate
    is_nps: bool

    @property
    def low(self) -> float:
        return self.estimate.low if self.is_nps else max(0.0, self.estimate.low)

    @property
    def high(self) -> float:
        return self.estimate.high

    @property
    def share(self) -> float:
        return self.estimate.score / 100

    @property
    def share_margin(self) -> float:
        return self.estimate.margin / 100


@dataclass(frozen=True)
class Waiting:
    """Cases somebody still has to do something about: how many, and of these unanswered when their time was over."""

    cases: int = 0
    late: int = 0

    def plus(self, other: "Waiting") -> "Waiting":
        return Waiting(self.cases + other.cases, self.late + other.late)


@dataclass(frozen=True)
class Row:
    """A queue, an agent, or all of them. `unlike`: how far it is from all others together, and whether that `stands`
    among all of them. An empty `name`: telephony told none."""

    name: str
    score: Score
    this_week: Score
    waiting: Waiting
    # Of thousands of rows a page shows some: what leads to their words is made as it is asked for.
    words_of: Callable[..., str]
    query: str = ""
    asked: Share | None = None
    likely: Likely | None = None
    unlike: Difference | None = None
    stands: bool = False
    is_chosen: bool = False

    @property
    def words(self) -> str:
        return self.words_of(source=ASKED, question=self.score.kind.value)

    @property
    def week_words(self) -> str:
        return self.words_of(source=ASKED, weeks=1, question=self.score.kind.value)

    @property
    def answered_words(self) -> str:
        """Of all questions."""
        return self.words_of(source=ASKED)

    @property
    def case_words(self) -> str:
        return self.words_of(source=Source(ResponseChannel.CALL.value, ""), weeks=13, case="todo")

    @property
    def group(self) -> str:
        """By which heading it stands in a ranking; calls that name nobody have no place, and may not be few."""
        if self.likely or (not self.name and self.score.ranked):
            return ""
        return "few" if self.score.shown else "hidden" if self.score.n else "silent"
