"""Head office connects the chats of its teams."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from core.outbound import Forbidden, check_url
from messaging import testing
from messaging.actions import connect_chat, disconnect_chat
from messaging.choices import ChatStyle
from messaging.models import ChatHook, Message
from stores.access import StaffRequest, nodes_reached_by, roles_required
from stores.choices import Role
from stores.models import Node, Store
from stores.queries import stores_visible_to

_HEAD_OFFICE = (Role.HEAD_OFFICE,)


class ChatForm(forms.Form):
    """A webhook and the part of the tree whose cases it hears of: a store's code, or a region or area."""

    name = forms.CharField(label=gettext_lazy("Name of the chat"), max_length=80)
    style = forms.ChoiceField(label=gettext_lazy("Kind"), choices=ChatStyle.choices)
    url = forms.CharField(label=gettext_lazy("Webhook address"), max_length=2000)
    store = forms.CharField(label=gettext_lazy("Store code"), max_length=20, required=False)
    node = forms.ModelChoiceField(
        label=gettext_lazy("Or a region or area"),
        queryset=Node.objects.none(),
        required=False,
        empty_label=gettext_lazy("Please choose"),
    )
    language = forms.ChoiceField(label=gettext_lazy("Language"), choices=settings.STAFF_LANGUAGES)
    severe_only = forms.BooleanField(label=gettext_lazy("Severe cases only"), required=False)

    def __init__(self, request: StaffRequest, data: Any = None) -> None:
        super().__init__(data)
        self.user = request.user
        nodes = self.fields["node"]
        assert isinstance(nodes, forms.ModelChoiceField)
        nodes.queryset = nodes_reached_by(request.user, _HEAD_OFFICE).filter(retired_at=None)

    def clean_url(self) -> str:
        url: str = self.cleaned_data["url"].strip()
        try:
            check_url(url)
        except Forbidden:
            raise forms.ValidationError(_("Copy the whole address from the chat; it begins with https://.")) from None
        return url

    def clean_store(self) -> Store | None:
        code = self.cleaned_data["store"].strip()
        if not code:
            return None
        found = stores_visible_to(self.user, roles=_HEAD_OFFICE).filter(code__iexact=code).first()
        if found is None:
            raise forms.ValidationError(_("There is no store with this code."))
        return found

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if not self.errors and bool(cleaned["store"]) == bool(cleaned["node"]):
            self.add_error("store", _("Give either a store or a region or area."))
        return cleaned


@roles_required(*_HEAD_OFFICE)
@require_http_methods(["GET", "HEAD", "POST"])
def chats(request: StaffRequest) -> HttpResponse:
    """The connected chats with what last became of a message, and the form for another one."""
    form = ChatForm(request, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        hook = connect_chat(ChatHook(**form.cleaned_data), actor=request.user)
        messages.success(request, _("Connected: %(name)s") % {"name": hook.name})
        return redirect("chats")
    hooks = _own(request)
    sent = Message.objects.filter(hook__in=hooks).order_by("hook", "-created_at").distinct("hook")
    last = {message.hook_id: message for message in sent}
    listed = [(hook, last.get(hook.pk)) for hook in hooks]
    status = 422 if form.errors else 200
    return render(request, "messaging/chats.html", {"form": form, "listed": listed}, status=status)


def _own(request: StaffRequest) -> list[ChatHook]:
    """The chats of those parts of the tree that this head office reads."""
    stores = stores_visible_to(request.user, roles=_HEAD_OFFICE)
    nodes = nodes_reached_by(request.user, _HEAD_OFFICE)
    hooks = ChatHook.objects.filter(retired_at=None).select_related("store", "node").order_by("name", "pk")
    return list(hooks.filter(store__in=stores) | hooks.filter(node__in=nodes))


@roles_required(*_HEAD_OFFICE)
@require_POST
def change_chat(request: StaffRequest, pk: int) -> HttpResponse:
    """`test` sends a message, `remove` takes the chat out."""
    hook = get_object_or_404(ChatHook, pk__in=[own.pk for own in _own(request)], pk=pk)
    if request.POST.get("verb") == "remove":
        disconnect_chat(hook, actor=request.user)
        messages.success(request, _("Taken out: %(name)s") % {"name": hook.name})
    else:
        testing.send_chat_test(hook)
        messages.success(request, _("A test is on its way to: %(name)s") % {"name": hook.name})
    return redirect("chats")
