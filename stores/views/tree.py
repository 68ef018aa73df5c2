"""The chain's tree: everything in it, one node, and putting a node somewhere else."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from stores import actions
from stores.access import STAFF_ROLES, StaffRequest, nodes_editable_by, roles_required
from stores.forms import NewNodeForm, NodeForm, PlaceForm
from stores.history import entries
from stores.models import Node, RoleAssignment, Store, TreeError, User
from stores.moving import plan_node
from stores.queries import places_of, stores_visible_to
from stores.views.editing import REFUSED

_READ_AND_WRITE = ["GET", "HEAD", "POST"]
_CHANGES = 10


def _visible_nodes(user: User) -> QuerySet[Node]:
    """Where this person has stores, what lies above those, and all that they may edit."""
    return places_of(stores_visible_to(user, roles=STAFF_ROLES)) | nodes_editable_by(user)


@require_safe
@roles_required(*STAFF_ROLES)
def tree(request: StaffRequest) -> HttpResponse:
    """All places with how many stores in use lie below each."""
    nodes = {node.pk: node for node in _visible_nodes(request.user)}
    visible = stores_visible_to(request.user, roles=STAFF_ROLES).filter(retired_at=None).order_by()
    below = dict.fromkeys(nodes, 0)
    for node_id, number in visible.values_list("node").annotate(n=Count("pk")):
        for pk in nodes[node_id].above:
            below[pk] += number
    ordered = sorted(nodes.values(), key=lambda node: [bytes(nodes[pk].sort_key) for pk in node.above if pk in nodes])
    context = {
        "rows": [(node, len(node.above) - 1, below[node.pk]) for node in ordered],
        "may_edit": nodes_editable_by(request.user).exists(),
    }
    return render(request, "stores/tree.html", context)


def _node_or_404(user: User, code: str) -> Node:
    return get_object_or_404(_visible_nodes(user).select_related("parent"), code=code)


def _editable_node_or_404(user: User, code: str) -> Node:
    node = _node_or_404(user, code)
    if not nodes_editable_by(user).filter(pk=node.pk).exists():
        raise PermissionDenied
    return node


@require_http_methods(_READ_AND_WRITE)
@roles_required(*STAFF_ROLES)
def new_node(request: StaffRequest) -> HttpResponse:
    """A place that is not there yet."""
    nodes = nodes_editable_by(request.user)
    if not nodes.exists():
        raise PermissionDenied
    form = NewNodeForm(nodes, request.POST or None, initial={"parent": request.GET.get("below", "")})
    if form.is_valid():
        try:
            made = actions.create_node(actor=request.user, **form.cleaned_data)
        except actions.PlaceInUse:
            form.add_error("parent", _("This place is retired."))
        except actions.CodeTaken:
            form.refuse_code()
        else:
            messages.success(request, _("Saved."))
            return redirect("node", made.code)
    return render(request, "stores/node_new.html", {"form": form}, status=REFUSED if form.is_bound else 200)


@require_http_methods(_READ_AND_WRITE)
@roles_required(*STAFF_ROLES)
def node(request: StaffRequest, code: str) -> HttpResponse:
    """One place: what lies below it, who holds a role at it; renamed, retired or taken back here."""
    found = _node_or_404(request.user, code)
    may_edit = nodes_editable_by(request.user).filter(pk=found.pk).exists()
    form = None
    if request.method == "POST" and not may_edit:
        raise PermissionDenied
    if may_edit:
        form = NodeForm(request.POST if "name" in request.POST else None, instance=Node.objects.get(pk=found.pk))
        if request.method == "POST":
            changed = _retired_or_restored(request, found) if not form.is_bound else None
            if form.is_bound and form.is_valid():
                try:
                    changed = actions.change_node(found, actor=request.user, **form.cleaned_data)
                except actions.CodeTaken:
                    form.refuse_code()
                else:
                    messages.success(request, _("Saved."))
            if changed:
                return redirect("node", changed.code)
    context: dict[str, Any] = {
        "node": found,
        "form": form,
        "above": list(Node.objects.filter(pk__in=found.above[:-1]).order_by("path")),
        "children": list(_visible_nodes(request.user).filter(parent=found).order_by("sort_key")),
        "stores": _stores_below(request.user, found).count(),
        "staff": RoleAssignment.objects.filter(node=found, user__is_active=True).select_related("user"),
        "changes": entries(found.config_changes.select_related("actor")[:_CHANGES]),
    }
    return render(request, "stores/node.html", context, status=REFUSED if form is not None and form.is_bound else 200)


def _stores_below(user: User, node: Node) -> QuerySet[Store]:
    visible = stores_visible_to(user, roles=STAFF_ROLES)
    return visible.filter(node__path__startswith=node.path, retired_at=None)


def _retired_or_restored(request: StaffRequest, node: Node) -> Node:
    try:
        if "restore" in request.POST:
            actions.restore_node(node, actor=request.user)
        elif "retire" in request.POST:
            actions.retire_node(node, actor=request.user)
    except actions.PlaceInUse:
        if "restore" in request.POST:
            messages.error(request, _("The place above it is retired: take that back first."))
        else:
            messages.error(request, _("Stores or places in use lie below it: move or retire those first."))
    else:
        messages.success(request, _("Saved."))
    return node


@require_http_methods(_READ_AND_WRITE)
@roles_required(*STAFF_ROLES)
def node_move(request: StaffRequest, code: str) -> HttpResponse:
    """Put a place with everything below it elsewhere: chosen by `?to=`, shown with what it changes, then confirmed."""
    found = _editable_node_or_404(request.user, code)
    targets = nodes_editable_by(request.user).exclude(path__startswith=found.path).exclude(children=found)
    form = PlaceForm(targets, request.POST or request.GET)
    if request.method == "POST" and form.is_valid():
        try:
            actions.move_node(found, to=form.cleaned_data["to"], actor=request.user)
        except (actions.PlaceInUse, TreeError):
            form.add_error("to", _("Somebody has just changed the tree: this is no longer possible."))
        else:
            messages.success(request, _("The place is moved, with everything below it."))
            return redirect("node", found.code)
    plan = plan_node(found, form.cleaned_data["to"]) if form.is_bound and form.is_valid() else None
    context = {"node": found, "form": form, "plan": plan}
    return render(request, "stores/move.html", context, status=REFUSED if form.is_bound and plan is None else 200)
