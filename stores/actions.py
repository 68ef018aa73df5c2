"""Changing the tree and its stores: each one transaction, with a record of who changed what from what to what.

Whoever calls has asked `stores.access` whether the actor may.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, time, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from stores.choices import ChangeKind, HolidayRule, NodeKind
from stores.models import ConfigChange, HoursException, Node, OpeningInterval, Store, User, lock_tree
from stores.opening import weekly_hours
from stores.recording import change, record, snapshot
from stores.signals import stores_moved
from stores.stretches import Stretch, format_stretches, written_week

NODE_FIELDS = ("code", "kind", "name")
STORE_FIELDS = (
    "code",
    "kind",
    "name",
    "address",
    "postcode",
    "city",
    "country",
    "subdivision",
    "time_zone",
    "languages",
    "phone",
    "contact_emails",
    "public_review_url",
    "holiday_rule",
)
CLOSURE_FIELDS = ("closed_from", "closed_until", "closed_reason")


# The row of a date on which a store does not open.
_CLOSED: Sequence[tuple[time | None, time | None]] = [(None, None)]


class PlaceInUse(Exception):
    """A node cannot be retired while stores or nodes lie below it; or nothing can lie below a retired node."""


class CodeTaken(Exception):
    """Another store, or another node, has this code, upper and lower case aside."""


@contextmanager
def _refusing_taken_codes(row: Node | Store) -> Iterator[None]:
    """Around whatever saves a code. Two who enter the same one at once have both passed their forms."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        if type(row).objects.filter(code__iexact=row.code).exclude(pk=row.pk).exists():
            raise CodeTaken from error
        raise


# --- nodes ------------------------------------------------------------------------------------------------------
@transaction.atomic
def create_node(*, parent: Node | None, kind: NodeKind, name: str, code: str = "", actor: User | None) -> Node:
    """A new place in the tree; without a code it gets one from its name.

    Raises CodeTaken, and PlaceInUse below a retired node.
    """
    lock_tree()
    if parent is not None:
        _refuse_retired(parent)
    node = Node(parent=parent, kind=kind, name=name, code=code)
    with _refusing_taken_codes(node):
        node.save()
    record(change(node, actor=actor, kind=ChangeKind.CREATED, new=snapshot(node, (*NODE_FIELDS, "parent"))))
    return node


@transaction.atomic
def change_node(node: Node, *, actor: User | None, **values: Any) -> Node:
    """Give a node another code, kind or name. Raises CodeTaken."""
    lock_tree()
    node = Node.objects.select_related("parent").get(pk=node.pk)
    old = snapshot(node, NODE_FIELDS)
    _assign(node, values, NODE_FIELDS)
    with _refusing_taken_codes(node):
        node.save()
    record(change(node, actor=actor, old=old, new=snapshot(node, NODE_FIELDS)))
    return node


@transaction.atomic
def move_node(node: Node, *, to: Node, actor: User | None) -> Node:
    """Put a node with everything under it below another. Raises TreeError for a circle, PlaceInUse if `to` is retired.

    Roles, reports and the people who answer follow the tree from then on.
    """
    lock_tree()
    _refuse_retired(to)
    node = Node.objects.select_related("parent").get(pk=node.pk)
    old, left = {"parent": node.parent.code if node.parent else None}, node.parent_id
    node.parent = to
    node.save()
    if record(change(node, actor=actor, kind=ChangeKind.MOVED, old=old, new={"parent": to.code})):
        below = Store.objects.filter(node__path__startswith=node.path)
        nodes = {pk for pk in (left, to.pk) if pk is not None}
        stores_moved.send(sender=Node, store_ids=list(below.values_list("pk", flat=True)), nodes=nodes)
    return node


@transaction.atomic
def retire_node(node: Node, *, actor: User | None) -> None:
    """Take a place out of use. Raises PlaceInUse while a store or a node in use lies below it."""
    lock_tree()
    node.refresh_from_db()
    stores = Store.objects.filter(node__path__startswith=node.path, retired_at=None)
    if stores.exists() or Node.objects.filter(path__startswith=node.path, retired_at=None).exclude(pk=node.pk).exists():
        raise PlaceInUse
    if node.retired_at is None:
        node.retired_at = timezone.now()
        Node.objects.filter(pk=node.pk).update(retired_at=node.retired_at)
        record(change(node, actor=actor, kind=ChangeKind.RETIRED))


@transaction.atomic
def restore_node(node: Node, *, actor: User | None) -> None:
    """Take a place back into use. Raises PlaceInUse while the one above it is retired."""
    lock_tree()
    node.refresh_from_db()
    if node.parent is not None:
        _refuse_retired(node.parent)
    if node.retired_at is not None:
        Node.objects.filter(pk=node.pk).update(retired_at=None)
        record(change(node, actor=actor, kind=ChangeKind.RESTORED))


def _refuse_retired(node: Node) -> None:
    if Node.objects.filter(pk__in=node.above, retired_at__isnull=False).exists():
        raise PlaceInUse


# --- stores -----------------------------------------------------------------------------------------------------
@transaction.atomic
def create_store(*, node: Node, actor: User | None, **values: Any) -> Store:
    """A new store. Raises CodeTaken, and PlaceInUse below a retired node."""
    lock_tree()
    _refuse_retired(node)
    store = Store(node=node)
    _assign(store, values, STORE_FIELDS)
    with _refusing_taken_codes(store):
        store.save(force_insert=True)
    record(change(store, actor=actor, kind=ChangeKind.CREATED, new=snapshot(store, (*STORE_FIELDS, "node"))))
    return store


@transaction.atomic
def change_store(store: Store, *, actor: User | None, **values: Any) -> Store:
    """Change master data. Deadlines that run already stay as they are. Raises CodeTaken."""
    store = _locked(store)
    old = snapshot(store, STORE_FIELDS)
    _assign(store, values, STORE_FIELDS)
    with _refusing_taken_codes(store):
        store.save(update_fields=STORE_FIELDS)
    record(change(store, actor=actor, old=old, new=snapshot(store, STORE_FIELDS)))
    return store


def _locked(store: Store) -> Store:
    """The store as it is now; whoever else wants to change it waits, but no shopper: their rows only point to it."""
    return Store.objects.select_for_update(of=("self",), no_key=True).select_related("node").get(pk=store.pk)


def _assign(row: Node | Store, values: Mapping[str, Any], allowed: Sequence[str]) -> None:
    for name, value in values.items():
        assert name in allowed, name
        setattr(row, name, value)


@transaction.atomic
def set_hours(store: Store, week: Mapping[int, Sequence[Stretch]], *, actor: User | None) -> None:
    """Replace the weekly hours (Monday is 0); none at all is "no hours entered", which counts as always open."""
    store = _locked(store)
    old = weekly_hours([store.pk]).get(store.pk, {})
    if not record(change(store, what="hours", actor=actor, old=written_week(old), new=written_week(week))):
        return
    store.opening_intervals.all().delete()
    OpeningInterval.objects.bulk_create(
        OpeningInterval(store=store, weekday=day, opens=opens, closes=closes)
        for day, stretches in week.items()
        for opens, closes in stretches
    )


@transaction.atomic
def set_exception(
    store: Store, first: date, last: date, stretches: Sequence[Stretch], *, reason: str = "", actor: User | None
) -> None:
    """Say how the store is open on each of these local dates, whatever was said before; no stretches is closed."""
    store = _locked(store)
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    old = _exceptions(store, days)
    store.hours_exceptions.filter(date__in=days).delete()
    HoursException.objects.bulk_create(
        HoursException(store=store, date=day, opens=opens, closes=closes, reason=reason)
        for day in days
        for opens, closes in stretches or _CLOSED
    )
    record(change(store, what="exceptions", actor=actor, old=old, new=_exceptions(store, days)))


@transaction.atomic
def remove_exception(store: Store, day: date, *, actor: User | None) -> None:
    """Have the weekly hours hold on that date again."""
    store = _locked(store)
    old = _exceptions(store, [day])
    store.hours_exceptions.filter(date=day).delete()
    record(change(store, what="exceptions", actor=actor, old=old))


def _exceptions(store: Store, days: Sequence[date]) -> dict[str, str]:
    found: dict[str, list[HoursException]] = {}
    for one in store.hours_exceptions.filter(date__in=days).order_by("date", "opens"):
        found.setdefault(one.date.isoformat(), []).append(one)
    return {
        day: " ".join(
            part
            for part in (
                format_stretches((o.opens, o.closes) for o in ones if o.opens is not None and o.closes is not None)
                or "–",
                f"({ones[0].reason})" if ones[0].reason else "",
            )
            if part
        )
        for day, ones in found.items()
    }


@transaction.atomic
def close_for_a_time(
    store: Store, first: date | None, last: date | None = None, *, reason: str = "", actor: User | None
) -> Store:
    """Close the store from one local date to another, both included; no last one is until further notice.

    No first one takes the closure back. Clocks that run already stay as they are.
    """
    store = _locked(store)
    old = snapshot(store, CLOSURE_FIELDS)
    store.closed_from, store.closed_until, store.closed_reason = first, last, reason
    store.save(update_fields=CLOSURE_FIELDS)
    record(change(store, what="closure", actor=actor, old=old, new=snapshot(store, CLOSURE_FIELDS)))
    return store


# --- many stores at once ----------------------------------------------------------------------------------------
@transaction.atomic
def move_stores(stores: QuerySet[Store], *, to: Node, actor: User | None) -> int:
    """Put stores below another node; returns how many were elsewhere before. Raises PlaceInUse if `to` is retired."""
    lock_tree()
    _refuse_retired(to)
    moving = _locked_all(stores.exclude(node=to))
    Store.objects.filter(pk__in=[store.pk for store in moving]).update(node=to)
    record(
        *(
            change(store, actor=actor, kind=ChangeKind.MOVED, old={"node": store.node.code}, new={"node": to.code})
            for store in moving
        )
    )
    if moving:
        nodes = {to.pk, *(store.node_id for store in moving)}
        stores_moved.send(sender=Store, store_ids=[store.pk for store in moving], nodes=nodes)
    return len(moving)


@transaction.atomic
def set_holiday_rule(stores: QuerySet[Store], rule: HolidayRule, *, actor: User | None) -> int:
    """Have stores open or closed on public holidays; returns how many did otherwise before."""
    changing = _locked_all(stores.exclude(holiday_rule=rule))
    Store.objects.filter(pk__in=[store.pk for store in changing]).update(holiday_rule=rule)
    return record(
        *(
            change(store, actor=actor, old={"holiday_rule": store.holiday_rule}, new={"holiday_rule": rule.value})
            for store in changing
        )
    )


@transaction.atomic
def retire_stores(stores: QuerySet[Store], *, actor: User | None) -> int:
    """Close stores for good: they leave lists and checklists, what was said of them stays. Returns how many."""
    retiring = _locked_all(stores.filter(retired_at=None))
    Store.objects.filter(pk__in=[store.pk for store in retiring]).update(retired_at=timezone.now())
    return record(*(change(store, actor=actor, kind=ChangeKind.RETIRED) for store in retiring))


@transaction.atomic
def restore_stores(stores: QuerySet[Store], *, actor: User | None) -> int:
    """Take retired stores back; returns how many. Raises PlaceInUse if one of them lies below a retired node."""
    lock_tree()
    returning = _locked_all(stores.filter(retired_at__isnull=False))
    above = {pk for store in returning for pk in store.node.above}
    if Node.objects.filter(pk__in=above, retired_at__isnull=False).exists():
        raise PlaceInUse
    Store.objects.filter(pk__in=[store.pk for store in returning]).update(retired_at=None)
    return record(*(change(store, actor=actor, kind=ChangeKind.RESTORED) for store in returning))


def _locked_all(stores: QuerySet[Store]) -> list[Store]:
    """In the order of their ids, so that two who lock the same stores do not wait for each other."""
    wanted = list(stores.values_list("pk", flat=True))
    locking = Store.objects.filter(pk__in=wanted).select_related("node").order_by("pk")
    return list(locking.select_for_update(of=("self",), no_key=True))


def changes_of(store: Store) -> QuerySet[ConfigChange]:
    """What was changed of a store, newest first."""
    return store.config_changes.select_related("actor").order_by("-at", "-pk")
