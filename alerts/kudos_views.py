"""`/kudos/`: what made shoppers very happy, for the people who made them so."""

from dataclasses import dataclass
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from alerts.cards import Words, words_of
from alerts.inbox import page_of
from alerts.kudos import COUNTED_OVER, count_kudos, kudos_visible_to, with_words
from alerts.kudos import thank as say_thanks
from alerts.models import Kudos
from stores.access import StaffRequest, opens_on_devices, page_of_ours, roles_required
from stores.choices import CASE_ROLES
from stores.models import User


@dataclass(frozen=True)
class KudosCard:
    """Kudos with their words, and who has said thank you for them."""

    kudos: Kudos
    words: list[Words]
    names: list[str]
    mine: bool


def card_of(kudos: Kudos, reader: User) -> KudosCard:
    """Of kudos that `with_words` prepared."""
    thanks = list(kudos.thanks.all())
    mine = any(one.user_id == reader.pk for one in thanks)
    return KudosCard(kudos, words_of(kudos.response), [one.user.name for one in thanks], mine)


@require_safe
@opens_on_devices
@roles_required(*CASE_ROLES)
def feed(request: StaffRequest) -> HttpResponse:
    """The newest kudos of one's stores, and how many of the last week were thanked for. A device shows that week: who
    finds a phone reads no history."""
    mine = kudos_visible_to(request.user)
    lately = mine.filter(created_at__gte=timezone.now() - COUNTED_OVER)
    shown = lately if getattr(request, "device", None) else mine
    page = page_of(with_words(shown), request.GET.get("page"), known=None)
    context = {
        "page": page,
        "cards": [card_of(one, request.user) for one in page],
        "week": count_kudos(lately),
    }
    return render(request, "alerts/kudos.html", context)


@require_POST
@opens_on_devices
@roles_required(*CASE_ROLES)
def thank(request: StaffRequest, response_id: UUID) -> HttpResponse:
    """One tap says thank you."""
    kudos = get_object_or_404(kudos_visible_to(request.user), pk=response_id)
    say_thanks(kudos, request.user)
    if request.htmx:
        fresh = with_words(Kudos.objects.filter(pk=kudos.pk)).get()
        said = _("Thanked. The shopper can see it on their page.")
        return render(request, "alerts/_thanks.html", {"card": card_of(fresh, request.user), "said": said})
    response = redirect(page_of_ours(request.POST.get("next", ""), "/kudos/"))
    response.status_code = 303
    return response
