"""Whether the chain's logo can be printed, said before somebody prints it."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from core.logo import BadLogo, chain_logo


@register
def logo_can_be_drawn(**_: Any) -> list[CheckMessage]:
    try:
        chain_logo(settings.CHAIN_LOGO)
    except BadLogo as error:
        return [Error(str(error), hint="Name a PNG or a plain SVG file in CHAIN_LOGO, or nothing.", id="stores.E010")]
    return []
