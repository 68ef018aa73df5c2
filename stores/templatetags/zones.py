"""In which time zone a page is read."""

from django import template

from stores.people import zone_of

register = template.Library()


@register.simple_tag(takes_context=True)
def reader_zone(context: template.Context) -> str:
    """That of the reader's own stores: what is not a store's is shown in it, with a line that says so."""
    return str(zone_of(context["request"].user))
