"""Writing and drawing figures in templates."""

from collections.abc import Iterable
from html import escape
from zoneinfo import ZoneInfo

from django import template
from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext

from reports.charts import Span, call_bar, cost_bar, margin_bar, place_bar, span, stacked
from reports.figures import Point
from reports.writing import change, hundred, percent, points, tenths
from stores.models import Node, Store
from surveys.models import Verbatim

register = template.Library()
register.filter(points)
register.filter(change)
register.filter(percent)
register.filter(hundred)
register.filter("bar", margin_bar)
register.filter(stacked)
register.filter(place_bar)
register.filter(call_bar)
register.filter(cost_bar)


@register.filter
def several_zones(verbatims: Iterable[Verbatim]) -> bool:
    """Whether a list has words from stores whose clocks differ, each of whom writes the time of its own."""
    answers = [one.response for one in verbatims]
    return len({one.submitted_at.astimezone(ZoneInfo(one.store.time_zone)).utcoffset() for one in answers}) > 1


@register.filter
def node_options(choices: Iterable[tuple[Node, str]], chosen: Node | None) -> SafeString:
    """The options of `reports.filters.node_options`. A filter, as a page has hundreds of them."""
    return _options((node.pk, node == chosen, f"{indent}{node.name}") for node, indent in choices)


@register.filter
def store_options(choices: Iterable[Store], chosen: Store | None) -> SafeString:
    """The options of a choice of stores, by code."""
    return _options((store.code, store == chosen, store.name) for store in choices)


def _options(options: Iterable[tuple[int | str, bool, str]]) -> SafeString:
    """Each of them has what is sent, whether it is chosen, and its name."""
    return mark_safe(  # noqa: S308  (what is not ours is escaped)
        "".join(
            f'<option value="{escape(str(sent))}"{" selected" if chosen else ""}>{escape(name)}</option>'
            for sent, chosen, name in options
        )
    )


@register.filter
def in_cell(point: Point, explorer: str) -> str:
    """A place's week in a table, which opens its words at the address of the explorer. A filter, as a page has hundreds
    of them."""
    nps = point.figure.nps
    if point.figure.shown:
        return format_html(
            '<a class="size" href="{}{}" dir="ltr">{} <span class="muted">± {}</span></a><br>'
            '<span class="small muted">n = {}</span>',
            explorer,
            point.words,
            points(nps.score),
            points(nps.margin),
            number_format(nps.n),
        )
    return format_html('<span class="muted">{}</span>', gettext("hidden")) if nps.n or point.figure.size_hidden else "–"


@register.filter
def tenth(value: float) -> str:
    """Points with one decimal and their sign."""
    return tenths(value, signed=True)


@register.filter
def tenth_plain(value: float) -> str:
    """Points with one decimal."""
    return tenths(value)


@register.filter
def deviation(value: float, reach: float) -> Span:
    """The stretch from zero to `value` on a line from -reach to reach."""
    return span(min(0.0, value), max(0.0, value), reach=reach)
