"""Stored keys and names in the reader's language."""

import phonenumbers
from django import template
from django.utils.translation import gettext

from alerts.urgent_kinds import urgency_name
from sentiment.labels import language_name, sentiment_label, topic_label

register = template.Library()
register.filter("topic_label", topic_label)
register.filter("urgency_label", urgency_name)
register.filter("sentiment_label", sentiment_label)
register.filter("language_label", language_name)


@register.filter
def translated(text: str) -> str:
    """A name that the code marked for translation and the database keeps in English."""
    return gettext(text) if text else ""


@register.filter
def phone_number(e164: str) -> str:
    """A phone number with the spaces that make it readable; what is none stays as it is."""
    try:
        parsed = phonenumbers.parse(e164, None)
    except phonenumbers.NumberParseException:
        return e164
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
