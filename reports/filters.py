"""What a reader chose to look at. Every choice is in the address, so that each view is a link."""

import re
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import date
from urllib.parse import urlencode

from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, QueryDict

from reports.lattice import Place, node_place, store_place
from reports.periods import Week, within_reason
from reports.stretches import Stretch, before, latest
from stores.choices import REPORT_ROLES
from stores.models import Node, Store, User
from stores.queries import held_by, stores_visible_to
from surveys.choices import ResponseChannel, SampleKind

POOLED = "pooled"
WEEKS = (4, 13, 26, 52)
DEFAULT_WEEKS = 13
_NUMBER = re.compile(r"[0-9]{1,18}")


@dataclass(frozen=True)
class Filters:
    """Empty means: everything in scope; for `sample` and `channel`: the largest sample, side by side with the others.

    `sample` is a SampleKind or POOLED, the one explicit way to have different samples in one figure. The weeks are the
    latest ones, or those up to and with `until`, so that a link means the same later on.
    """

    node: Node | None = None
    store: Store | None = None
    channel: str = ""
    sample: str = ""
    weeks: int = DEFAULT_WEEKS
    until: Week | None = None
    # How many weeks ago that was.
    back: int = 0
    # Whether something in the address made no sense and counts as not chosen.
    is_odd: bool = field(default=False, compare=False)

    @property
    def now(self) -> list[Stretch]:
        """The weeks that were chosen, as figures are counted by."""
        return latest(self.weeks, back=self.back)

    @property
    def ago(self) -> list[Stretch]:
        """As many weeks right before."""
        return before(self.weeks, back=self.back)

    def query(self) -> str:
        """The address after the question mark; what is at its default is left out."""
        chosen = {
            "node": str(self.node.pk) if self.node else "",
            "store": self.store.code if self.store else "",
            "channel": self.channel,
            "sample": self.sample,
            "weeks": str(self.weeks) if self.weeks != DEFAULT_WEEKS else "",
            "until": str(self.until) if self.until else "",
        }
        return "?" + urlencode({key: value for key, value in chosen.items() if value})

    def but(self, **changes: object) -> str:
        """The address of the same view with some choices changed."""
        return replace(self, **changes).query()  # type: ignore[arg-type]


@dataclass(frozen=True)
class Scope:
    """What a reader of reports may choose from; `tops` are the places that hold all of it, none under another."""

    stores: QuerySet[Store]
    nodes: QuerySet[Node]
    tops: list[Place]


def scope_of(user: User) -> Scope:
    """Raises Http404 for who has no role that reads reports."""
    held = [one for one in held_by(user) if one.role in REPORT_ROLES]
    if not held:
        raise Http404
    stores = stores_visible_to(user, roles=REPORT_ROLES)
    if user.within_store_id is not None:
        reach = stores.filter(pk=user.within_store_id)
        return Scope(reach, Node.objects.none(), [store_place(store.pk) for store in reach])
    paths = {one.node.path: one.node.pk for one in held if one.node}
    reach_nodes = Q(pk__in=[])
    for path in paths:
        reach_nodes |= Q(path__startswith=path)
    tops = [node_place(pk) for path, pk in paths.items() if not _under(path, paths)]
    own = {one.store.pk: one.store.node.path for one in held if one.store}
    tops += [store_place(pk) for pk, path in own.items() if not any(path.startswith(above) for above in paths)]
    return Scope(stores, Node.objects.filter(reach_nodes), sorted(tops))


def _under(path: str, paths: Collection[str]) -> bool:
    return any(path != above and path.startswith(above) for above in paths)


def find_store(stores: QuerySet[Store], code: str) -> Store | None:
    """The one of `stores` with this code; None also for a code that no database could hold."""
    return stores.select_related("node").filter(code=code).first() if "\x00" not in code else None


def find_node(nodes: QuerySet[Node], number: str) -> Node | None:
    """The one of `nodes` with this id, as it stands in an address; None also for what is no id."""
    return nodes.filter(pk=number).first() if _NUMBER.fullmatch(number) else None


def read_filters(
    request: HttpRequest, scope: Scope, this_week: Week, *, mark: str = "", otherwise: Filters | None = None
) -> Filters:
    """What stands in the address, under names with `mark` at their end. Raises Http404 for a node or store outside the
    scope; any other senseless value counts as not chosen. `otherwise`: of when, where that is not chosen."""
    sent: QueryDict = request.GET
    chosen = {name: sent.get(name + mark, "") for name in ("store", "node", "channel", "sample", "weeks", "until")}
    node = store = None
    if chosen["store"]:
        store = find_store(scope.stores, chosen["store"])
        if store is None:
            raise Http404
    elif chosen["node"]:
        node = find_node(scope.nodes, chosen["node"])
        if node is None:
            raise Http404
    channel, sample, weeks = chosen["channel"], chosen["sample"], chosen["weeks"]
    default = otherwise or Filters()
    until = _week(chosen["until"], this_week)
    makes_sense = {
        "channel": channel in ResponseChannel.values,
        "sample": sample in {*SampleKind.values, POOLED},
        "weeks": weeks in {str(number) for number in WEEKS},
        "until": until is not None,
    }
    until = until or default.until
    return Filters(
        node=node,
        store=store,
        channel=channel if makes_sense["channel"] else "",
        sample=sample if makes_sense["sample"] else "",
        weeks=int(weeks) if makes_sense["weeks"] else default.weeks,
        until=until,
        back=(this_week.monday - until.monday).days // 7 if until else 0,
        is_odd=any(chosen[name] and not sensible for name, sensible in makes_sense.items()),
    )


def _week(written: str, this_week: Week) -> Week | None:
    """An ISO week, or that of a day; None for what is neither, or is to come."""
    try:
        week = Week.parse(written)
    except ValueError:
        try:
            day = date.fromisoformat(written)
        except ValueError:
            return None
        if not within_reason(day):
            return None
        week = Week.of(day)
    return week if week <= this_week else None


def selected_stores(scope: Scope, filters: Filters) -> QuerySet[Store]:
    """The stores that the filters leave of the scope."""
    if filters.store:
        return scope.stores.filter(pk=filters.store.pk)
    if filters.node:
        return scope.stores.filter(node__path__startswith=filters.node.path)
    return scope.stores


def node_options(scope: Scope) -> list[tuple[Node, str]]:
    """The nodes to choose from, each under the one above it, with what stands before its name to show that."""
    nodes = {node.pk: node for node in scope.nodes}
    above = {pk: [int(part) for part in node.path.strip("/").split("/")] for pk, node in nodes.items()}
    within = {pk: [part for part in path if part in nodes] for pk, path in above.items()}
    order = sorted(nodes, key=lambda pk: [(bytes(nodes[part].sort_key), part) for part in within[pk]])
    return [(nodes[pk], "\u2003" * (len(within[pk]) - 1)) for pk in order]
