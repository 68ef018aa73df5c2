"""What the sign-in page offers besides a password."""

from django import template
from django.conf import settings
from django.utils.translation import gettext as _

from stores.security_oidc import is_offered

register = template.Library()


@register.simple_tag
def sign_in_by_company() -> str:
    """What the button of single sign-on says; empty where there is none."""
    return (settings.OIDC_LABEL or _("Sign in with your company account")) if is_offered() else ""
