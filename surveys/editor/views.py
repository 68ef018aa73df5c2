"""Head office's pages of surveys. They work without a script; with htmx the list and the preview change in place."""

from typing import Any

from csp.constants import SELF
from csp.decorators import csp_update
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import translation
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from core.tokens import clean_typed_code
from stores.access import StaffRequest, roles_required
from stores.choices import Role, TouchpointKind
from stores.models import Store, Touchpoint
from stores.queries import stores_visible_to
from surveys.choices import OtherKind, QuestionKind
from surveys.documents import DocumentError, SurveyDocument, document_of, parse, said_in
from surveys.editor import csv_files, drafts
from surveys.editor.forms import (
    KINDS,
    LanguagesForm,
    NewSurveyForm,
    PublishForm,
    QuestionForm,
    condition_in_words,
    label_of_kind,
)
from surveys.editor.lint import Finding, Level, lint
from surveys.editor.places import choose, choose_at, chosen_at, places, sample_store
from surveys.editor.preview import Look, places_on_offer, preview_page
from surveys.editor.texts import Raw, all_texts, progress, texts_of
from surveys.editor.trends import compare
from surveys.models import Survey, SurveyChoice, SurveyVersion

_READ_AND_WRITE = ["GET", "HEAD", "POST"]
REFUSED = 422
_MOST_CHANGES = 50
_ARRANGING = {"up", "down", "remove", "headline"}

page = roles_required(Role.HEAD_OFFICE)


def _see(request: StaffRequest, name: str, *args: Any, said: str = "") -> HttpResponse:
    """Go on with a GET."""
    if said:
        messages.success(request, said)
    response = redirect(name, *args)
    response.status_code = 303
    return response


def _survey(slug: str) -> Survey:
    return get_object_or_404(Survey, slug=slug)


def _stale(stale: drafts.Stale) -> str:
    """What to tell whoever saved something that somebody else had changed."""
    if stale.by is None:
        return _(
            "Somebody else has changed this in the meantime. What you typed is kept: save again to put it in place."
        )
    who = {"name": stale.by.name}
    return _("%(name)s has changed this in the meantime. What you typed is kept: save again to put it in place.") % who


def _languages(codes: list[str]) -> list[tuple[str, str]]:
    names = dict(settings.LANGUAGES)
    return [(code, names.get(code, code)) for code in codes]


@require_http_methods(_READ_AND_WRITE)
@page
def survey_list(request: StaffRequest) -> HttpResponse:
    """Every survey with its state, and a new one."""
    form = NewSurveyForm(request.POST or None, initial={"language": request.user.language or "en"})
    if form.is_valid():
        data = form.cleaned_data
        made = drafts.create_survey(data["name"], data["language"], request.user, copy_of=data["copy_of"])
        return _see(request, "survey", made.slug)
    rows = [_row(survey) for survey in Survey.objects.select_related("draft").order_by("name")]
    status = REFUSED if form.is_bound else 200
    return render(request, "surveys/editor/list.html", {"rows": rows, "form": form}, status=status)


def _row(survey: Survey) -> dict[str, Any]:
    newest = drafts.newest_version(survey)
    return {
        "survey": survey,
        "newest": newest,
        "draft": getattr(survey, "draft", None),
        "headline": said_in(document_of(newest).headline.text, translation.get_language() or "en") if newest else "",
        "places": SurveyChoice.objects.filter(survey=survey).count(),
    }


def _tabs(survey: Survey, document: Raw) -> dict[str, Any]:
    """What every page of one survey begins with."""
    newest, draft = drafts.newest_version(survey), drafts.draft_of(survey)
    return {
        "survey": survey,
        "newest": newest,
        "draft": draft,
        "stale_base": bool(draft and newest and draft.based_on_id != newest.pk),
        "asked_nowhere": newest is not None and not SurveyChoice.objects.filter(survey=survey).exists(),
        "document": document,
        "document_languages": _languages(document["languages"]),
    }


@require_safe
@page
@csp_update({"frame-src": [SELF]})  # type: ignore[arg-type]  # its stub knows no arguments of an address
def survey(request: StaffRequest, slug: str) -> HttpResponse:
    """The draft: its questions, what is wrong with it, and how it looks."""
    found = _survey(slug)
    return render(request, _template(request, "survey.html", "draft"), _draft_context(request, found))


def _template(request: StaffRequest, name: str, partial: str) -> str:
    return f"surveys/editor/{name}#{partial}" if request.htmx else f"surveys/editor/{name}"


def _draft_context(request: StaffRequest, survey: Survey) -> dict[str, Any]:
    document = drafts.working_document(survey)
    findings = lint(document, survey)
    return (
        _tabs(survey, document)
        | _look_context(request, document)
        | {
            "questions": [_line(document, question, findings) for question in document["questions"]],
            "several_screens": len({question.get("screen", 1) for question in document["questions"]}) > 1,
            "findings": [_shown(document, finding) for finding in findings],
            "errors": sum(finding.level == Level.ERROR for finding in findings),
            "seen_order": drafts.digest(drafts.order_of(document)),
            "kinds": _kinds_to_add(document),
            "progress": [(code, name, one) for (code, name), one in _with_progress(document)],
        }
    )


def _with_progress(document: Raw) -> Any:
    return zip(_languages(document["languages"]), progress(document), strict=True)


def _kinds_to_add(document: Raw) -> list[tuple[str, Any]]:
    """All kinds but those that are there already and stand only once."""
    once = {question["kind"] for question in document["questions"]} & {OtherKind.CONTACT.value, OtherKind.HERE.value}
    return [(kind, label) for kind, label in KINDS if kind not in once]


def _line(document: Raw, question: Raw, findings: list[Finding]) -> dict[str, Any]:
    own = [finding for finding in findings if finding.question == question["key"]]
    return {
        "key": question["key"],
        "kind": label_of_kind(question["kind"]),
        "text": question["text"].get(document["languages"][0], ""),
        "language": document["languages"][0],
        "speaks": question["kind"] in (OtherKind.CONTACT, OtherKind.HERE),
        "screen": question.get("screen", 1),
        "required": question.get("required"),
        "headline": question["key"] == document["headline"],
        "may_lead": question["kind"] in QuestionKind.values and question["key"] != document["headline"],
        "when": [condition_in_words(document, one) for one in question.get("when", [])],
        "limited": bool(question.get("channels") or question.get("stores")),
        "errors": sum(finding.level == Level.ERROR for finding in own),
        "advice": sum(finding.level == Level.ADVICE for finding in own),
    }


def _shown(document: Raw, finding: Finding) -> dict[str, Any]:
    question = drafts.question_of(document, finding.question)
    translating = finding.language and finding.language != document["languages"][0]
    return {
        "finding": finding,
        "about": Truncator(question["text"].get(document["languages"][0]) or label_of_kind(question["kind"])).chars(90)
        if question
        else "",
        "language": _languages([finding.language])[0][1] if translating else "",
        "translating": translating,
    }


def _look_context(request: StaffRequest, document: Raw) -> dict[str, Any]:
    look = Look.wanted(request.GET, document)
    store = _sample_store(request)
    return {
        "look": look,
        "places": places_on_offer(),
        "screens": range(1, 1 + len({question.get("screen", 1) for question in document["questions"]})),
        "store_code": request.GET.get("store", "")[:20] if store and request.GET.get("store") == store.code else "",
        "languages_shown": _languages(document["languages"]),
        "seen": drafts.digest(document),
    }


def _sample_store(request: StaffRequest) -> Store | None:
    """The store that a preview is shown for: the one that is asked for, else any."""
    return sample_store(stores_visible_to(request.user), wanted=request.GET.get("store", "")[:20])


@require_safe
@page
@csp_update({"frame-src": [SELF]})  # type: ignore[arg-type]  # its stub knows no arguments of an address
def survey_preview(request: StaffRequest, slug: str) -> HttpResponse:
    """How the draft looks: a phone, in every language, light and dark, at every kind of place."""
    found = _survey(slug)
    document = drafts.working_document(found)
    context = _tabs(found, document) | _look_context(request, document)
    return render(request, _template(request, "preview.html", "phone"), context)


@require_safe
@page
def preview_frame(request: StaffRequest, slug: str) -> HttpResponse:
    """What stands in the phone."""
    found = _survey(slug)
    document = drafts.working_document(found)
    store = _sample_store(request) or Store(name=_("Your store"), code="", country="DE", time_zone="UTC")
    return preview_page(request, found, document, Look.wanted(request.GET, document), store)


@require_POST
@page
@csp_update({"frame-src": [SELF]})  # type: ignore[arg-type]  # its stub knows no arguments of an address
def survey_arrange(request: StaffRequest, slug: str) -> HttpResponse:
    """A question is added, moved, removed or made the headline; or the draft is dropped."""
    found = _survey(slug)
    do, key = request.POST.get("do", ""), request.POST.get("key", "")
    if do == "add" and (kind := request.POST.get("kind", "")) in dict(_kinds_to_add(drafts.working_document(found))):
        return _see(request, "survey_question", slug, drafts.add_question(found, kind, request.user))
    if do == "drop":
        drafts.drop(found, request.user)
        return _see(request, "survey", slug, said=_("The draft is gone; what is published stays."))
    if do not in _ARRANGING:
        raise Http404
    try:
        drafts.arrange(found, key, do, request.user, seen=request.POST.get("seen", ""))
    except drafts.Stale:
        messages.warning(request, _("Somebody else has arranged the questions in the meantime. Nothing was moved."))
    if request.htmx:
        return render(request, "surveys/editor/survey.html#draft", _draft_context(request, found))
    return _see(request, "survey", slug)


@require_http_methods(_READ_AND_WRITE)
@page
def survey_question(request: StaffRequest, slug: str, key: str) -> HttpResponse:
    """One question in the language its survey is written in."""
    found = _survey(slug)
    document = drafts.working_document(found)
    question = drafts.question_of(document, key)
    if question is None:
        raise Http404
    stores = stores_visible_to(request.user)
    form = QuestionForm(document, question, request.POST or None, stores=stores)
    seen, problem = drafts.digest(question), ""
    if form.is_valid():
        values, do = form.values(), request.POST.get("do", "")
        shown = request.POST.get("seen", "")
        try:
            drafts.save_question(found, key, _shifted(values, do), request.user, seen=shown)
            if do == "anew":
                key = drafts.begin_anew(found, key, request.user, seen="")
                return _see(request, "survey_question", slug, key, said=_("A new trend begins with this question."))
            if do.startswith(("up:", "down:", "more")):
                return _see(request, "survey_question", slug, key)
            return _see(request, "survey", slug, said=_("Saved."))
        except drafts.Stale as stale:
            problem = _stale(stale)
    findings = [one for one in lint(document, found) if one.question == key and not _elsewhere(one, document)]
    context = _tabs(found, document) | {
        "form": form,
        "question": question,
        "kind": label_of_kind(question["kind"]),
        "options": [option["key"] for option in question.get("options", [])],
        "is_headline": form.is_headline,
        "published": _is_published(found, key),
        "language_name": _languages([form.language])[0][1],
        "findings": findings,
        "problem": problem,
        "seen": seen,
    }
    status = REFUSED if problem or (form.is_bound and not form.is_valid()) else 200
    return render(request, "surveys/editor/question.html", context, status=status)


def _elsewhere(finding: Finding, document: Raw) -> bool:
    """Whether it is about a translation."""
    return bool(finding.language) and finding.language != document["languages"][0]


def _shifted(values: Raw, do: str) -> Raw:
    """The values with one of the answers moved up or down."""
    what, _colon, key = do.partition(":")
    options = values.get("options", [])
    place = next((i for i, option in enumerate(options) if option["key"] == key), None)
    if what in {"up", "down"} and place is not None:
        options.insert(max(0, place + (-1 if what == "up" else 1)), options.pop(place))
    return values


def _is_published(survey: Survey, key: str) -> bool:
    newest = drafts.newest_version(survey)
    return newest is not None and any(question["key"] == key for question in newest.document["questions"])


@require_http_methods(_READ_AND_WRITE)
@page
def survey_languages(request: StaffRequest, slug: str) -> HttpResponse:
    """The languages, how far each is, and the way to and from a translator."""
    found = _survey(slug)
    document = drafts.working_document(found)
    initial = {"first": document["languages"][0], "languages": document["languages"]}
    form = LanguagesForm(request.POST or None, initial=initial)
    if form.is_valid():
        drafts.set_languages(found, form.chosen, request.user)
        return _see(request, "survey_languages", slug, said=_("Saved."))
    context = _tabs(found, document) | {
        "form": form,
        "progress": [(code, name, one) for (code, name), one in _with_progress(document)],
        "most_kilobytes": csv_files.MOST_BYTES // 1024,
    }
    return render(request, "surveys/editor/languages.html", context, status=REFUSED if form.is_bound else 200)


@require_http_methods(_READ_AND_WRITE)
@page
def survey_translation(request: StaffRequest, slug: str, language: str) -> HttpResponse:
    """One language beside the one the survey is written in."""
    found = _survey(slug)
    document = drafts.working_document(found)
    if language not in document["languages"]:
        raise Http404
    names = {(text.path, language): f"t.{text.path}" for text in all_texts(document)}
    seen = drafts.digest(drafts.words_of(names)(document))  # type: ignore[arg-type]  # only the places matter
    problem, typed = "", {}
    if request.method == "POST":
        typed = {place: request.POST.get(name, "").strip() for place, name in names.items()}
        try:
            changed = drafts.save_words(found, typed, request.user, seen=request.POST.get("seen", ""))
            said = ngettext("%(n)d text changed.", "%(n)d texts changed.", changed) % {"n": changed}
            return _see(request, "survey_translation", slug, language, said=said)
        except drafts.Stale as stale:
            problem = _stale(stale)
    findings = lint(document, found)
    context = _tabs(found, document) | {
        "language": language,
        "language_name": _languages([language])[0][1],
        "source": document["languages"][0],
        "source_name": _languages(document["languages"][:1])[0][1],
        "is_source": language == document["languages"][0],
        "groups": [_translating(document, question, language, typed, findings) for question in document["questions"]],
        "progress": next(one for one in progress(document) if one.language == language),
        "problem": problem,
        "seen": seen,
    }
    return render(request, "surveys/editor/translation.html", context, status=REFUSED if problem else 200)


def _translating(
    document: Raw, question: Raw, language: str, typed: dict[tuple[str, str], str], findings: list[Finding]
) -> dict[str, Any]:
    source = document["languages"][0]
    rows = [
        {
            "name": f"t.{text.path}",
            "part": text.part,
            "source": text.words.get(source, ""),
            "said": typed.get((text.path, language), text.words.get(language, "")),
            "missing": not text.may_be_empty and not text.words.get(language, "").strip(),
            "speaks": text.may_be_empty,
            "longest": text.longest,
        }
        for text in texts_of(question)
    ]
    own = [one for one in findings if one.question == question["key"] and one.language == language]
    return {"kind": label_of_kind(question["kind"]), "rows": rows, "findings": own}


@require_safe
@page
def translations_file(request: StaffRequest, slug: str) -> HttpResponse:
    """All texts in all languages, for translators."""
    found = _survey(slug)
    response = HttpResponse(csv_files.lines(drafts.working_document(found)), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{found.slug}-texts.csv"'
    return response


@require_POST
@page
def translations_import(request: StaffRequest, slug: str) -> HttpResponse:
    """A file from a translator: first what it would change, then the change."""
    found = _survey(slug)
    document = drafts.working_document(found)
    content, slip = _uploaded(request)
    plan = csv_files.Plan(slips=[csv_files.Slip(0, "", slip)]) if slip else csv_files.plan(document, content)
    problem = ""
    if "confirm" in request.POST and not plan.slips:
        try:
            changed = drafts.save_words(found, plan.words, request.user, seen=request.POST.get("seen", ""))
            drafts.record_import(found, request.user, changed=changed)
            said = ngettext("%(n)d text changed.", "%(n)d texts changed.", changed) % {"n": changed}
            return _see(request, "survey_languages", slug, said=said)
        except drafts.Stale as stale:
            problem = _stale(stale)
    context = _tabs(found, document) | {
        "plan": plan,
        "content": content,
        "problem": problem,
        "names": dict(settings.LANGUAGES),
        "seen": drafts.digest(drafts.words_of(plan.words)(document)),
    }
    return render(request, "surveys/editor/import.html", context, status=REFUSED if plan.slips or problem else 200)


def _uploaded(request: StaffRequest) -> tuple[str, str]:
    """The text of the file, or of the one looked at before; else what is wrong with it."""
    sent = request.FILES.get("file")
    if sent is None:
        content = request.POST.get("content", "")
        return content, "" if content else _("Choose a file first.")
    if (sent.size or 0) > csv_files.MOST_BYTES:
        return "", _("The file is larger than any survey. Is it the right one?")
    read = csv_files.read(sent.read())
    if read is None:
        return "", _("The file is not in UTF-8. In the spreadsheet, save it as “CSV UTF-8”.")
    return read, ""


@require_http_methods(_READ_AND_WRITE)
@page
def survey_publish(request: StaffRequest, slug: str) -> HttpResponse:
    """What publishing changes, and the button that does it."""
    found = _survey(slug)
    document = drafts.working_document(found)
    form = PublishForm(request.POST or None)
    problem = ""
    if form.is_valid():
        try:
            seen = request.POST.get("seen", "")
            version = drafts.publish(found, request.user, note=form.cleaned_data["note"], seen=seen)
            asked = SurveyChoice.objects.filter(survey=found).exists()
            said = (
                _("Version %(n)d is published and asked from now on.")
                if asked
                else _("Version %(n)d is published. Now choose where it is asked.")
            ) % {"n": version.number}
            if not asked:
                return _see(request, "survey_places", said=said)
            return _see(request, "survey_versions", slug, said=said)
        except drafts.Stale:
            problem = _("The draft has changed since this page was opened. Please look at it again.")
        except drafts.NotReady:
            problem = _("The draft is not ready yet.")
    findings = lint(document, found)
    context = _tabs(found, document) | {
        "form": form,
        "problem": problem,
        "findings": [_shown(document, finding) for finding in findings],
        "errors": sum(finding.level == Level.ERROR for finding in findings),
        "trends": _trends(drafts.newest_version(found), document),
        "seen": drafts.digest(document),
    }
    return render(request, "surveys/editor/publish.html", context, status=REFUSED if problem else 200)


def _parsed(document: Raw) -> SurveyDocument | None:
    try:
        return parse(document)
    except DocumentError:
        return None


def _trends(before: SurveyVersion | None, document: Raw) -> list[dict[str, Any]]:
    after = _parsed(document)
    if after is None:
        return []
    language = document.get("languages", ["en"])[0]
    return [
        {
            "trend": trend,
            "text": said_in(trend.text, language),
            "languages": [name for _code, name in _languages(list(trend.languages))],
        }
        for trend in compare(document_of(before) if before else None, after)
    ]


@require_safe
@page
def survey_versions(request: StaffRequest, slug: str) -> HttpResponse:
    """What was published when, by whom, and what each version did to the trends."""
    found = _survey(slug)
    versions = list(found.versions.select_related("published_by").order_by("number"))
    before: list[SurveyVersion | None] = [None, *versions[:-1]]
    rows = [
        {"version": version, "trends": _trends(old, version.document), "first": old is None}
        for old, version in zip(before, versions, strict=True)
    ]
    context = _tabs(found, drafts.working_document(found)) | {
        "rows": rows[::-1],
        "changes": found.changes.select_related("actor")[:_MOST_CHANGES],
    }
    return render(request, "surveys/editor/versions.html", context)


@require_http_methods(_READ_AND_WRITE)
@page
def survey_places(request: StaffRequest) -> HttpResponse:
    """Which survey is asked where."""
    problem = ""
    if request.method == "POST":
        try:
            refused = _choose(request)
        except drafts.Stale:
            refused = _("Somebody else has chosen another survey there in the meantime. Please look again.")
        if not refused:
            return _see(request, "survey_places", said=_("Saved."))
        problem = refused
    published = Survey.objects.filter(versions__isnull=False).distinct().order_by("name")
    single = SurveyChoice.objects.filter(touchpoint__isnull=False).select_related("survey", "touchpoint__store")
    visible = stores_visible_to(request.user)
    context = {
        "rows": [(place, chosen_at(place)) for place in places()],
        "surveys": published,
        "single": single.filter(touchpoint__store__in=visible).order_by("touchpoint__store__name", "touchpoint__pk"),
        "problem": problem,
        "typed": request.POST.get("code", "") if problem else "",
    }
    return render(request, "surveys/editor/places.html", context, status=REFUSED if problem else 200)


def _choose(request: StaffRequest) -> str:
    """Do what the form says; returns what is wrong with it, or nothing. Raises Stale."""
    slug = request.POST.get("survey", "")
    survey = Survey.objects.filter(versions__isnull=False, slug=slug).distinct().first() if slug else None
    if slug and survey is None:
        return _("This survey is not published yet.")
    if "code" in request.POST:
        code = clean_typed_code(request.POST["code"])
        spots = Touchpoint.objects.select_related("store").filter(store__in=stores_visible_to(request.user))
        spot = spots.exclude(kind__in=(TouchpointKind.RECEIPT, TouchpointKind.CALL)).filter(code=code).first()
        if spot is None:
            return _("There is no touchpoint with this code. It stands below its QR code.")
        choose_at(spot, survey, request.user)
        return ""
    place = next((one for one in places() if one.name == request.POST.get("place")), None)
    if place is None:
        raise Http404
    if survey is None and not place.kind:
        return _("A channel needs a survey, or it would ask nothing.")
    choose(place, survey, request.user, seen=request.POST.get("seen", ""))
    return ""
