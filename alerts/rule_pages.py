"""Head office's pages of acting: rules, clocks and their steps, groups, the ways of urgency, and what was changed."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from alerts import rule_actions
from alerts.choices import Severity, Trigger
from alerts.false_alarms import WEEK, alarms_of, week_begin, week_name, week_of
from alerts.models import AlertGroup, CasePolicy, Rule, UrgencyRoute
from alerts.preview import Preview, TooSlow, preview_rule
from alerts.rule_checks import unheard_kinds
from alerts.rule_forms import ClockPage, GroupForm, RouteForm, RuleForm
from alerts.rule_history import history_lines
from alerts.urgent_kinds import KINDS, PART_OF, urgency_name
from alerts.wording import LEVEL_NAMES, Names, any_of, policy_lines, rule_sentence, target_names
from stores.access import StaffRequest, roles_required
from stores.choices import Role
from stores.models import ConfigChange

_PAGE = 50
_head_office = roles_required(Role.HEAD_OFFICE)


def _done(said: str, request: StaffRequest, name: str) -> HttpResponse:
    messages.success(request, said)
    response = redirect(name)
    response.status_code = 303
    return response


class _Seen:
    """By which change of a thing a page knows whether it shows what holds; `shown` goes with its form, and comes back.

    A page that only tries something, or lists what is wrong, has seen no more than the one before it.
    """

    def __init__(self, request: StaffRequest, what: str, pk: int | None) -> None:
        changes = ConfigChange.objects.filter(what=what, thing_id=pk) if pk else ConfigChange.objects.none()
        self._latest = str(changes.order_by("-pk").values_list("pk", flat=True).first() or 0)
        self.shown = request.POST.get("seen", "") or self._latest

    def is_outdated(self, say: Callable[[str], None]) -> bool:
        """Whether somebody else has saved it since this page was opened: said once, for the next page knows of it."""
        if self.shown == self._latest:
            return False
        self.shown = self._latest
        say(
            _(
                "Somebody else has saved this in the meantime. What you typed is kept: save again to put it in place "
                "of theirs."
            )
        )
        return True


# --- rules ---------------------------------------------------------------------------------------------------------
@require_safe
@_head_office
def rules(request: StaffRequest) -> HttpResponse:
    """All rules as sentences, in the order in which they are asked."""
    names = Names.read()
    listed = [(rule, str(_(rule.name)), rule_sentence(rule, names)) for rule in Rule.objects.order_by("order", "pk")]

    def of(trigger: Trigger) -> list[Any]:
        return [line for line in listed if line[0].trigger == trigger and line[0].active]

    context = {
        "groups": [
            (_("Asked at Send, by the score"), of(Trigger.SCORE)),
            (_("Asked once the words have been read, seconds later"), of(Trigger.TEXT)),
        ],
        "off": [line for line in listed if not line[0].active],
        "unheard": unheard_kinds(),
        "names": names,
    }
    return render(request, "alerts/rules/list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@_head_office
def rule_new(request: StaffRequest) -> HttpResponse:
    """A rule that is not there yet."""
    return _rule_page(request, Rule(conditions={}, severity=Severity.NORMAL))


@require_http_methods(["GET", "HEAD", "POST"])
@_head_office
def rule(request: StaffRequest, pk: int) -> HttpResponse:
    """One rule: changed, tried on the last thirty days, saved."""
    return _rule_page(request, get_object_or_404(Rule, pk=pk))


def _rule_page(request: StaffRequest, shown: Rule) -> HttpResponse:
    form = RuleForm(shown, request.POST if request.method == "POST" else None)
    context: dict[str, Any] = {"form": form, "rule": shown, "title": str(_(shown.name)) if shown.pk else _("New rule")}
    context["seen"] = seen = _Seen(request, rule_actions.RULE, shown.pk)
    status = 200
    if request.method == "POST":
        saves, refuse = "save" in request.POST, partial(form.add_error, None)
        if not form.is_valid() or (saves and seen.is_outdated(refuse)):
            status = 422
        elif saves:
            try:
                rule_actions.save_rule(form.as_rule, actor=request.user)
                return _done(_("Saved. It holds for every answer from now on."), request, "rules")
            except ValidationError as error:
                form.add_error(None, error)
                status = 422
        else:
            wanted = form.as_rule
            context |= {"sentence": rule_sentence(wanted, Names.read()), **_tried(wanted, request)}
    elif shown.pk:
        context["sentence"] = rule_sentence(shown, Names.read())
    return render(request, "alerts/rules/rule.html", context, status=status)


def _tried(wanted: Rule, request: StaffRequest) -> dict[str, Any]:
    try:
        found: Preview = preview_rule(wanted, request.user)
    except TooSlow:
        return {"too_slow": True}
    most = max((number for _region, number in found.regions), default=0)
    return {"preview": found, "most": most}


@require_POST
@_head_office
def rule_move(request: StaffRequest, pk: int) -> HttpResponse:
    """Ask a rule earlier or later."""
    get_object_or_404(Rule, pk=pk)
    rule_actions.move_rule(pk, up=request.POST.get("to") == "up", actor=request.user)
    response = redirect(f"{reverse('rules')}#rule-{pk}")
    response.status_code = 303
    return response


# --- clocks --------------------------------------------------------------------------------------------------------
@require_safe
@_head_office
def clocks(request: StaffRequest) -> HttpResponse:
    """Every clock with its steps, in sentences."""
    names = Names.read()
    rows = CasePolicy.objects.filter(retired_at=None).prefetch_related("rules")
    listed = [(row, *policy_lines(row.content, names), [str(_(one.name)) for one in row.rules.all()]) for row in rows]
    return render(request, "alerts/rules/clocks.html", {"clocks": listed})


@require_http_methods(["GET", "HEAD", "POST"])
@_head_office
def clock_new(request: StaffRequest) -> HttpResponse:
    """A clock that begins like the usual one."""
    usual = CasePolicy.objects.filter(usual=True).first()
    return _clock_page(request, CasePolicy(content=usual.content if usual else {}))


@require_http_methods(["GET", "HEAD", "POST"])
@_head_office
def clock(request: StaffRequest, pk: int) -> HttpResponse:
    """One clock and its steps."""
    return _clock_page(request, get_object_or_404(CasePolicy, pk=pk, retired_at=None))


def _clock_page(request: StaffRequest, row: CasePolicy) -> HttpResponse:
    posted = request.POST if request.method == "POST" else None
    if posted is not None and "retire" in posted and row.pk:
        try:
            rule_actions.retire_clock(row, actor=request.user)
        except rule_actions.InUse:
            messages.warning(request, _("A rule or an urgency still has this clock. Give those another one first."))
            return redirect("clock", row.pk)
        return _done(_("Taken out of the choices. Open cases keep their clock."), request, "clocks")
    page, seen = ClockPage(row, posted), _Seen(request, rule_actions.CLOCK, row.pk)
    status = 200
    if posted is not None and "more" not in posted:
        if page.is_valid() and not seen.is_outdated(page.errors.append):
            if "name" in page.clock.changed_data:
                row.name = page.clock.cleaned_data["name"]
            rule_actions.save_clock(row, page.policy, actor=request.user)
            return _done(_("Saved. It holds for new cases; open ones keep theirs."), request, "clocks")
        status = 422
    title = str(row) if row.pk else _("New clock")
    context = {"page": page, "row": row, "title": title, "number": len(page.steps), "seen": seen}
    if row.pk:
        context["clock_lines"], context["step_lines"] = policy_lines(row.content, Names.read())
    return render(request, "alerts/rules/clock.html", context, status=status)


# --- groups --------------------------------------------------------------------------------------------------------
@require_safe
@_head_office
def groups(request: StaffRequest) -> HttpResponse:
    """Who is told together."""
    found = AlertGroup.objects.prefetch_related("members").order_by("retired_at", "name", "pk")
    listed = [(group, [member.name for member in group.members.all()]) for group in found]
    return render(request, "alerts/rules/groups.html", {"groups": listed})


@require_http_methods(["GET", "HEAD", "POST"])
@_head_office
def group_new(request: StaffRequest) -> HttpResponse:
    """A group that is not there yet."""
    return _group_page(request, AlertGroup())


@require_http_methods(["GET", "HEAD", "POST"])
@_head_office
def group(request: StaffRequest, pk: int) -> HttpResponse:
    """One group and its people."""
    return _group_page(request, get_object_or_404(AlertGroup, pk=pk))


def _group_page(request: StaffRequest, shown: AlertGroup) -> HttpResponse:
    form = GroupForm(shown, request.POST if request.method == "POST" else None)
    seen = _Seen(request, rule_actions.ALERT_GROUP, shown.pk)
    if request.method == "POST" and form.is_valid() and not seen.is_outdated(partial(form.add_error, None)):
        shown.name = form.cleaned_data["name"]
        shown.retired_at = (shown.retired_at or timezone.now()) if form.cleaned_data["retired"] else None
        rule_actions.save_group(shown, form.cleaned_data["people"], actor=request.user)
        return _done(_("Saved."), request, "alert_groups")
    context = {"form": form, "group": shown, "seen": seen}
    return render(request, "alerts/rules/group.html", context, status=422 if form.errors else 200)


# --- urgency -------------------------------------------------------------------------------------------------------
@require_safe
@_head_office
def urgencies(request: StaffRequest) -> HttpResponse:
    """Whom each kind of urgency tells, whoever else is told."""
    names = Names.read()
    rows = {route.kind: route for route in UrgencyRoute.objects.select_related("policy")}
    unheard = unheard_kinds()
    listed = []
    for kind in KINDS:
        route = rows.get(kind) or UrgencyRoute(kind=kind)
        told = target_names(route.to, names)
        level = str(LEVEL_NAMES[route.level])
        listed.append((kind, urgency_name(kind), told, level, route.policy, unheard.get(kind, []), _wholes(kind)))
    return render(request, "alerts/rules/urgencies.html", {"routes": listed})


@require_http_methods(["GET", "HEAD", "POST"])
@_head_office
def urgency(request: StaffRequest, kind: str) -> HttpResponse:
    """The way of one kind of urgency."""
    if kind not in KINDS:
        raise Http404
    route = UrgencyRoute.objects.filter(kind=kind).first() or UrgencyRoute(kind=kind)
    form = RouteForm(route, request.POST if request.method == "POST" else None)
    seen = _Seen(request, rule_actions.URGENCY, route.pk)
    if request.method == "POST" and form.is_valid() and not seen.is_outdated(partial(form.add_error, None)):
        rule_actions.save_route(form.as_route, actor=request.user)
        return _done(_("Saved. It holds from the next answer on."), request, "urgencies")
    context = {"form": form, "kind": kind, "label": urgency_name(kind), "wholes": _wholes(kind), "seen": seen}
    return render(request, "alerts/rules/urgency.html", context, status=422 if form.errors else 200)


def _wholes(kind: str) -> str:
    """Of which kinds this one is a part, in words; empty for a whole one."""
    return any_of(urgency_name(whole) for whole in PART_OF.get(kind, ()))


# --- history -------------------------------------------------------------------------------------------------------
@require_safe
@_head_office
def rule_changes(request: StaffRequest) -> HttpResponse:
    """Who changed what of all this, newest first."""
    found = ConfigChange.objects.filter(what__in=rule_actions.THINGS).select_related("actor")
    page = Paginator(found, _PAGE).get_page(request.GET.get("page"))
    return render(request, "alerts/rules/changes.html", {"page": page, "lines": history_lines(page.object_list)})


# --- false alarms --------------------------------------------------------------------------------------------------
@require_safe
@_head_office
def false_alarms(request: StaffRequest) -> HttpResponse:
    """How often each rule cried wolf: the week that has ended, or the one that is asked for."""
    this_week = week_begin(timezone.now())
    begin = week_of(request.GET.get("week", "")) or this_week - WEEK
    begin = min(begin, this_week)
    context = {
        "rules": alarms_of(begin, request.user),
        "week": week_name(begin),
        "begin": begin,
        "end": begin + WEEK - timedelta(days=1),
        "before": week_name(begin - WEEK),
        "after": week_name(begin + WEEK) if begin < this_week else "",
    }
    return render(request, "alerts/rules/alarms.html", context)
