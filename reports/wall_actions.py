"""What people decide about a wall."""

import re
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy

from alerts.models import Case
from core.tokens import link_token, token_hash
from reports.action_reads import actions_about
from reports.models import Action, HideReason, WallApproval, WallCare, WallDeedHidden, WallHidden, WallScreen
from reports.wall import Wall
from stores.history import name_values
from stores.models import Node, Store, User
from stores.recording import change, record
from surveys.models import Verbatim

_PURPOSE = "wall screen"
_HISTORY = "wall"
_CARE = "wall_care"
_NUMBER = re.compile(r"[0-9]{1,18}")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def approve_wall(wall: Wall, *, by: User) -> None:
    """Note that `by` has looked through the wall as it hangs; who did so before stands while nothing else hangs. What
    was seen once stays seen, also when other words hung in its place meanwhile."""
    if wall.looked_through:
        return
    made, now = {"by": by, "at": timezone.now()}, set(wall.marks)
    key = {"store": wall.store, "monday": wall.week.monday}
    with transaction.atomic():
        # Two who look at once both count.
        held, fresh = WallApproval.objects.select_for_update().get_or_create(
            **key, defaults=made | {"seen": sorted(now)}
        )
        if not fresh:
            WallApproval.objects.filter(pk=held.pk).update(**made, seen=sorted(now | set(held.seen)))


@transaction.atomic
def hide_words(verbatim: Verbatim, *, reason: HideReason, by: User) -> None:
    """Keep these words off every wall. Whoever said so first stands, with their reason."""
    made = {"reason": reason, "by": by}
    if WallHidden.objects.get_or_create(verbatim=verbatim, defaults=made)[1]:
        _note(verbatim.response.store, f"words:{verbatim.pk}", by=by, new=reason)


@transaction.atomic
def show_words(verbatim: Verbatim, *, by: User) -> None:
    """Let words hang again."""
    hidden = WallHidden.objects.select_for_update().filter(verbatim=verbatim).first()
    if hidden:
        hidden.delete()
        _note(verbatim.response.store, f"words:{verbatim.pk}", by=by, old=hidden.reason)


def find_deed(store: Store, deed: str) -> Case | Action | None:
    """The case or action that a wall of this store calls so (`Done.deed`); None for anything else."""
    kind, _, number = deed.partition(":")
    if kind == "action" and _NUMBER.fullmatch(number):
        return actions_about(store).filter(pk=number).first()
    if kind == "case" and _UUID.fullmatch(number):
        return Case.objects.filter(store=store, pk=number).first()
    return None


@transaction.atomic
def hide_deed(store: Store, deed: Case | Action, *, reason: HideReason, by: User) -> None:
    """Keep what was done off the walls of this store, with the words it was done about."""
    found, fresh = WallDeedHidden.objects.get_or_create(store=store, **_as(deed), defaults={"reason": reason, "by": by})
    if fresh:
        _note(store, found.deed, by=by, new=reason)


@transaction.atomic
def show_deed(store: Store, deed: Case | Action, *, by: User) -> None:
    """Let it hang again."""
    hidden = WallDeedHidden.objects.select_for_update(of=("self",)).filter(store=store, **_as(deed)).first()
    if hidden:
        _note(store, hidden.deed, by=by, old=hidden.reason)
        hidden.delete()


def _as(deed: Case | Action) -> dict[str, Any]:
    return {"case": deed} if isinstance(deed, Case) else {"action": deed}


def _note(store: Store, thing: str, *, by: User, old: str = "", new: str = "") -> None:
    """For the history of the store: what was taken off or hung again, by whom, and why it had been off."""
    record(change(store, actor=by, what=_HISTORY, old={thing: str(old)}, new={thing: str(new)}))


@transaction.atomic
def begin_care(node: Node, *, by: User) -> None:
    """Have words at the stores at or below this node hang only once somebody has looked through them."""
    if WallCare.objects.get_or_create(node=node, defaults={"made_by": by})[1]:
        record(change(node, actor=by, what=_CARE, old={_CARE: ""}, new={_CARE: _CARE}))


@transaction.atomic
def end_care(node: Node, *, by: User) -> None:
    """Let words there hang at once, unless a node above asks for care."""
    if WallCare.objects.filter(node=node).delete()[0]:
        record(change(node, actor=by, what=_CARE, old={_CARE: _CARE}, new={_CARE: ""}))


def make_screen(store: Store, *, by: User) -> WallScreen:
    """A new link for the store's screen, in place of any before."""
    serial = uuid4()
    made = {"serial": serial, "token_hash": token_hash(link_token(_PURPOSE, serial)), "by": by, "at": timezone.now()}
    return WallScreen.objects.update_or_create(store=store, defaults=made)[0]


def screen_address(screen: WallScreen) -> str:
    """The whole link, which opens the wall for whoever has it."""
    token = link_token(_PURPOSE, screen.serial, known_hash=screen.token_hash)
    return settings.PUBLIC_URL + reverse("screen", args=[token])


name_values(_HISTORY, HideReason.choices)
name_values(_CARE, [(_CARE, gettext_lazy("only once somebody has looked through them"))])
