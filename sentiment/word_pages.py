"""Head office's pages of the word lists: what we look for, what the chain adds, and what an entry would change."""

from collections import Counter
from dataclasses import dataclass
from typing import Any, cast

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from sentiment.chain import TooManyEntries, change, current_words, entry_of, take_back, try_entry
from sentiment.entries import Entry, Found, Kind, Tracer, built_in
from sentiment.forms import EntryForm
from sentiment.labels import TOPIC_LABELS, URGENCY_LABELS, language_name, named_languages
from sentiment.models import ChainWord, Effect
from sentiment.typed_latin import in_all_letters
from stores.access import StaffRequest, roles_required
from stores.choices import Role
from surveys.forms import LONGEST_WORDS, tidy, too_long

_LABELS: dict[Kind, dict[str, Any]] = {"topic": TOPIC_LABELS, "urgency": URGENCY_LABELS}


@dataclass(frozen=True)
class ListLine:
    """One topic or kind of urgency, and how many entries it has in a language."""

    kind: Kind
    target: str
    label: str
    ours: int
    own: int
    off: int


@require_http_methods(["GET", "HEAD", "POST"])
@roles_required(Role.HEAD_OFFICE)
def words(request: StaffRequest) -> HttpResponse:
    """The lists of a language. A posted comment is looked through and not kept."""
    asked = (request.POST if request.method == "POST" else request.GET).get("language", "")
    language = asked if asked in settings.VERBATIM_LANGUAGES else _readers_own(request)
    comment = tidy(request.POST.get("comment", ""))
    problem = too_long(comment) if len(comment) > LONGEST_WORDS else ""
    context = {
        "language": language,
        "languages": named_languages(settings.VERBATIM_LANGUAGES),
        "groups": [(_("Topics"), _lines("topic", language)), (_("Urgency"), _lines("urgency", language))],
        "comment": comment,
        "problem": problem,
        "found": _found(comment, language) if comment and not problem else None,
    }
    return render(request, "sentiment/words.html", context, status=422 if problem else 200)


def _readers_own(request: StaffRequest) -> str:
    own = request.user.language
    return own if own in settings.VERBATIM_LANGUAGES else settings.VERBATIM_LANGUAGES[0]


def _lines(kind: Kind, language: str) -> list[ListLine]:
    ours = Counter(entry.target for entry in built_in(kind, language))
    rows = ChainWord.objects.filter(kind=kind, language=language, ended_at=None).values_list("target", "effect")
    changed = Counter(rows)
    return [
        ListLine(kind, key, str(label), ours[key], changed[key, Effect.ADD.value], changed[key, Effect.OFF.value])
        for key, label in _LABELS[kind].items()
    ]


def _found(comment: str, language: str) -> list[tuple[Found, str]]:
    """The entries in a comment, each with the name of its topic or urgency."""
    found = Tracer(current_words(), [language]).trace(in_all_letters(comment, language))
    labelled = [(one, _LABELS[one.entry.kind].get(one.entry.target)) for one in found]
    return [(one, str(label)) for one, label in labelled if label]


@require_http_methods(["GET", "HEAD", "POST"])
@roles_required(Role.HEAD_OFFICE)
def word_list(request: StaffRequest, language: str, kind: str, target: str) -> HttpResponse:
    """The entries of one topic or kind of urgency in one language: tried, added, switched off, taken back."""
    if language not in settings.VERBATIM_LANGUAGES or target not in _LABELS.get(cast(Kind, kind), {}):
        raise Http404
    form = EntryForm(language, cast(Kind, kind), target)
    context: dict[str, Any] = {}
    if request.method == "POST":
        if "back" in request.POST:
            return _done(request, _take_back(request))
        if "look" in request.POST or "off" in request.POST:
            entry = _named(request.POST.get("look") or request.POST["off"], language, cast(Kind, kind), target)
            if "off" in request.POST:
                return _done(request, _change(request, entry, Effect.OFF))
            context = {"leaving": entry, "trial": try_entry(request.user, entry, remove=True)}
        else:
            form = EntryForm(language, cast(Kind, kind), target, request.POST)
            if form.is_valid():
                if "add" in request.POST:
                    return _done(request, _change(request, form.as_entry, Effect.ADD))
                context = {"tried": form.as_entry, "trial": try_entry(request.user, form.as_entry)}
    status = 422 if form.is_bound and not form.is_valid() else 200
    page = _list_context(language, cast(Kind, kind), target) | {"form": form} | context
    return render(request, "sentiment/word_list.html", page, status=status)


def _list_context(language: str, kind: Kind, target: str) -> dict[str, Any]:
    rows = ChainWord.objects.filter(language=language, kind=kind, target=target, ended_at=None)
    rows = rows.select_related("added_by").order_by("entry", "pk")
    off = [row for row in rows if row.effect == Effect.OFF]
    gone = {entry_of(row).key for row in off}
    return {
        "language": language,
        "language_name": language_name(language),
        "kind": kind,
        "label": _LABELS[kind][target],
        "own": [row for row in rows if row.effect == Effect.ADD],
        "off": off,
        "built_in": [entry for entry in built_in(kind, language, target) if entry.key not in gone],
    }


def _named(said: str, language: str, kind: Kind, target: str) -> Entry:
    """The built-in entry that a button names as grade/text."""
    grade, _slash, text = said.partition("/")
    entry = Entry(language, kind, target, text, grade)
    if entry not in built_in(kind, language, target):
        raise Http404
    return entry


def _change(request: StaffRequest, entry: Entry, effect: Effect) -> str:
    try:
        change(entry, effect, request.user)
    except TooManyEntries:
        return _("This language has as many entries as it may have. Please take some back first.")
    return _("Saved. It counts for comments from now on; older ones when they are read again.")


def _take_back(request: StaffRequest) -> str:
    row = request.POST["back"]
    done = row.isdecimal() and len(row) < 19 and take_back(int(row), request.user)
    return _("Taken back.") if done else _("Somebody has taken that back already.")


def _done(request: StaffRequest, said: str) -> HttpResponse:
    messages.info(request, said)
    response = redirect(request.path)
    response.status_code = 303
    return response
