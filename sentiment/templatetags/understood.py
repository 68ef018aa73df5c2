"""What a page says about a reading."""

from django import template

from sentiment.panels import panel_of

register = template.Library()
register.simple_tag(panel_of)
