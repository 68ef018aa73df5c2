"""Figures of how cases ended, as pages write them."""

from django import template

from core.writing import percent

register = template.Library()
register.filter("in_percent", percent)
