"""Writing and drawing figures in templates."""

from collections.abc import Iterable
from zoneinfo import ZoneInfo

from django import template

from reports.charts import Span, call_bar, cost_bar, margin_bar, place_bar, span, stacked
from reports.writing import change, hundred, percent, points, tenths
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
