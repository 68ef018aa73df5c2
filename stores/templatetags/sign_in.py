"""What the pages of the sign-in ask."""

from django import template
from django.conf import settings
from django.http import HttpRequest
from django.template import RequestContext
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from stores.security import may_work
from stores.security_oidc import is_offered

register = template.Library()


@register.simple_tag
def sign_in_by_company() -> str:
    """What the button of single sign-on says; empty where there is none."""
    return (settings.OIDC_LABEL or gettext("Sign in with your company account")) if is_offered() else ""


# The words that `stores.security_log.note` was given, as people say them.
_HOW = {
    "password": _("by password"),
    "totp": _("authenticator app"),
    "webauthn": _("passkey"),
    "passkey": _("passkey"),
    "recovery_codes": _("recovery code"),
    "oidc": _("by the company"),
    "device": _("enrolled phone"),
    "pin": _("PIN at a shared device"),
    "code": _("second step"),
    "typed": _("typed code"),
    "by_another": _("for somebody who lost it"),
    "not_invited": _("not invited"),
    "unverified_address": _("address not confirmed"),
    "no_address": _("no address"),
    "foreign_domain": _("address of another domain"),
    "account_closed": _("account closed"),
    "other_identity": _("another identity"),
    "not_proved": _("could not be trusted"),
    "cancelled": _("cancelled"),
    "provider_unreachable": _("company not reachable"),
    "provider_said_no": _("company refused"),
}


@register.filter
def how(detail: str) -> str:
    """The detail of a security event; one that has no words yet is shown as it is."""
    return str(_HOW.get(detail, detail))


@register.simple_tag(takes_context=True)
def works_already(context: RequestContext) -> bool:
    """Whether other pages would open, so that it makes sense to show the way there."""
    request: HttpRequest = context["request"]
    return may_work(request)
