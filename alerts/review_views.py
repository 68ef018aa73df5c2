"""The queue of words that a person should read, and what they make of them."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from alerts.cards import Words, local_moment, words_of
from alerts.choices import TO_DO, Dismissal, ReviewReason, ReviewState
from alerts.inbox import Tab, page_of
from alerts.models import Review
from alerts.queries import cases_visible_to
from alerts.reviewing import AlreadyReviewed, dismiss, open_reviewed
from alerts.reviews import count_to_review, queue_of, reviews_visible_to
from sentiment.holding import LANGUAGE_TOLD
from sentiment.labels import language_name
from sentiment.models import Sentiment
from stores.access import StaffRequest, roles_required
from stores.choices import CASE_ROLES
from stores.models import User

_MOST_EXPIRED = 25


@dataclass(frozen=True)
class ReviewCard:
    """A review with everything its page shows, in the store's own time."""

    review: Review
    words: list[Words]
    why: str
    came_at: str
    ends_at: str


def _card(review: Review) -> ReviewCard:
    zone, now = ZoneInfo(review.store.time_zone), timezone.now()
    ends = review.run_at or review.decided_at or now
    return ReviewCard(
        review=review,
        words=[one for one in words_of(review.response) if one.reading and one.reading.pk == review.verbatim_id],
        why=_why(review),
        came_at=local_moment(review.response.submitted_at, zone, now, dated=True),
        # What came on a Saturday and waits a week, waits until a Saturday.
        ends_at=local_moment(ends, zone, now, dated=True),
    )


def _why(review: Review) -> str:
    """Why this opened no case by itself, in one sentence."""
    match review.reason:
        case ReviewReason.URGENT:
            return _("Words like these can be urgent, or harmless.")
        case ReviewReason.CORRECTED:
            return f"{ReviewReason.CORRECTED.label}."
        case ReviewReason.UNPROVEN:
            analysis = review.verbatim.analysis
            if analysis.sentiment != Sentiment.NEGATIVE:
                return _("A rule looks for such words, but the model is not proven in their language.")
            if analysis.language_confidence is not None and analysis.language_confidence <= LANGUAGE_TOLD:
                return f"{ReviewReason.UNPROVEN.label}."
            name = language_name(analysis.language)
            return _("Sounds angry. The model is not proven in this language (%(language)s).") % {"language": name}
    return _("The model cannot tell whether this is a complaint.")


@require_safe
@roles_required(*CASE_ROLES)
def review_queue(request: StaffRequest) -> HttpResponse:
    """`/inbox/review/`: what waits for a person, and what expired unread in the last days."""
    queue = queue_of(request.user)
    with_words = "response__verbatims__analysis"
    page = page_of(queue.pending.prefetch_related(with_words), request.GET.get("page"), known=None)
    context = {
        "tabs": list(Tab),
        "page": page,
        "cards": [_card(review) for review in page],
        "expired": [_card(review) for review in queue.expired.prefetch_related(with_words)[:_MOST_EXPIRED]],
        "dismissals": Dismissal.choices,
        "to_review": page.paginator.count,
        "open_count": _open_count(request.user),
    }
    return render(request, "alerts/review.html", context)


def _open_count(user: User) -> int:
    return cases_visible_to(user).filter(state__in=TO_DO).count()


@require_POST
@roles_required(*CASE_ROLES)
def review(request: StaffRequest, review_id: int) -> HttpResponse:
    """`/inbox/review/<id>/`: open a case about the words (`open`), or say why they are no complaint (`why`)."""
    found = get_object_or_404(reviews_visible_to(request.user), pk=review_id)
    why = request.POST.get("why", "")
    case = None
    try:
        if "open" in request.POST:
            case = open_reviewed(found.pk, actor=request.user)
            said = _("The case is open. Its thirty minutes are running.")
        elif why in Dismissal.values:
            dismiss(found.pk, actor=request.user, why=Dismissal(why))
            said = _("Noted: not a complaint.")
        else:
            return HttpResponse(status=400)
    except AlreadyReviewed:
        found.refresh_from_db()
        said = _("Somebody was faster: %(outcome)s.") % {"outcome": ReviewState(found.state).label}
    if request.htmx:
        counts = {"to_review": count_to_review(request.user), "open_count": _open_count(request.user)}
        return render(request, "alerts/_reviewed.html", {"said": said, "case": case} | counts)
    messages.success(request, said)
    response = redirect("case", case_id=case.pk) if case else redirect("review_queue")
    response.status_code = 303
    return response
