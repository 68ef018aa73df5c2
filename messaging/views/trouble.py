"""Messages that nothing tries any more: a person says what became of them. No shopper's words or address are shown."""

from datetime import timedelta
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from messaging.actions import send_again, settle_by_hand
from messaging.choices import MessageState
from messaging.models import Message
from messaging.outbox import title_of
from stores.access import StaffRequest, roles_required
from stores.choices import Role
from stores.models import RoleAssignment, User
from stores.queries import roles_of
from stores.standing import people_visible_to

_PAGE = 50
# What goes out again now is news for another day at most.
_NEW_LIFETIME = timedelta(days=1)
_ROLES = (Role.HEAD_OFFICE, Role.OPERATOR)


@roles_required(*_ROLES)
@require_safe
def trouble(request: StaffRequest) -> HttpResponse:
    """Outcome unknown, or given up; the newest first."""
    unsettled = _unsettled(request.user).select_related("user", "hook", "stand_in")
    page = Paginator(unsettled.order_by("-created_at", "pk"), _PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "rows": [(message, title_of(message.kind)) for message in page],
        "is_head_office": Role.HEAD_OFFICE in roles_of(request.user),
    }
    return render(request, "messaging/trouble.html", context)


def _unsettled(viewer: User) -> QuerySet[Message]:
    """Everything to whoever runs the installation or the chain as a whole, for the outbox knows no stores; to the head
    office of a part, what was meant for its own people."""
    found = Message.objects.filter(state__in=(MessageState.UNKNOWN, MessageState.DEAD))
    whole = RoleAssignment.objects.filter(user=viewer, role__in=_ROLES, node__parent=None, node__isnull=False)
    return found if whole.exists() else found.filter(user__in=people_visible_to(viewer))


@roles_required(*_ROLES)
@require_POST
def settle(request: StaffRequest, pk: UUID) -> HttpResponse:
    """`arrived`, `again` or `drop`; whatever somebody else has settled meanwhile stays so."""
    verb = request.POST.get("verb", "")
    done = False
    if _unsettled(request.user).filter(pk=pk).exists():
        if verb == "again":
            done = send_again(pk, expires_at=timezone.now() + _NEW_LIFETIME, actor=request.user)
        elif verb in ("arrived", "drop"):
            done = settle_by_hand(pk, delivered=verb == "arrived", actor=request.user)
    if done:
        messages.success(request, _("Settled."))
    else:
        messages.info(request, _("Somebody has settled this message already."))
    return redirect("message_trouble")
