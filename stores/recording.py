"""What changed of the configuration, and who did it, in the transaction that changes it."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, time
from typing import Any

from django.db.models import Model
from django.utils import timezone

from stores.choices import ChangeKind
from stores.models import ConfigChange, Node, Store, User

Values = Mapping[str, Any]


def snapshot(row: Model, fields: Iterable[str]) -> dict[str, Any]:
    """Columns of a row as JSON has them; of a foreign key the code."""
    return {name: _plain(getattr(row, name)) for name in fields}


def _plain(value: Any) -> Any:
    if isinstance(value, Node | Store):
        return value.code
    if isinstance(value, date | datetime | time):
        return value.isoformat()
    return value


def change(
    subject: Store | Node,
    *,
    actor: User | None,
    old: Values | None = None,
    new: Values | None = None,
    what: str = "",
    kind: ChangeKind = ChangeKind.CHANGED,
) -> ConfigChange | None:
    """What would be recorded, not yet saved: only what differs, and None if nothing does."""
    old, new = old or {}, new or {}
    if kind == ChangeKind.CHANGED:
        differ = [name for name in {**old, **new} if old.get(name) != new.get(name)]
        if not differ:
            return None
        old, new = ({name: values[name] for name in differ if name in values} for values in (old, new))
    return ConfigChange(
        at=timezone.now(),
        actor=actor,
        kind=kind,
        what=what or ("store" if isinstance(subject, Store) else "node"),
        store=subject if isinstance(subject, Store) else None,
        node=subject if isinstance(subject, Node) else None,
        old=dict(old),
        new=dict(new),
    )


def record(*changes: ConfigChange | None) -> int:
    """Keep what is to be kept of `changes`; returns how many that were."""
    kept = [one for one in changes if one is not None]
    ConfigChange.objects.bulk_create(kept, batch_size=1000)
    return len(kept)
