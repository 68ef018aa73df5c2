"""`/setup/templates/` and `/setup/causes/`: head office's replies and root causes."""

from typing import Any

from django.contrib import messages
from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from alerts.models import ReplyTemplate, RootCause
from alerts.replies import BLANKS, best, fill, sample_of
from alerts.setup_actions import Listed, move, save_cause, save_reply, set_active
from alerts.setup_forms import CauseForm, ReplyForm
from sentiment.labels import topic_label
from stores.access import StaffRequest, roles_required
from stores.choices import Role
from stores.queries import stores_visible_to


def _see(name: str, **where: Any) -> HttpResponse:
    response: HttpResponse = redirect(name, **where)
    response.status_code = 303
    return response


def _arrange(request: StaffRequest, row: Listed) -> None:
    """The buttons beside an entry: up, down, retire, restore."""
    match request.POST.get("do"):
        case "up":
            move(row, by=-1)
        case "down":
            move(row, by=1)
        case "retire":
            set_active(row, active=False, actor=request.user)
        case "restore":
            set_active(row, active=True, actor=request.user)


@require_http_methods(["GET", "HEAD", "POST"])
@roles_required(Role.HEAD_OFFICE)
def replies(request: StaffRequest) -> HttpResponse:
    """All replies in the order in which they are offered, with how often each was used."""
    if request.method == "POST":
        _arrange(request, get_object_or_404(ReplyTemplate, pk=_number(request.POST.get("pk"))))
        return _see("replies")
    active: list[dict[str, Any]] = []
    retired: list[dict[str, Any]] = []
    known = ReplyTemplate.objects.prefetch_related("texts").annotate(used=Count("entries"))
    # What is grouped forgets its order.
    for template in known.order_by("order", "pk"):
        texts = {text.language: text for text in template.texts.all()}
        shown = best(texts, [request.LANGUAGE_CODE or "en", "en", *texts])
        topic = topic_label(template.topic) if template.topic else ""
        row = {"template": template, "text": shown, "languages": sorted(texts), "topic": topic}
        (active if template.active else retired).append(row)
    return render(request, "alerts/replies.html", {"active": active, "retired": retired})


@require_http_methods(["GET", "HEAD", "POST"])
@roles_required(Role.HEAD_OFFICE)
def reply(request: StaffRequest, pk: int | None = None) -> HttpResponse:
    """One reply in all its languages; `preview` shows it with its blanks filled and saves nothing."""
    template = get_object_or_404(ReplyTemplate.objects.prefetch_related("texts"), pk=pk) if pk else None
    form = ReplyForm(template, request.POST if request.method == "POST" else None)
    previews: dict[str, str] = {}
    if request.method == "POST" and form.is_valid():
        if "preview" not in request.POST:
            save_reply(template, topic=form.cleaned_data["topic"], texts=form.cleaned_data["texts"], actor=request.user)
            messages.success(request, _("Saved. It is offered from now on."))
            return _see("replies")
        store = stores_visible_to(request.user).order_by("pk").first()
        for language, (_title, text) in form.cleaned_data["texts"].items():
            previews[language] = fill(text, sample_of(store, request.user, language))
    parts = [(part, previews.get(part.code, "")) for part in form.parts]
    context = {"form": form, "parts": parts, "template": template, "blanks": BLANKS.items()}
    return render(request, "alerts/reply.html", context, status=422 if form.is_bound and form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@roles_required(Role.HEAD_OFFICE)
def causes(request: StaffRequest) -> HttpResponse:
    """The list of root causes: add, rename, order, retire."""
    refused: CauseForm | None = None
    if request.method == "POST":
        do, pk = request.POST.get("do", ""), _number(request.POST.get("pk"))
        row = get_object_or_404(RootCause, pk=pk) if pk else None
        if do == "save":
            refused = CauseForm(row, request.POST)
            if refused.is_valid():
                save_cause(row, names=refused.names, actor=request.user)
                messages.success(request, _("Saved."))
                return _see("root_causes")
        elif row is not None:
            _arrange(request, row)
            return _see("root_causes")
    known = list(RootCause.objects.annotate(used=Count("cases")).order_by("order", "pk"))
    forms = [(row, refused if refused and refused.cause == row else CauseForm(row)) for row in known]
    context = {
        "active": [pair for pair in forms if pair[0].active],
        "retired": [row for row in known if not row.active],
        "new": refused if refused and refused.cause is None else CauseForm(None),
        "refused": refused,
    }
    return render(request, "alerts/causes.html", context, status=422 if refused else 200)


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else 0
