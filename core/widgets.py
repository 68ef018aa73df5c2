"""Fields of forms that Django lacks."""

from typing import Any

from django import forms


class WordsBox(forms.Textarea):
    """A box for people's words that takes whatever is pasted: `maxlength` cuts it in silence, where its field says by
    how much it is too long and keeps it."""

    def build_attrs(self, base_attrs: dict[str, Any], extra_attrs: dict[str, Any] | None = None) -> dict[str, Any]:
        attrs = super().build_attrs(base_attrs, extra_attrs)
        attrs.pop("maxlength", None)
        return attrs
