"""What people decide about a wall."""

from uuid import uuid4

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from core.tokens import link_token, token_hash
from reports.models import HideReason, WallApproval, WallHidden, WallScreen
from reports.periods import Week
from stores.models import Store, User
from surveys.models import Verbatim

_PURPOSE = "wall screen"


def approve_wall(store: Store, week: Week, *, by: User) -> WallApproval:
    """Note that `by` has looked through the wall; the first who did stands."""
    return WallApproval.objects.get_or_create(store=store, monday=week.monday, defaults={"by": by})[0]


def hide_words(verbatim: Verbatim, *, reason: HideReason, by: User) -> None:
    """Keep these words off every wall. Whoever said so first stands, with their reason."""
    WallHidden.objects.get_or_create(verbatim=verbatim, defaults={"reason": reason, "by": by})


def show_words(verbatim: Verbatim) -> None:
    """Let words hang again."""
    WallHidden.objects.filter(verbatim=verbatim).delete()


def make_screen(store: Store, *, by: User) -> WallScreen:
    """A new link for the store's screen, in place of any before."""
    serial = uuid4()
    made = {"serial": serial, "token_hash": token_hash(link_token(_PURPOSE, serial)), "by": by, "at": timezone.now()}
    return WallScreen.objects.update_or_create(store=store, defaults=made)[0]


def screen_address(screen: WallScreen) -> str:
    """The whole link, which opens the wall for whoever has it."""
    token = link_token(_PURPOSE, screen.serial, known_hash=screen.token_hash)
    return settings.PUBLIC_URL + reverse("screen", args=[token])
