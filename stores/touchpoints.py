"""Making, naming, retiring touchpoints and giving them new codes: each one transaction, with a record of who did it.

Whoever calls has asked `stores.access` whether the actor may.
"""

from collections.abc import Collection, Mapping
from datetime import timedelta
from itertools import count, islice

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from core.tokens import typed_code
from stores.choices import ChangeKind, StoreKind, TouchpointKind
from stores.models import ConfigChange, FormerCode, Store, Touchpoint, User
from stores.recording import Values, change, record, snapshot

FIELDS = ("kind", "name")
# How long an old code leads to the new one: for ever, or not at all.
FOR_EVER, AT_ONCE = None, timedelta(0)


@transaction.atomic
def create_touchpoint(store: Store, *, kind: TouchpointKind, name: str, actor: User | None) -> Touchpoint:
    """A new spot with a code of its own. It asks at once what its kind asks."""
    made = Touchpoint.objects.create(store=store, kind=kind, name=name, code=_free_code())
    record_change(made, actor=actor, kind=ChangeKind.CREATED, new=snapshot(made, (*FIELDS, "code")))
    return made


@transaction.atomic
def equip_stores(store_ids: Collection[int], wanted: Mapping[TouchpointKind, int], *, actor: User | None) -> int:
    """Bring each of these stores to so many touchpoints in use of each kind; what it has stays as it is.

    A call centre gets those of calls only. Where a store has several of a kind, new ones are numbered in the language
    that is active. Returns how many were made.
    """
    # Locked, so that two who do this at once do not make everything twice.
    locked = Store.objects.select_for_update(no_key=True).filter(pk__in=store_ids, retired_at=None).order_by("pk")
    stores = list(locked)
    names: dict[tuple[int, str], list[str]] = {}
    in_use = Touchpoint.objects.filter(store__in=stores, retired_at=None)
    for store_id, kind, name in in_use.values_list("store", "kind", "name"):
        names.setdefault((store_id, kind), []).append(name)
    lacking = [
        Touchpoint(store=store, kind=kind, name=name)
        for store in stores
        for kind, number in wanted.items()
        if store.kind == StoreKind.SHOP or kind == TouchpointKind.CALL
        for name in _further_names(kind, names.get((store.pk, kind), []), number)
    ]
    for touchpoint, code in zip(lacking, _free_codes(len(lacking)), strict=True):
        touchpoint.code = code
    made = Touchpoint.objects.bulk_create(lacking, batch_size=1000)
    record(*(_change(one, actor=actor, kind=ChangeKind.CREATED, new=snapshot(one, (*FIELDS, "code"))) for one in made))
    return len(made)


def _further_names(kind: TouchpointKind, taken: Collection[str], number: int) -> list[str]:
    """What those of a kind are called that a store lacks of so many; the only one is called as its kind."""
    if number == 1:
        return [] if taken else [""]
    free = (name for n in count(len(taken) + 1) if (name := f"{kind.label} {n}") not in taken)
    return list(islice(free, max(0, number - len(taken))))


@transaction.atomic
def change_touchpoint(touchpoint: Touchpoint, *, actor: User | None, kind: TouchpointKind, name: str) -> Touchpoint:
    """Give it another kind or name; its code stays."""
    found = _locked(touchpoint)
    old = snapshot(found, FIELDS)
    found.kind, found.name = kind, name
    found.save(update_fields=FIELDS)
    record_change(found, actor=actor, old=old, new=snapshot(found, FIELDS))
    return found


@transaction.atomic
def retire_touchpoint(
    touchpoint: Touchpoint, *, actor: User | None, replaced_by: Touchpoint | None = None
) -> Touchpoint:
    """Ask there no more. Its code leads to `replaced_by`, alive and of the same store, or to a friendly page."""
    found = _locked(touchpoint)
    if found.retired_at is not None:
        return found
    if replaced_by is not None and (
        replaced_by.store_id != found.store_id or replaced_by.retired_at or replaced_by == found
    ):
        raise ValueError("Only a living touchpoint of the same store can take another's place.")
    found.retired_at, found.replaced_by = timezone.now(), replaced_by
    found.save(update_fields=["retired_at", "replaced_by"])
    # Whoever was led here is led on: a chain of signs would end in a circle one day.
    Touchpoint.objects.filter(replaced_by=found).update(replaced_by=replaced_by)
    new = {"replaced_by": replaced_by.title} if replaced_by else {}
    record_change(found, actor=actor, kind=ChangeKind.RETIRED, new=new)
    return found


@transaction.atomic
def restore_touchpoint(touchpoint: Touchpoint, *, actor: User | None) -> Touchpoint:
    """Ask there again, under the code it had."""
    found = _locked(touchpoint)
    if found.retired_at is not None:
        found.retired_at = found.replaced_by = None
        found.save(update_fields=["retired_at", "replaced_by"])
        record_change(found, actor=actor, kind=ChangeKind.RESTORED)
    return found


@transaction.atomic
def rotate_code(touchpoint: Touchpoint, *, actor: User | None, leads_for: timedelta | None) -> Touchpoint:
    """Give it a new code. The old one leads to the new for `leads_for`: None is for ever, zero not at all (stolen).

    Codes that were replaced before keep the time they were given, but where the last one is dead at once they are too:
    whoever took one may have taken another.
    """
    found, now = _locked(touchpoint), timezone.now()
    leads_until = None if leads_for is None else now + leads_for
    FormerCode.objects.create(touchpoint=found, code=found.code, ended_at=now, leads_until=leads_until)
    if leads_for == AT_ONCE:
        for former in found.former_codes.all():
            if former.leads(now):
                former.leads_until = now
                former.save(update_fields=["leads_until"])
    old = {"code": found.code}
    found.code, found.poster_at = _free_code(), None
    found.save(update_fields=["code", "poster_at"])
    until = "ever" if leads_until is None else "never" if leads_for == AT_ONCE else f"{leads_until:%Y-%m-%d}"
    new = {"code": found.code, "leads_until": until}
    record_change(found, actor=actor, kind=ChangeKind.ROTATED, old=old, new=new)
    return found


def note_posters(codes: Collection[str]) -> int:
    """Keep that posters with these codes were made just now; codes replaced meanwhile are passed over."""
    return Touchpoint.objects.filter(code__in=codes).update(poster_at=timezone.now())


def history_of(touchpoint: Touchpoint) -> QuerySet[ConfigChange]:
    """Everything that was done to it, newest first."""
    found = ConfigChange.objects.filter(store=touchpoint.store_id, what="touchpoint", thing_id=touchpoint.pk)
    return found.select_related("actor")


def record_change(
    touchpoint: Touchpoint,
    *,
    actor: User | None,
    kind: ChangeKind = ChangeKind.CHANGED,
    old: Values | None = None,
    new: Values | None = None,
) -> None:
    """Keep what differs, and who changed it; nothing if nothing does."""
    record(_change(touchpoint, actor=actor, kind=kind, old=old, new=new))


def _change(
    touchpoint: Touchpoint, *, actor: User | None, kind: ChangeKind, new: Values | None, old: Values | None = None
) -> ConfigChange | None:
    made = change(touchpoint.store, actor=actor, what="touchpoint", kind=kind, old=old, new=new)
    if made is not None:
        made.thing_id = touchpoint.pk
    return made


def _locked(touchpoint: Touchpoint) -> Touchpoint:
    """As it is now; whoever else wants to change it waits, but no shopper: their rows only point to it."""
    rows = Touchpoint.objects.select_for_update(of=("self",), no_key=True).select_related("store")
    return rows.get(pk=touchpoint.pk)


def _free_code() -> str:
    """A code that no touchpoint has or has had."""
    [code] = _free_codes(1)
    return code


def _free_codes(number: int) -> list[str]:
    found: set[str] = set()
    while len(found) < number:
        new = {typed_code() for _ in range(number - len(found))}
        for rows in (FormerCode.objects, Touchpoint.objects):
            new.difference_update(rows.filter(code__in=new).values_list("code", flat=True))
        found |= new
    return list(found)
