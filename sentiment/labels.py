"""What people read instead of the keys of topics, urgencies, sentiments and languages."""

from collections.abc import Iterable

from django.utils.translation import get_language_info
from django.utils.translation import gettext_lazy as _

TOPIC_LABELS = {
    "staff": _("Staff"),
    "waiting": _("Waiting time"),
    "quality": _("Product quality"),
    "price": _("Price"),
    "availability": _("Availability"),
    "environment": _("Store environment"),
    "delivery": _("Delivery"),
    "returns": _("Returns and repair"),
    "online": _("Online"),
    "checkout": _("Checkout"),
    "packaging": _("Gifts and packaging"),
    "call_centre": _("Call centre"),
}
URGENCY_LABELS = {
    "safety": _("Safety"),
    "discrimination": _("Discrimination"),
    "legal": _("Legal threat"),
    "fraud": _("Fraud or theft"),
    "data_protection": _("Data protection"),
}
SENTIMENT_LABELS = {"negative": _("negative"), "neutral": _("neutral"), "positive": _("positive")}


def topic_label(key: str) -> str:
    """The topic's name in the reader's language; an unknown key as it is."""
    return str(TOPIC_LABELS.get(key, key))


def urgency_label(key: str) -> str:
    return str(URGENCY_LABELS.get(key, key))


def sentiment_label(key: str) -> str:
    return str(SENTIMENT_LABELS.get(key, key))


def language_name(code: str) -> str:
    """A language in the reader's own words; its code where Django knows no name for it."""
    try:
        name: str = get_language_info(code)["name_translated"]
    except KeyError:
        return code
    return name


def named_languages(codes: Iterable[str]) -> list[tuple[str, str]]:
    """Codes with the names that readers know, in the order of the names."""
    return sorted(((code, language_name(code)) for code in codes), key=lambda one: one[1].casefold())
