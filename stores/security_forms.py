"""The typed codes of the second step, held to a steady rate and accepted once."""

from typing import Any

from allauth.account import forms as allauth_forms
from allauth.account.adapter import get_adapter as get_account_adapter
from allauth.core import context
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.webauthn.forms import LoginWebAuthnForm
from allauth.mfa.webauthn.internal.auth import parse_authentication_response
from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from stores import security_codes
from stores.choices import SecurityEventKind
from stores.models import User
from stores.security_limits import CODES, forget, known_browser, take
from stores.security_log import note


def _code_field(label: Any) -> forms.CharField:
    """Phones fill it from a message or the app; spaces are forgiven."""
    attributes = {"autocomplete": "one-time-code", "inputmode": "numeric", "autofocus": True, "spellcheck": "false"}
    return forms.CharField(label=label, max_length=40, widget=forms.TextInput(attributes))


class _TypedCode(forms.Form):
    user: User
    authenticator: Authenticator

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"] = _code_field(_("Code from the app, or a recovery code"))

    def clean_code(self) -> str:
        """The code, if one of the person's own was typed. Guesses from elsewhere do not use up the owner's tries."""
        code: str = self.cleaned_data["code"]
        whose = (self.user.pk, known_browser(context.request, self.user.pk))
        if not take(CODES, *whose):
            note(context.request, SecurityEventKind.TOO_MANY_TRIES, self.user, detail="code")
            raise get_account_adapter().validation_error("too_many_login_attempts")
        typed = Authenticator.objects.filter(user=self.user).exclude(type=Authenticator.Type.WEBAUTHN)
        for authenticator in typed.order_by("-type"):
            if _fits(authenticator, code):
                authenticator.user = self.user
                self.authenticator = authenticator
                forget(CODES, *whose)
                return code
        note(context.request, SecurityEventKind.WRONG_CODE, self.user, detail="typed")
        raise get_adapter().validation_error("incorrect_code")


class SecondStepForm(_TypedCode, AuthenticateForm):  # type: ignore[misc]
    """The code after the password."""


class ConfirmForm(_TypedCode, ReauthenticateForm):  # type: ignore[misc]
    """The code before something that matters."""


class AppForm(ActivateTOTPForm):  # type: ignore[misc]
    """Enrolling an authenticator app by its first code."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"] = _code_field(_("Code that the app shows"))

    def clean_code(self) -> str:
        code: str = self.cleaned_data["code"]
        if security_codes.counter_of(self.secret, code) is None:
            raise get_adapter().validation_error("incorrect_code")
        return code


def _name_new_password(form: forms.Form) -> None:
    form.fields["password1"].label, form.fields["password2"].label = _("New password"), _("New password, once more")


class NewPasswordForm(allauth_forms.ResetPasswordKeyForm):  # type: ignore[misc]
    """A new password, for whoever opened the link in their mail."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _name_new_password(self)


class ChangePasswordForm(allauth_forms.ChangePasswordForm):  # type: ignore[misc]
    """A new password, for whoever knows the present one; guessing at that is held to the rate of signing in."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["oldpassword"].label = _("Your present password")
        _name_new_password(self)

    def clean_oldpassword(self) -> str:
        password: str = self.cleaned_data["oldpassword"]
        if not get_account_adapter().reauthenticate(self.user, password):
            raise get_account_adapter().validation_error("enter_current_password")
        return password


class PasskeyForm(LoginWebAuthnForm):  # type: ignore[misc]
    """Signing in by a passkey alone: it counts as two factors, so its answer must say that it knew its owner.

    allauth asks the browser for that, but would also take the answer to a question of the second step, which does not
    ask.
    """

    def clean_credential(self) -> Authenticator:
        answer = parse_authentication_response(self.cleaned_data["credential"]).response
        if not answer.authenticator_data.is_user_verified():
            raise get_adapter().validation_error("incorrect_code")
        found: Authenticator = super().clean_credential()
        return found


class ForgottenForm(allauth_forms.ResetPasswordForm):  # type: ignore[misc]
    """Whom to send a link. An address without an account is told so by mail, to itself alone."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].label = _("E-mail address")

    def save(self, request: HttpRequest, **kwargs: Any) -> str:
        if self.users:
            address: str = super().save(request, **kwargs)
            return address
        unknown: str = self.cleaned_data["email"]
        get_account_adapter().send_mail("account/email/unknown_account", unknown, {})
        return unknown


def _fits(authenticator: Authenticator, code: str) -> bool:
    if authenticator.type == Authenticator.Type.TOTP:
        return security_codes.use(authenticator, code)
    return bool(authenticator.wrap().validate_code(code))
