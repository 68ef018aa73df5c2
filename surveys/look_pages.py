"""How the chain looks to shoppers: head office tries colours and a logo on real pages before they hold."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from csp.constants import SELF
from csp.decorators import csp_update
from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.core.validators import RegexValidator
from django.db.models import Q
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import get_template
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext
from django.views.decorators.http import require_http_methods, require_safe

from core import look as looks
from core.inline import Block, Shade, accents, heads, page_style
from core.logo import BadLogo, page_logo, sheet_logo
from core.look import Look, look_of, wearing
from core.models import ChainLook
from core.theme import contrast
from stores.access import StaffRequest, roles_required
from stores.choices import Role
from stores.models import Store, User
from stores.queries import stores_visible_to
from surveys.choices import ResponseChannel
from surveys.editor.places import sample_store
from surveys.editor.preview import framed, in_scheme
from surveys.forms import AnswerForm
from surveys.models import Invitation
from surveys.pages import language_switch, look_context, question_context, style_of
from surveys.queries import Asking, version_for
from surveys.receipt_block import block_of

page = roles_required(Role.HEAD_OFFICE)
REFUSED = 422
_MOST_EARLIER = 12
# How long a look that was tried can be shown to somebody else before it is forgotten.
_TRIED_FOR = timedelta(days=7)
# What is shown of a look: pages by their names, and whether they are dark.
FRAMES = (
    ("survey", False, gettext_lazy("The survey, light")),
    ("survey", True, gettext_lazy("The survey, dark")),
    ("thanks", False, gettext_lazy("The thank-you page")),
    ("mail", False, gettext_lazy("The e-mail after a visit")),
)
_colour = RegexValidator(r"\A#[0-9A-Fa-f]{6}\Z", gettext_lazy("A colour like #0b6e4f."))


class LookForm(forms.Form):
    """Two colours and a logo."""

    accent = forms.CharField(
        label=gettext_lazy("First colour"),
        help_text=gettext_lazy("Buttons, links and what is chosen."),
        validators=[_colour],
        widget=forms.TextInput(attrs={"type": "color"}),
    )
    with_second = forms.BooleanField(label=gettext_lazy("A second colour behind the head of the page"), required=False)
    second = forms.CharField(
        label=gettext_lazy("Second colour"),
        validators=[_colour],
        widget=forms.TextInput(attrs={"type": "color"}),
        required=False,
    )
    file = forms.FileField(
        label=gettext_lazy("Logo"),
        help_text=gettext_lazy("SVG or PNG, drawn for a bright background. Empty: as it is now."),
        widget=forms.FileInput(attrs={"accept": ".svg,.png,image/svg+xml,image/png"}),
        required=False,
    )
    without_logo = forms.BooleanField(label=gettext_lazy("No logo: the name stands there"), required=False)

    def clean_file(self) -> str | None:
        """The logo as SVG; None without a file."""
        sent: UploadedFile[bytes] | None = self.cleaned_data["file"]
        if sent is None:
            return None
        try:
            drawn = sheet_logo(sent.read())
            page_logo(drawn)
        except BadLogo as error:
            raise ValidationError(str(error)) from None
        return drawn

    def worn(self, before: Look) -> Look:
        """The look that is asked for, where `before` is the one on show."""
        data = self.cleaned_data
        logo = "" if data["without_logo"] else (data["file"] or before.logo)
        accent = data["accent"].lower()
        second = data["second"].lower() if data["with_second"] and data["second"] else accent
        return replace(before, accent=accent, second=second, logo=logo)


@require_http_methods(["GET", "HEAD", "POST"])
@page
@csp_update({"frame-src": [SELF]})  # type: ignore[arg-type]  # its stub knows no arguments of an address
def chain_look(request: StaffRequest) -> HttpResponse:
    """The look that holds, or with `?look=` one that is tried; and the way to another."""
    try:
        tried = _row(request)
    except Http404:
        messages.warning(request, _("That trial is over. Colours and a logo that nobody chose are kept for a week."))
        return _see("")
    shown = look_of(tried) if tried else looks.look()
    if request.method == "POST" and tried and "choose" in request.POST:
        _keep(shown, request.user, chosen=True)
        messages.success(request, _("Every page looks like this from now on, within a few seconds."))
        return _see("")
    form = LookForm(request.POST or None, request.FILES or None, initial=_initial(shown))
    if form.is_valid():
        return _see(f"?look={_keep(form.worn(shown), request.user, chosen=False).pk}")
    context = {
        "form": form,
        "tried": tried if tried and tried.chosen_at is None else None,
        "again": tried if tried and tried.chosen_at else None,
        "query": f"look={tried.pk}&" if tried else "",
        "shown": shown,
        "logo": shown.page_logo,
        "colours": _colours(shown),
        "frames": [(which, dark, title) for which, dark, title in FRAMES],
        "earlier": _earlier(),
    }
    return render(request, "surveys/look.html", context, status=REFUSED if form.is_bound else 200)


def _row(request: StaffRequest) -> ChainLook | None:
    wanted = request.GET.get("look", "")
    if not wanted:
        return None
    if not wanted.isascii() or not wanted.isdigit() or len(wanted) > 18:
        raise Http404
    return get_object_or_404(ChainLook.objects.exclude(_forgotten()), pk=wanted)


def _forgotten() -> Q:
    """What was tried so long ago that it is shown no more."""
    return Q(chosen_at=None, made_at__lt=timezone.now() - _TRIED_FOR)


def _see(query: str) -> HttpResponse:
    response = redirect("chain_look")
    response["Location"] += query
    response.status_code = 303
    return response


def _initial(shown: Look) -> dict[str, Any]:
    return {"accent": shown.accent, "second": shown.second, "with_second": shown.has_second}


def _keep(worn: Look, actor: User, *, chosen: bool) -> ChainLook:
    """Keep a look, for trying it or from now on; what was tried and not chosen is forgotten then, or after its
    time."""
    row = ChainLook.objects.create(
        accent=worn.accent,
        second=worn.second if worn.has_second else "",
        logo=worn.logo,
        made_by=actor.pk,
        chosen_at=timezone.now() if chosen else None,
    )
    ChainLook.objects.filter(Q(chosen_at=None) if chosen else _forgotten()).delete()
    if chosen:
        looks.forget()
    return row


def _colours(shown: Look) -> list[dict[str, Any]]:
    """What becomes of the colours, with the contrast of the words upon them."""
    light, dark = accents(shown.accent)
    rows = [
        _colour_row(pgettext("of a page", "Buttons and links, light"), shown.accent, light),
        _colour_row(pgettext("of a page", "Buttons and links, dark"), shown.accent, dark),
    ]
    if shown.has_second:
        light, dark = heads(shown.second)
        rows.append(_colour_row(_("Head of the page, light"), shown.second, light))
        rows.append(_colour_row(_("Head of the page, dark"), shown.second, dark))
    return rows


def _colour_row(where: str, chosen: str, used: Shade) -> dict[str, Any]:
    return {
        "where": where,
        "fill": used.fill,
        "ink": used.ink,
        "ratio": round(contrast(used.fill, used.ink), 1),
        "changed": used.fill != chosen,
        "edge": used.edge if used.edge != used.fill else "",
        "chosen": chosen,
    }


def _earlier() -> list[dict[str, Any]]:
    """The looks that held, newest first, with who chose them."""
    rows = list(ChainLook.objects.exclude(chosen_at=None).defer("logo").order_by("-chosen_at", "-pk")[:_MOST_EARLIER])
    names = dict(User.objects.filter(pk__in={row.made_by for row in rows}).values_list("pk", "name"))
    return [{"row": row, "by": names.get(row.made_by or 0, ""), "holds": not number} for number, row in enumerate(rows)]


@require_safe
@page
def look_frame(request: StaffRequest) -> HttpResponse:
    """One of the pages that show a look."""
    tried = _row(request)
    which, dark = request.GET.get("page", ""), "dark" in request.GET
    if (which, dark) not in {(one, dim) for one, dim, _title in FRAMES}:
        raise Http404
    store = sample_store(stores_visible_to(request.user)) or Store(
        name=_("Your store"), code="", country="DE", time_zone="UTC"
    )
    with wearing(look_of(tried) if tried else looks.look()):
        return _DRAWN[which](store, dark)


def _survey(store: Store, dark: bool) -> HttpResponse:
    version = version_for(ResponseChannel.QR)
    if version is None:
        raise Http404
    asking = Asking(store, ResponseChannel.QR, version)
    form = AnswerForm(document=asking.document, country=store.country, score="9")
    return _shopper_page("surveys/question.html", question_context(asking, form, ""), style_of(asking.document), dark)


def _thanks(store: Store, dark: bool) -> HttpResponse:
    context = {"store": store.name, "case_url": "#", "review_url": store.public_review_url}
    return _shopper_page("shopper/thanks.html", context, page_style(), dark)


def _shopper_page(template: str, context: dict[str, Any], style: Block, dark: bool) -> HttpResponse:
    style = Block.of(in_scheme(style.text, dark=dark))
    more = {
        **language_switch(dict(settings.LANGUAGES), ()),
        **look_context(),
        "lang": translation.get_language(),
        "dir": "rtl" if translation.get_language_bidi() else "ltr",
        "style": style.text,
        "script": "",
    }
    return framed(get_template(template).render(context | more), style)


def _mail(store: Store, dark: bool) -> HttpResponse:
    block = block_of(Invitation(store=store, channel=ResponseChannel.RECEIPT))
    if block is None:
        raise Http404
    response = framed(get_template("surveys/receipt_survey.html").render(block.context()), Block.of(""))
    # A mail brings its style in attributes; still nothing runs in here.
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'self'"
    )
    return response


_DRAWN = {"survey": _survey, "thanks": _thanks, "mail": _mail}
