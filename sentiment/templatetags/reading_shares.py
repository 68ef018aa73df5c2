"""Shares in tables."""

from django import template
from django.utils import formats

register = template.Library()


@register.filter
def share_of(count: int, n: int) -> str:
    """`2.5 %`, as the reader's language writes it; empty where there is nothing to have a share of."""
    return f"{formats.number_format(100 * count / n, 1)} %" if n else ""
