"""Shares in tables."""

from django import template

register = template.Library()


@register.filter
def share_of(count: int, n: int) -> str:
    """`2.5 %`; empty where there is nothing to have a share of."""
    return f"{100 * count / n:.1f} %" if n else ""
