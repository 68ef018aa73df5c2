"""Fields that several requests share."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework import serializers

from integrations.models import ApiKey
from stores.choices import StoreKind

_CLOCKS_DIFFER_BY = timedelta(minutes=10)


class StoreField(serializers.CharField):
    """The code of a store that the key reaches, of that kind; unknown and out of reach look the same."""

    def __init__(self, *, kind: StoreKind | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.kind = kind

    def to_internal_value(self, data: Any) -> Any:
        code = super().to_internal_value(data)
        api_key: ApiKey = self.context["api_key"]
        # no code holds a NUL
        store = api_key.stores().filter(code=code.replace("\x00", "�"), retired_at=None).first()
        if store is None:
            raise serializers.ValidationError(_("No store with this code."))
        if self.kind and store.kind != self.kind:
            wrong = _("This is a call centre.") if store.kind == StoreKind.CALL_CENTRE else _("This is no call centre.")
            raise serializers.ValidationError(wrong)
        return store

    def to_representation(self, value: Any) -> str:
        return str(value.code)


class PastField(serializers.DateTimeField):
    """A moment with its UTC offset that is over, the sender's clock permitting, and not older than `within`."""

    def __init__(self, *, within: timedelta, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.within = within

    def to_internal_value(self, value: Any) -> datetime:
        moment = super().to_internal_value(value)
        age = timezone.now() - moment
        if age < -_CLOCKS_DIFFER_BY:
            raise serializers.ValidationError(_("This moment lies in the future."))
        if age > self.within:
            raise serializers.ValidationError(_("This was too long ago to ask about it."))
        return moment

    def enforce_timezone(self, value: datetime) -> datetime:
        if timezone.is_naive(value):
            raise serializers.ValidationError(_("Add the UTC offset, as in 2026-03-28T17:05:00+01:00."))
        return super().enforce_timezone(value)


class FlagField(serializers.BooleanField):
    """True or false as JSON has them: what is allowed or not must not be guessed from a word or a number."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class LanguageField(serializers.ChoiceField):
    """A language that shoppers' pages are in."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(choices=settings.LANGUAGES, required=False, **kwargs)
