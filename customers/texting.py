"""To which numbers text messages go: dear ones far away are how texting is abused."""

import phonenumbers
from django.conf import settings

from stores.models import Store


def may_be_texted(number: str, country: str = "") -> bool:
    """Whether we send text messages to the country of a number in E.164: that of the store, one of SMS_COUNTRIES, or,
    where nobody says which store, one where the chain has stores."""
    try:
        region = phonenumbers.region_code_for_number(phonenumbers.parse(number))
    except phonenumbers.NumberParseException:
        return True  # no number of any country: the provider says so
    if region == country or region in settings.SMS_COUNTRIES:
        return True
    return not country and region is not None and Store.objects.filter(country=region).exists()
