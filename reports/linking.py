"""The addresses behind figures: the same choices in the explorer of words."""

from urllib.parse import urlencode

from reports.explorer import WEEKS
from reports.figures import Source
from reports.filters import POOLED, Filters
from reports.lattice import Place
from reports.periods import Days, Week
from stores.models import Node, Store


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
    """The explorer's query for the words behind a figure; of long periods it opens the last weeks it can. `days` where
    the figure is of these instead of weeks."""
    node = place if isinstance(place, Node) else None if place else filters.node
    store = place if isinstance(place, Store) else None if place else filters.store
    source = source or Source(filters.channel, filters.sample)
    chosen = {
        "node": str(node.pk) if node else "",
        "store": store.code if store else "",
        "channel": source.channel,
        "sample": "" if source.sample == POOLED else source.sample,
        "weeks": str(min(weeks or filters.weeks, max(WEEKS))),
        "until": str(until) if until else "",
        **more,
    }
    if days:
        chosen |= {"weeks": "", "until": "", "from": days.start.isoformat(), "to": days.end.isoformat()}
    if chosen["weeks"] == str(max(WEEKS)):
        chosen["weeks"] = ""
    return "?" + urlencode({key: value for key, value in chosen.items() if value})


def at_place(filters: Filters, place: Place, named: Node | Store) -> str:
    """The query of the same page about another place."""
    if place.kind == "store":
        return filters.but(store=named, node=None)
    return filters.but(node=named, store=None)
