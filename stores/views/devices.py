"""Enrolled phones, PINs, and a store's shared device."""

from typing import cast
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from stores import devices
from stores.access import STAFF_ROLES, StaffRequest, opens_on_devices, page_of_ours, roles_required
from stores.choices import CASE_ROLES, DeviceEnd
from stores.hooks import Panel, register_panel
from stores.models import Device, Pin, Store, User
from stores.people_forms import EnterForm, PinForm
from stores.queries import roles_of, stores_visible_to
from stores.standing import LEADING_ROLES
from stores.views.security import ask_again


@require_http_methods(["GET", "HEAD", "POST"])
@opens_on_devices
@roles_required(*CASE_ROLES)
def my_phone(request: StaffRequest) -> HttpResponse:
    """Enrol the browser in front of us for thirty days, or end what was enrolled.

    By the phone itself it can only be ended: enrolling takes a full sign-in that is not long ago, or whoever finds a
    browser open for a minute had a way in for thirty days.
    """
    if request.shared_device is not None:
        return redirect("tablet")
    shown = devices.device_of(request) if request.device is None else None
    this = request.device or (shown.device if shown and shown.device.user_id == request.user.pk else None)
    if request.method == "POST":
        action = request.POST.get("action")
        if action == "enrol" and request.device is None:
            if asked := ask_again(request):
                return asked
            enrolled = devices.enrol_phone(request)
            messages.success(request, _("Enrolled. Notices open their case here without a sign-in."))
            response = redirect("my_phone")
            devices.set_cookie(response, enrolled.device, cast(str, enrolled.cookie))
            return response
        if action == "end" and this is not None:
            devices.end_device(this, DeviceEnd.OWNER, actor=request.user)
            response = redirect("my_phone" if request.device is None else "account_login")
            devices.forget_cookie(response)
            return response
        return redirect(f"{reverse('account_login')}?{urlencode({'next': request.path})}")
    days = devices.PHONE_LIFETIME.days
    return render(request, "people/phone.html", {"this": this, "days": days, "by_device": request.device is not None})


@require_http_methods(["GET", "HEAD", "POST"])
@roles_required(*CASE_ROLES)
def my_pin(request: StaffRequest) -> HttpResponse:
    """Choose or remove one's own PIN for the shared devices of one's stores; it is a way in, as a password is."""
    if asked := ask_again(request):
        return asked
    form = PinForm(request.POST if request.method == "POST" and "pin" in request.POST else None)
    if request.method == "POST":
        if request.POST.get("action") == "remove":
            devices.remove_pin(request.user, actor=request.user)
            messages.success(request, _("Your PIN is removed."))
            return redirect("my_pin")
        if form.is_valid():
            try:
                devices.set_pin(request.user, form.cleaned_data["pin"])
            except devices.WeakPin as weak:
                form.add_error("pin", str(weak))
            else:
                messages.success(request, _("Your PIN is set."))
                return redirect("my_pin")
    has_pin = Pin.objects.filter(user=request.user).exists()
    return render(request, "people/pin.html", {"form": form, "has_pin": has_pin}, status=422 if form.errors else 200)


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def tablet(request: HttpRequest) -> HttpResponse:
    """The first screen of a store's shared device: who are you? Only a device that was enrolled shows it."""
    shown = devices.device_of(request)
    if shown is None or not shown.device.is_shared:
        return redirect("account_login")
    request.shown_device = shown  # type: ignore[attr-defined]
    request.shared_device = device = shown.device  # type: ignore[attr-defined]
    action = request.POST.get("action", "") if request.method == "POST" else ""
    if action == "touch":
        present = devices.person_at(device) is not None or request.user.is_authenticated
        devices.touch(device)
        return HttpResponse(status=204 if present else 410)
    if action == "leave":
        devices.step_away(device)
        logout(request)
        return redirect("tablet")
    back = page_of_ours(request.POST.get("next") or request.GET.get("next", ""), reverse("inbox"))
    form = EnterForm(request.POST if action == "enter" else None, auto_id="enter-%s")
    people = devices.people_at(device).order_by("sort_key", "pk")
    form.fields["person"].queryset = people  # type: ignore[attr-defined]
    status = 200
    if action == "enter":
        status = 422
        if form.is_valid():
            try:
                devices.enter(request, device, form.cleaned_data["person"].pk, form.cleaned_data["pin"])
            except devices.PinRefused as refused:
                form.add_error(
                    None,
                    _("Too many wrong PINs. Wait ten minutes, or sign in with your password.")
                    if refused.again_later
                    else _("That is not the PIN of this person."),
                )
                status = 429 if refused.again_later else 422
            else:
                # Nothing that was said to whoever was here before is shown to this one, nor are they still signed in.
                logout(request)
                return redirect(back)
    context = {"device": device, "form": form, "people": people, "back": back, "nobody": not people}
    return render(request, "people/tablet.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@roles_required(*STAFF_ROLES)
def shared_devices(request: StaffRequest, code: str) -> HttpResponse:
    """A store's shared devices: make the browser in front of us one, or end one."""
    store = get_object_or_404(
        stores_visible_to(request.user, roles=LEADING_ROLES).select_related("node"), code=code, retired_at=None
    )
    if request.method == "POST":
        if request.POST.get("action") == "enrol":
            enrolled = devices.enrol_shared(
                request, store, name=request.POST.get("name", "").replace("\0", "").strip()[:80]
            )
            logout(request)
            response = redirect("tablet")
            devices.set_cookie(response, enrolled.device, cast(str, enrolled.cookie))
            return response
        for device in devices.shared_devices_of(store):
            if str(device.pk) == request.POST.get("device"):
                devices.end_device(device, DeviceEnd.SUPERIOR, actor=request.user)
                messages.success(request, _("This device opens nothing any more."))
        return redirect("shared_devices", code=store.code)
    context = {
        "store": store,
        "devices": devices.shared_devices_of(store).select_related("created_by"),
        "people": devices.people_at(Device(store=store)).order_by("sort_key", "pk"),
        "idle": settings.SHARED_DEVICE_IDLE.total_seconds(),
    }
    return render(request, "people/shared_devices.html", context)


@register_panel
def devices_panel(reader: User, store: Store) -> Panel | None:
    """On the store's page, for who leads people: the way to its shared devices."""
    if store.retired_at or not roles_of(reader) & LEADING_ROLES:
        return None
    return Panel("people/_panel.html")
