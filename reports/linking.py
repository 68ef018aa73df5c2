"""The addresses behind figures: the same choices in the explorer of words."""

from typing import Any
from urllib.parse import quote_plus

from reports.explorer import DEFAULT_WEEKS
from reports.figures import Source
from reports.filters import POOLED, Filters
from reports.lattice import Place
from reports.periods import Days, Week
from stores.models import Node, Store
from surveys.choices import QuestionKind


def words_behind(
    filters: Filters,
    *,
    source: Source | None = None,
    place: Node | Store | None = None,
    until: Week | None = None,
    weeks: int | None = None,
    days: Days | None = None,
    **more: str,
) -> str:
    """The explorer's query for the words behind a figure; `days` where it is of these instead of weeks."""
    node = place if isinstance(place, Node) else None if place else filters.node
    store = place if isinstance(place, Store) else None if place else filters.store
    source = source or Source(filters.channel, filters.sample)
    chosen = {
        "node": str(node.pk) if node else "",
        "store": store.code if store else "",
        "channel": source.channel,
        "sample": "" if source.sample == POOLED else source.sample,
        "weeks": str(weeks or filters.weeks),
        "until": str(until or filters.until or ""),
        **more,
    }
    if days:
        chosen |= {"weeks": "", "until": "", "from": days.start.isoformat(), "to": days.end.isoformat()}
    if chosen["weeks"] == str(DEFAULT_WEEKS):
        chosen["weeks"] = ""
    # A page has hundreds of these, and hardly anything in them needs to be quoted.
    return "?" + "&".join(f"{key}={_quoted(value)}" for key, value in chosen.items() if value)


def _quoted(value: str) -> str:
    return value if value.isascii() and value.isalnum() else quote_plus(value)


def nps_words(filters: Filters, **more: Any) -> str:
    """The explorer's query for the words behind an NPS: of those who were asked from 0 to 10 and count in it."""
    return words_behind(filters, question=QuestionKind.NPS.value, **more)


def at_place(filters: Filters, place: Place, named: Node | Store) -> str:
    """The query of the same page about another place."""
    if place.kind == "store":
        return filters.but(store=named, node=None)
    return filters.but(node=named, store=None)
