"""Sentences that are both shown and kept as a record of what a shopper agreed to."""

from django.conf import settings
from django.utils.translation import gettext

# Kept for who answers by text message: nothing was shown, they did it.
ANSWERED_BY_TEXT = "Answered our question by text message, and may be answered about it in the same way."


def permission_wording() -> str:
    """What a shopper allows by leaving an address, in the language of the page."""
    return gettext(
        "By sending this you allow %(chain)s to contact you about this feedback, and about nothing else. "
        "You can take it back at any time on your private page."
    ) % {"chain": settings.CHAIN_NAME}
