"""The menu of the staff's pages."""

from dataclasses import dataclass
from typing import Any

from django import template
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _

from alerts.choices import TO_DO
from alerts.queries import cases_visible_to
from stores.choices import ACTION_ROLES, CASE_ROLES, REPORT_ROLES, Role
from stores.queries import roles_of
from stores.standing import LEADING_ROLES

register = template.Library()
# The pages under the heading of the stores, by name.
_STORES = {
    "stores", "stores_bulk", "stores_equip", "stores_other_hours", "checklist", "tree", "node", "node_new", "node_move",
    "store", "store_new", "store_edit", "store_hours", "store_exceptions", "store_closure", "store_move",
    "store_history", "new_import", "store_import",
    "touchpoints", "touchpoint_new", "touchpoint_page", "touchpoint_change",
    "scan_flags", "posters", "chain_look", "walls", "traffic",
    "surveys", "survey", "survey_places", "survey_preview", "survey_question", "survey_languages",
    "survey_translation", "survey_texts_import", "survey_publish", "survey_versions",
    "touchpoint_posters",
    "rules", "rule", "rule_new", "rule_changes", "false_alarms", "clocks", "clock", "clock_new", "alert_groups",
    "alert_group", "alert_group_new", "urgencies", "urgency",
}  # fmt: skip


@dataclass(frozen=True)
class NavItem:
    """`count` None shows no number; 0 shows none either but can be filled later."""

    url: str
    label: str
    icon: str
    current: bool
    count: int | None = None


def _address(name: str) -> str | None:
    try:
        return reverse(name)
    except NoReverseMatch:
        return None


_REPORTS = {
    "reports", "report_stores", "report_topics", "report_loop", "report_asking", "report_compare", "report_change",
    "report_calls", "published", "published_period", "actions", "action", "action_begin", "my_store", "report_files",
    "digests", "store_view", "wall",
}  # fmt: skip
_INBOX = {"inbox", "case", "review_queue", "kept", "closing", "sample", "kudos"}


@register.inclusion_tag("components/_nav.html", takes_context=True)
def staff_nav(context: template.Context) -> dict[str, Any]:
    """What this person may open, with the number of cases that wait for somebody to act."""
    request = context["request"]
    held = roles_of(request.user)
    match = getattr(request, "resolver_match", None)
    here = match.url_name if match else ""
    items: list[NavItem] = []

    def add(name: str, label: str, *, within: set[str], count: int | None = None, icon: str = "") -> None:
        if url := _address(name):
            items.append(NavItem(url, label, icon or name, here in within, count))

    if held & CASE_ROLES:
        # The inbox has counted already.
        waiting = context.get("open_count")
        if waiting is None:
            waiting = cases_visible_to(request.user).filter(state__in=TO_DO).count()
        add("inbox", _("Inbox"), within=_INBOX, count=waiting)
    if getattr(request, "device", None):
        # An enrolled device opens nothing else.
        return {"items": items}
    if held & REPORT_ROLES:
        # Whoever runs a store begins with it; everybody else with all they see.
        begins = "reports" if held & {Role.AREA_MANAGER, Role.HEAD_OFFICE} else "my_store"
        add(begins, _("Reports"), within=_REPORTS, icon="reports")
        add("verbatims", _("Comments"), within={"verbatims", "verbatim", "words", "word_list", "models"})
    if held:
        add("stores", _("Stores"), within=_STORES)
    if held & LEADING_ROLES:
        add("people", _("People"), within={"people", "invite", "invitations", "person", "person_edit"})
    return {"items": items}


@register.simple_tag(takes_context=True)
def runs_the_chain(context: template.Context) -> bool:
    """Whether this person runs the chain or its installation as a whole."""
    return bool(roles_of(context["request"].user) & {Role.HEAD_OFFICE, Role.OPERATOR})


@register.simple_tag(takes_context=True)
def leads_head_office(context: template.Context) -> bool:
    """Whether this person decides what the chain asks."""
    return Role.HEAD_OFFICE in roles_of(context["request"].user)


@register.simple_tag(takes_context=True)
def role_names(context: template.Context) -> list[str]:
    """The person's roles in words."""
    return [str(Role(role).label) for role in sorted(roles_of(context["request"].user))]


@register.simple_tag(takes_context=True)
def decides_actions(context: template.Context) -> bool:
    """Whether this person takes up causes of bad visits; where, the page that is asked knows."""
    return bool(roles_of(context["request"].user) & ACTION_ROLES)


@register.simple_tag(takes_context=True)
def acts_on_cases(context: template.Context) -> bool:
    """Whether there are cases for this person at all."""
    return bool(roles_of(context["request"].user) & CASE_ROLES)
