"""What the pages of the sign-in ask."""

from django import template
from django.conf import settings
from django.http import HttpRequest
from django.template import RequestContext
from django.utils.translation import gettext as _

from stores.security import may_work
from stores.security_oidc import is_offered

register = template.Library()


@register.simple_tag
def sign_in_by_company() -> str:
    """What the button of single sign-on says; empty where there is none."""
    return (settings.OIDC_LABEL or _("Sign in with your company account")) if is_offered() else ""


@register.simple_tag(takes_context=True)
def works_already(context: RequestContext) -> bool:
    """Whether other pages would open, so that it makes sense to show the way there."""
    request: HttpRequest = context["request"]
    return may_work(request)
