"""Head office's page of the model versions: read history again, compare, decide."""

from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from sentiment.comparison import InPoints, agreement_of, agreements, lines_of, samples_of, total_of
from sentiment.labels import language_name
from sentiment.models import Analysis, LearntHeads, Rereading, RereadingState, ServedModel
from sentiment.reading import (
    Reader,
    last_decision,
    live_reader,
    missed_lately,
    offered_heads,
    waiting_model,
    with_learnt,
    without_service,
)
from sentiment.rereading import NotNow, discard, go_live, open_rereading, resume, start_rereading
from stores.access import StaffRequest, roles_required
from stores.choices import Role

_LATEST = 10


@require_http_methods(["GET", "HEAD", "POST"])
@roles_required(Role.HEAD_OFFICE)
def models(request: StaffRequest) -> HttpResponse:
    """What reads comments now, what would read them otherwise, and the decision between the two."""
    if request.method == "POST":
        return _decide(request)
    found = open_rereading()
    template = "sentiment/models.html#progress" if request.htmx else "sentiment/models.html"
    return render(request, template, _context(request, found))


def _context(request: StaffRequest, found: Rereading | None) -> dict[str, object]:
    read = Analysis.objects.filter(analysed_at__isnull=False).values_list("model_version", flat=True)
    newest, oldest = read.order_by("-pk").first() or "", read.order_by("pk").first() or ""
    decided = Rereading.objects.filter(state__in=[RereadingState.LIVE, RereadingState.DISCARDED])
    live = last_decision()
    context: dict[str, object] = {
        "live_version": (live and live.model_version) or newest,
        "missed": missed_lately(),
        "earlier_version": "" if without_service(oldest) == without_service(newest) else oldest,
        "rereading": found,
        "past": decided.select_related("decided_by").order_by("-decided_at")[:_LATEST],
    }
    if found is None:
        return context | _choices() | {"ways_back": [one.pk for one in _ways_back()]}
    job = found.job
    lines = lines_of(found)
    stopped = found.state != RereadingState.READY and (job is None or job.is_over)
    context |= {
        "job": job,
        "stopped": stopped,
        "moving": found.state != RereadingState.READY and not stopped,
        "ready": found.state == RereadingState.READY,
        "lines": [(language_name(line.language), line) for line in lines],
        "total": total_of(lines),
        "learnt": _figures(found.heads),
    }
    if found.state == RereadingState.READY:
        context |= {
            "agreements": agreements(agreement_of(found)),
            "samples": list(zip(_titles(), [rows for _field, rows in samples_of(found, request.user)], strict=True)),
        }
    return context


def _choices() -> dict[str, object]:
    """What old comments can be read again by, besides what reads new ones."""
    offered, live = offered_heads(), live_reader()
    return {
        "waiting": waiting_model(),
        "offered": offered,
        "learnt": _figures(offered),
        "has_learnt": live.heads is not None,
    }


def _ways_back() -> list[Rereading]:
    """What was live before, and can read again."""
    kept = ServedModel.objects.filter(kept=True).values("name")
    was_live = Rereading.objects.filter(state=RereadingState.LIVE, model__in=kept).order_by("-decided_at")
    newest: dict[Reader, Rereading] = {}
    for one in was_live:
        newest.setdefault(Reader(one.model, one.heads_id), one)
    newest.pop(live_reader(), None)
    return list(newest.values())


@dataclass(frozen=True)
class _F1:
    """In whole percent; of its margin nothing is known."""

    percent: int
    points: None = None


def _figures(heads: LearntHeads | None) -> list[tuple[str, list[_F1 | InPoints]]]:
    """What was learnt, measured: each figure without it and with it."""
    if heads is None:
        return []
    both = heads.before, heads.after
    quiet = heads.comments - heads.urgent
    found: list[tuple[str, list[_F1 | InPoints]]] = [
        (_("Topics found rightly (F1)"), [_F1(round(100 * one["topics"])) for one in both]),
        (_("Urgent ones found"), [InPoints(round(one["found"] * heads.urgent), heads.urgent) for one in both]),
        (_("False alarms"), [InPoints(round(one["false_alarms"] * quiet), quiet) for one in both]),
    ]
    if heads.judged:
        agreed = [InPoints(round(one["agreed"] * heads.judged), heads.judged) for one in both]
        found.append((_("As people said"), [*agreed]))
    return found


def _titles() -> list[str]:
    return [_("Another sentiment"), _("Other topics"), _("Another urgency")]


def _chosen(by: str) -> Reader:
    """By what the start form wants history read: what is live, what is installed and is not, what was live before, what
    was learnt since, or the model as it is served. Raises NotNow where that is gone since the page was made."""
    live, offered = live_reader(), offered_heads()
    if not by:
        return live
    if by == "installed" and (waiting := waiting_model()):
        return with_learnt(waiting)
    for one in _ways_back():
        if by == f"again-{one.pk}":
            return Reader(one.model, one.heads_id)
    if by == "served":
        return Reader(live.model)
    if offered is not None and by == str(offered.pk):
        return Reader(live.model, offered.pk)
    raise NotNow(_("That version is no longer there. Look again."))


def _decide(request: StaffRequest) -> HttpResponse:
    """Do what the button says to the rereading that its page showed."""
    wish, user = request.POST.get("do", ""), request.user
    if wish not in {"start", "live", "discard", "resume"}:
        return HttpResponse(status=400)
    found = open_rereading()
    try:
        if wish == "start":
            start_rereading(user, _chosen(request.POST.get("by", "")))
            said = _("Old comments are being read again. You can leave this page.")
        elif found is None or str(found.pk) != request.POST.get("of"):
            said = _("Somebody has decided about this already.")
        elif wish == "live":
            go_live(found, user)
            said = _("It goes live: new comments are read by it from now on, old ones follow.")
        elif wish == "discard":
            discard(found, user)
            said = _("Discarded. Everything stays as it was.")
        else:
            resume(found, user)
            said = _("It goes on where it was.")
    except NotNow as refused:
        said = str(refused)
    messages.info(request, said)
    response = redirect("models")
    response.status_code = 303
    return response
