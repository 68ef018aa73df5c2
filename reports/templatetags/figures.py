"""Writing and drawing figures in templates."""

from django import template

from reports.charts import margin_bar, stacked
from reports.writing import change, hundred, percent, points

register = template.Library()
register.filter(points)
register.filter(change)
register.filter(percent)
register.filter(hundred)
register.filter("bar", margin_bar)
register.filter(stacked)
