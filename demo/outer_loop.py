"""What the demo chain does about causes: some of it done, some under way, one late."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from alerts.models import RootCause
from reports.actions import LONGEST_TITLE
from reports.models import Action, ActionEntry, ActionState, EntryOfAction
from stores.choices import Role
from stores.models import Store, User
from stores.queries import people_by_role


@dataclass(frozen=True)
class _Deed:
    """At a store or, from its `role`, at the place where that role holds; `begun`, `done` and `due` in days from now.

    Against the topic or the root cause that is named.
    """

    store: str
    role: Role
    title: str
    begun: int
    due: int
    topic: str = ""
    cause: str = ""
    done: int | None = None
    did: str = ""
    note: str = ""


_DEEDS = (
    _Deed(
        "KY1", Role.AREA_MANAGER, "Друга каса, щойно чекає п’ятеро", -56, -21, topic="waiting", done=-30,
        did="Друга каса відкривається, щойно чекає п’ятеро людей.", note="Домовилися з усіма магазинами регіону.",
    ),
    _Deed(
        "KY1", Role.STORE_MANAGER, "Звіряти цінники щоранку", -12, 9, cause="Price or promotion not as shown",
        note="Перший тиждень: знайшли сім старих цінників.",
    ),
    _Deed(
        "HH2", Role.AREA_MANAGER, "Kartons an der Kasse öffnen und prüfen", -49, -28, topic="quality", done=-35,
        did="Kartons werden an der Kasse geöffnet und geprüft.", note="In allen Filialen eingeführt.",
    ),
    _Deed("BE1", Role.STORE_MANAGER, "Ware nach Rückfrage zurücklegen", -30, -2, cause="Product not available"),
    _Deed(
        "LO1", Role.HEAD_OFFICE, "One answer for returns in every country", -20, 25, topic="returns",
        note="Draft goes round on Thursday.",
    ),
)  # fmt: skip


def begin_actions(now: datetime) -> None:
    """Each with the history that it would have."""
    stores = {store.code: store for store in Store.objects.select_related("node")}
    causes = {cause.name: cause for cause in RootCause.objects.all()}
    for deed in _DEEDS:
        store = stores.get(deed.store)
        owner = (
            next(iter(people_by_role(store, at=now - timedelta(days=60)).get(deed.role, [])), None) if store else None
        )
        if store is not None and owner is not None:
            _begin(deed, store, owner, causes.get(deed.cause), now)


def _begin(deed: _Deed, store: Store, owner: User, cause: RootCause | None, now: datetime) -> None:
    held = owner.roles.filter(role=deed.role, node__isnull=False).select_related("node").first()
    begun, ended = now + timedelta(days=deed.begun), None if deed.done is None else now + timedelta(days=deed.done)
    action = Action.objects.create(
        title=deed.title[:LONGEST_TITLE],
        topic=deed.topic,
        cause=cause,
        store=None if held else store,
        node=held.node if held else None,
        owner=owner,
        due_on=(now + timedelta(days=deed.due)).date(),
        state=ActionState.OPEN if ended is None else ActionState.DONE,
        did=deed.did,
        created_at=begun,
        ended_at=ended,
    )
    entries = [ActionEntry(action=action, kind=EntryOfAction.MADE, by=owner, created_at=begun)]
    if deed.note:
        later = begun + timedelta(days=2)
        entries.append(ActionEntry(action=action, kind=EntryOfAction.NOTE, text=deed.note, by=owner, created_at=later))
    if ended:
        entries.append(ActionEntry(action=action, kind=EntryOfAction.DONE, text=deed.did, by=owner, created_at=ended))
    ActionEntry.objects.bulk_create(entries)
