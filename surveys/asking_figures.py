"""Who was asked and who was not, what became of it, and which programs looked at the links: four weeks, in counts."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum
from django.utils import timezone

from core.shares import Share
from stores.models import Store
from surveys.choices import STAFF_FLAG, UNSENT, Mark, NotAskedReason, ResponseChannel
from surveys.counting import no_answer
from surveys.models import Invitation, LinkHour, NotAsked, Response, ScanHour

DAYS = 28


@dataclass
class Figures:
    """Of one channel, or of one store.

    `invited` got a link of their own. `opens` are pages looked at, `taps` those of them whose link named an answer;
    `scanners` are programs. `unsent` tapped and left; `marks` are answers by what they bear.
    """

    invited: int = 0
    not_asked: dict[NotAskedReason, int] = field(default_factory=dict)
    opens: int = 0
    taps: int = 0
    scanners: int = 0
    answers: int = 0
    unsent: int = 0
    marks: dict[Mark, int] = field(default_factory=dict)

    @property
    def left_in_peace(self) -> int:
        return sum(self.not_asked.values())

    @property
    def leaving(self) -> Share:
        """Of those who tapped something, how many did not send it."""
        return Share(self.unsent, self.unsent + self.answers)

    @property
    def reasons(self) -> list[tuple[str, int]]:
        """Why people were not asked, the most frequent first."""
        return [(str(reason.label), n) for reason, n in sorted(self.not_asked.items(), key=lambda one: -one[1])]

    @property
    def marked(self) -> list[tuple[str, int]]:
        """The marks that answers bear, the most frequent first; what was never sent is no answer."""
        found = sorted(self.marks.items(), key=lambda one: -one[1])
        return [(str(mark.label), n) for mark, n in found if n and mark.value != UNSENT]


def since() -> datetime:
    return timezone.now() - timedelta(days=DAYS)


def by_channel(stores: QuerySet[Store]) -> list[tuple[ResponseChannel, Figures]]:
    """The channels of these stores."""
    found = _figures(Q(store__in=stores), Q(touchpoint__store__in=stores), "channel")
    return [(channel, found[channel.value]) for channel in ResponseChannel]


def by_store(stores: Iterable[Store]) -> list[tuple[Store, Figures]]:
    """Each of a few stores, over all channels."""
    few = list(stores)
    found = _figures(Q(store__in=few), Q(touchpoint__store__in=few), "store")
    return [(store, found[store.pk]) for store in few]


def _figures(of_stores: Q, of_spots: Q, by: str) -> dict[Any, Figures]:
    """By channel or by store, in five queries."""
    begin = since()
    found: dict[Any, Figures] = defaultdict(Figures)
    invited = Invitation.objects.filter(of_stores, created_at__gte=begin)
    for key, number in invited.values_list(by).order_by().annotate(n=Count("pk")):
        found[key].invited = number
    spared = NotAsked.objects.filter(of_stores, at__gte=begin)
    for key, reason, number in spared.values_list(by, "reason").order_by().annotate(n=Count("pk")):
        found[key].not_asked[NotAskedReason(reason)] = number
    links = LinkHour.objects.filter(of_stores, hour__gte=begin).values_list(by).order_by()
    for key, opens, taps, scanners in links.annotate(o=Sum("opens"), t=Sum("taps"), s=Sum("scanners")):
        one = found[key]
        one.opens, one.taps, one.scanners = one.opens + opens, taps, one.scanners + scanners
    walls = ScanHour.objects.filter(of_spots, hour__gte=begin).order_by()
    at_walls = (
        walls.values_list("touchpoint__store").annotate(o=Sum("opens"), r=Sum("robots"))
        if by == "store"
        else [(ResponseChannel.QR.value, *_summed(walls))]
    )
    for key, opens, robots in at_walls:
        one = found[key]
        one.opens, one.scanners = one.opens + opens, one.scanners + robots
    sent = Response.objects.filter(of_stores, submitted_at__gte=begin).order_by()
    counted = {f"mark_{mark.value}": Count("pk", filter=Q(flags__contains=[mark.value])) for mark in Mark}
    # What staff tapped and never sent is a trial of theirs: nobody has left.
    unsent = Count("pk", filter=Q(flags__contains=[UNSENT]) & ~Q(flags__contains=[STAFF_FLAG]))
    for row in sent.values(by).annotate(answers=Count("pk", filter=~no_answer()), unsent=unsent, **counted):
        one = found[row[by]]
        one.answers, one.unsent = row["answers"], row["unsent"]
        one.marks = {mark: row[f"mark_{mark.value}"] for mark in Mark}
    return found


def _summed(walls: QuerySet[ScanHour]) -> tuple[int, int]:
    sums = walls.aggregate(o=Sum("opens"), r=Sum("robots"))
    return sums["o"] or 0, sums["r"] or 0
