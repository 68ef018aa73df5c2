"""Head office's editor: drafted, checked, translated, looked at, published, and kept as it was published."""

import re
import threading
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, connection, transaction
from django.test import Client

from stores.choices import TouchpointKind
from surveys.defaults import ensure_surveys
from surveys.documents import document_of, parse
from surveys.editor import csv_files, drafts
from surveys.editor import places as places_module
from surveys.editor.lint import Level, lint
from surveys.editor.places import choose, places
from surveys.editor.texts import all_texts
from surveys.editor.trends import Fate, breaks, breaks_between, compare
from surveys.models import Response, Survey, SurveyChange, SurveyChoice, SurveyDraft, SurveyVersion
from tests.factories import Chain, make_touchpoint, make_user
from tests.surveys.conftest import hidden

pytestmark = pytest.mark.django_db


@pytest.fixture
def office(client: Client, chain: Chain) -> Client:
    client.force_login(chain.head_office)
    return client


@pytest.fixture
def survey(surveys: dict[str, SurveyVersion], chain: Chain) -> Survey:
    """The recommendation, with a draft in three languages."""
    found = surveys["recommend"].survey
    drafts.set_languages(found, ["en", "de", "uk"], chain.head_office)
    return found


def at(survey: Survey, page: str = "") -> str:
    return f"/setup/surveys/{survey.slug}/{page}"


def add(office: Client, survey: Survey, kind: str) -> str:
    """Adds a question as its form does; returns its address."""
    added = office.post(at(survey, "arrange/"), {"do": "add", "kind": kind})
    assert added.status_code == 303, added.content.decode()[:500]
    return str(added["Location"])


def save(office: Client, address: str, **fields: Any) -> Any:
    """Fills in the form of a page as a browser would, changing `fields`."""
    opened = office.get(address)
    return office.post(address, shown_fields(opened) | fields)


def shown_fields(opened: Any) -> dict[str, Any]:
    page = opened.content.decode()
    form = page[page.index('name="seen"') :]
    found: dict[str, Any] = {"seen": hidden(opened, "seen")}
    for name, value in re.findall(r'<textarea name="([^"]+)"[^>]*>\s?([^<]*)</textarea>', form):
        found[name] = value
    for tag in re.findall(r"<input[^>]*>", form):
        name, value = re.search(r'name="([^"]+)"', tag), re.search(r'value="([^"]*)"', tag)
        if name and ("checked" in tag or 'type="text"' in tag):
            found.setdefault(name[1], []).append(value[1] if value else "")
    for name, options in re.findall(r'<select name="([^"]+)"[^>]*>(.*?)</select>', form, re.DOTALL):
        chosen = re.search(r'value="([^"]*)" selected', options)
        found[name] = chosen[1] if chosen else ""
    return found


def publish(office: Client, survey: Survey, note: str = "") -> SurveyVersion:
    sent = office.post(
        at(survey, "publish/"), {"seen": hidden(office.get(at(survey, "publish/")), "seen"), "note": note}
    )
    assert sent.status_code == 303, re.findall(r'role="alert">([^<]*)', sent.content.decode())
    version = survey.versions.order_by("-number").first()
    assert version is not None
    return version


def test_a_survey_is_made_written_published_and_asked_without_a_developer(
    office: Client, chain: Chain, surveys: Any, client: Client
) -> None:
    made = office.post("/setup/surveys/", {"name": "Fitting rooms", "language": "en", "copy_of": ""})
    survey = Survey.objects.get(name="Fitting rooms")
    assert made["Location"] == at(survey)
    smileys = add(office, survey, "smiley4")
    save(office, smileys, text="How is the fitting room at {store}?", required="on")
    why = add(office, survey, "multiple")
    answered = save(
        office, why, text="What was wrong?", option_a="Light", option_b="Dirt", new_0="Queue", when_0="smiley4::2"
    )
    assert answered.status_code == 303
    consent = add(office, survey, "consent")
    save(office, consent, text="You may print my words on the wall of {manager|the store}.")
    contact = add(office, survey, "contact")
    save(office, contact, ways=["call"], asks_when="on", asks_language="on")
    add(office, survey, "here")
    page = office.get(at(survey)).content.decode()
    assert "Only after How is the fitting room" in page and "Nobody can say why." in page
    version = publish(office, survey, note="First")
    assert version.number == 1 and version.published_by == chain.head_office and version.note == "First"
    assert not SurveyDraft.objects.filter(survey=survey).exists()

    office.post("/setup/surveys/where/", {"place": "qr-fitting_room", "survey": survey.slug, "seen": "moment"})
    room = make_touchpoint(store=chain.store, kind=TouchpointKind.FITTING_ROOM, name="Upstairs")
    asked = client.get(f"/q/{room.code}/")
    page = asked.content.decode()
    assert page.count('<svg class="smiley"') == 4 and "How is the fitting room at Kyiv One?" in page
    assert "on the wall of Manager" in page or "on the wall of" in page
    assert 'value="text" id="w-text"' not in page and 'name="contact_when"' in page
    assert "#ask:not(:has(#f-score:checked,#f-score2:checked)) #q-multiple{display:none}" in page
    sent = client.post(
        f"/q/{room.code}/",
        {
            "form": hidden(asked, "form"),
            "lang": "en",
            "score": "1",
            "multiple": ["a", "c", "nonsense"],
            "consent": "1",
            "contact": "call",
            "phone": "+380 44 123 45 67",
            "contact_when": "evening",
            "contact_language": "en",
            "still_here": "1",
        },
    )
    assert sent.status_code == 303
    kept = Response.objects.get()
    assert kept.score == 1 and kept.headline_kind == "smiley4" and kept.still_here
    assert kept.answers["multiple"] == ["a", "c"] and kept.answers["consent"] is True
    assert (kept.contact_wish, kept.contact_when, kept.contact_language) == ("call", "evening", "en")


def test_what_hangs_on_an_answer_counts_only_after_it(office: Client, survey: Survey, answer: Any) -> None:
    save(office, add(office, survey, "single"), text="What?", option_a="Price", option_b="Staff", when_0="recommend::6")
    translate_all(office, survey)
    version = publish(office, survey)
    asked = document_of(version)
    assert [q.key for q in asked.reached({"recommend": 9})][:2] == ["recommend", "reason"]
    assert "single" in [q.key for q in asked.reached({"recommend": 6})]
    answer(score="9", single="a", reason="Words are kept")
    assert Response.objects.get().answers == {"recommend": 9, "reason": "Words are kept"}


def translate_all(office: Client, survey: Survey, text: str = "Etwas {store}") -> None:
    """Fills every gap, so that a draft can be published."""
    document = drafts.working_document(survey)
    words = {
        (one.path, language): text.replace(" {store}", "")
        for one in all_texts(document)
        for language in document["languages"]
        if not one.words.get(language) and not one.may_be_empty
    }
    drafts.save_words(survey, words, make_user(email="words@example.com"))


def test_a_version_cannot_be_changed(survey: Survey) -> None:
    version = SurveyVersion.objects.filter(survey=survey)
    for change in (
        partial(version.update, note="Another"),
        partial(version._raw_delete, "default"),
        partial(version.update, document={}),
    ):
        with pytest.raises(DatabaseError, match="stays as it is"), transaction.atomic():
            change()


def test_what_was_done_cannot_be_changed(office: Client, survey: Survey, chain: Chain) -> None:
    change = SurveyChange.objects.create(survey=survey, actor=chain.head_office, kind="published", about="1")
    with pytest.raises(DatabaseError, match="stays as it is"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM surveys_surveychange WHERE id = %s", [change.pk])


def test_two_people_at_one_question_are_told(office: Client, survey: Survey, chain: Chain) -> None:
    address = at(survey, "questions/reason/")
    mine, theirs = shown_fields(office.get(address)), make_user(email="other@example.com")
    document = drafts.working_document(survey)
    question = drafts.question_of(document, "reason")
    drafts.save_question(survey, "reason", {"text": {"en": "Theirs"}}, theirs, seen=drafts.digest(question))
    refused = office.post(address, mine | {"text": "Mine"})
    page = refused.content.decode()
    assert refused.status_code == 422 and "Other has changed this" in page.replace("Other@Example.Com", "Other")
    assert "Mine" in page
    # Another question is nobody's business.
    other = at(survey, "questions/recommend/")
    assert save(office, other, high="Very likely").status_code == 303
    again = office.post(address, shown_fields(refused) | {"text": "Mine"})
    assert again.status_code == 303
    kept = drafts.question_of(drafts.working_document(survey), "reason")
    assert kept is not None and kept["text"]["en"] == "Mine"


def test_order_headline_and_removal_by_buttons(office: Client, survey: Survey) -> None:
    def do(what: str, key: str, **extra: Any) -> Any:
        seen = hidden(office.get(at(survey)), "seen")
        return office.post(at(survey, "arrange/"), {"do": what, "key": key, "seen": seen} | extra)

    add(office, survey, "csat")
    do("up", "csat")
    do("up", "csat")
    keys = [q["key"] for q in drafts.working_document(survey)["questions"]]
    assert keys[0] == "csat"
    do("headline", "csat")
    assert drafts.working_document(survey)["headline"] == "csat"
    do("remove", "csat")
    assert drafts.working_document(survey)["headline"] == ""
    stale = office.post(at(survey, "arrange/"), {"do": "remove", "key": "reason", "seen": "old"}, follow=True)
    assert "Nothing was moved" in stale.content.decode()
    assert "reason" in [q["key"] for q in drafts.working_document(survey)["questions"]]
    part = office.post(at(survey, "arrange/"), {"do": "down", "key": "reason"}, headers={"HX-Request": "true"})
    assert part.status_code == 200 and part.content.decode().strip().startswith('<div id="draft"')
    office.post(at(survey, "arrange/"), {"do": "drop"})
    assert not SurveyDraft.objects.exists()


def errors(document: dict[str, Any], survey: Survey | None = None) -> list[str]:
    return [one.message for one in lint(document, survey) if one.level == Level.ERROR]


def advice(document: dict[str, Any]) -> list[str]:
    return [one.message for one in lint(document) if one.level == Level.ADVICE]


def with_text(document: dict[str, Any], said: str, language: str = "en") -> dict[str, Any]:
    changed = {**document, "questions": [dict(q) for q in document["questions"]]}
    changed["questions"][1] = changed["questions"][1] | {"text": changed["questions"][1]["text"] | {language: said}}
    return changed


def test_the_surveys_an_installation_starts_with_are_clean(surveys: dict[str, SurveyVersion]) -> None:
    for version in surveys.values():
        document = drafts.working_document(version.survey)
        assert errors(document, version.survey) == []
        assert [one for one in advice(document) if "Nobody" not in one] == []


@pytest.mark.parametrize(
    ("language", "said", "found"),
    [
        ("en", "Answer and get a 10 % discount", "is an offer"),
        ("de", "Nehmen Sie an unserer Verlosung teil", "is an offer"),
        ("uk", "Дайте відповідь і отримайте знижку", "is an offer"),
        ("en", "Please give us a 10", "begs for a score"),
        ("en", "What is your password?", "asks for no secrets"),
        ("en", "How is {shop}?", "Nothing stands for {shop}"),
        ("en", "How was {manager}?", "Stores without a manager"),
        ("en", "x" * 401, "far too long"),
        ("de", "", "1 translation is missing"),
    ],
)
def test_what_must_not_be_published(survey: Survey, language: str, said: str, found: str) -> None:
    document = with_text(drafts.working_document(survey), said, language)
    assert any(found in message for message in errors(document)), errors(document)


@pytest.mark.parametrize(
    ("language", "said", "found"),
    [
        ("en", "How satisfied were you with our great staff?", "leads to an answer"),
        ("de", "Wie zufrieden waren Sie?", "leads to an answer"),
        ("uk", "Наскільки ви задоволені візитом?", "leads to an answer"),
        ("en", "Why " + "so " * 50, "This text is long"),
        ("de", "Warum bei {store}?", "names other things"),
    ],
)
def test_what_is_advised_against(survey: Survey, language: str, said: str, found: str) -> None:
    document = with_text(drafts.working_document(survey), said, language)
    assert any(found in message for message in advice(document)), advice(document)
    assert all(one.remedy for one in lint(document))


def test_a_long_question_after_a_call_is_told_what_it_costs(survey: Survey) -> None:
    document, told = drafts.working_document(survey), "takes a text message of 3 parts"
    assert not any(told in one.message for one in lint(document, survey)), "the NPS is asked in a few words"
    next(one for one in document["questions"] if one["key"] == document["headline"])["kind"] = "csat"
    assert [one.language for one in lint(document, survey) if told in one.message] == ["uk"]
    survey.choices.filter(channel="call").delete()
    assert not any(told in one.message for one in lint(document, survey))


def test_a_draft_with_an_offer_is_refused_and_says_why(office: Client, survey: Survey) -> None:
    save(office, at(survey, "questions/reason/"), text="Win a voucher: why this score?")
    page = office.get(at(survey, "publish/")).content.decode()
    assert "is an offer" in page and "Advertising needs a consent of its own" in page and 'name="seen"' not in page
    seen = drafts.digest(drafts.working_document(survey))
    refused = office.post(at(survey, "publish/"), {"seen": seen})
    assert refused.status_code == 422 and survey.versions.count() == 1


def test_trends_go_on_with_the_question_and_say_where_they_do_not(office: Client, survey: Survey) -> None:
    save(office, at(survey, "questions/recommend/"), text="Would you recommend {store} to a friend or a colleague?")
    page = office.get(at(survey, "publish/")).content.decode()
    assert "The trend continues; the words changed in: English" in page
    second = publish(office, survey)
    save(office, at(survey, "questions/recommend/"), do="anew")
    page = office.get(at(survey, "publish/")).content.decode()
    assert "A new trend begins" in page and "The trend ends with the version before." in page
    third = publish(office, survey)
    assert document_of(third).headline.key != "recommend"
    fates = {(one.key, one.fate) for one in compare(document_of(second), document_of(third))}
    assert ("recommend", Fate.ENDS) in fates and (document_of(third).headline.key, Fate.BEGINS) in fates
    assert [one.number for one in breaks(survey.versions.order_by("number"))] == [3]
    assert "Version 3" in office.get(at(survey, "versions/")).content.decode()
    day = third.published_at.date()
    assert [one.number for one in breaks_between(day, day)] == [3]
    assert breaks_between(day + timedelta(days=1), day + timedelta(days=2)) == []


def test_a_key_never_changes_its_kind(survey: Survey) -> None:
    document = drafts.working_document(survey)
    document["questions"][0] |= {"kind": "csat"}
    assert any("in another way" in message for message in errors(document, survey))


def test_translations_side_by_side(office: Client, survey: Survey) -> None:
    document = drafts.working_document(survey)
    emptied = {(one.path, "ar"): "" for one in all_texts(document) if not one.may_be_empty}
    drafts.save_words(survey, emptied, make_user(email="w@example.com"))
    office.post(at(survey, "languages/"), {"first": "en", "languages": ["de", "uk", "ar"]})
    page = office.get(at(survey, "languages/")).content.decode()
    assert "0 of 4" in page and page.count("complete") == 3
    address = at(survey, "languages/ar/")
    opened = office.get(address)
    assert "How likely is it" in opened.content.decode() and "missing" in opened.content.decode()
    fields = {"seen": hidden(opened, "seen"), "t.recommend.text": "ما مدى احتمال أن توصي بـ{store}؟"}
    assert office.post(address, fields).status_code == 303
    document = drafts.working_document(survey)
    assert document["questions"][0]["text"]["ar"].startswith("ما مدى")
    assert document["questions"][0]["text"]["de"].startswith("Wie wahrscheinlich")
    assert office.get(at(survey, "languages/fr/")).status_code == 404
    # Somebody else was quicker.
    refused = office.post(address, fields | {"t.recommend.text": "غير"})
    assert refused.status_code == 422 and "غير" in refused.content.decode()


def test_a_file_goes_to_a_translator_and_comes_back(office: Client, survey: Survey) -> None:
    drafts.save_words(survey, {("reason.text", "de"): "=SUM(A1)"}, make_user(email="w@example.com"))
    sent = office.get(at(survey, "languages/texts.csv"))
    text = sent.content.decode("utf-8-sig")
    assert "reason.text" in text and "'=SUM(A1)" in text and ",=SUM" not in text
    document = drafts.working_document(survey)
    assert csv_files.plan(document, text).differences == []
    assert csv_files.plan(document, text.replace("'=SUM(A1)", "Warum?")).words == {("reason.text", "de"): "Warum?"}
    address = at(survey, "languages/import/")
    looked = office.post(
        address, {"file": SimpleUploadedFile("t.csv", ("\ufefftext;de\nreason.text;Warum denn?\n").encode())}
    )
    page = looked.content.decode()
    assert looked.status_code == 200 and "1 text would change." in page and "Warum denn?" in page
    kept = drafts.question_of(drafts.working_document(survey), "reason")
    assert kept is not None and kept["text"]["de"] == "=SUM(A1)"
    done = office.post(
        address, {"content": "text;de\nreason.text;Warum denn?\n", "seen": hidden(looked, "seen"), "confirm": "1"}
    )
    assert done.status_code == 303
    kept = drafts.question_of(drafts.working_document(survey), "reason")
    assert kept is not None and kept["text"]["de"] == "Warum denn?"
    assert SurveyChange.objects.filter(kind="imported", new={"texts": 1}).exists()


@pytest.mark.parametrize(
    ("content", "row", "column", "said"),
    [
        (b"text,de\nnowhere.text,x\n", "2", "text", "There is no text called"),
        (b"text,xx\nreason.text,x\n", "1", "xx", "no language of ours"),
        (b"text,fr\nreason.text,x\n", "1", "fr", "does not speak this language yet"),
        (b"text,de\nreason.text,{city}?\n", "2", "de", "no place {city}"),
        (b"text,de\nreason.text,a\nreason.text,b\n", "3", "text", "twice"),
        (b"name,de\nreason.text,a\n", "1", "text", "must be called"),
        (b"text,de\nreason.text,\xff\xfe\xfa\n", "–", "–", "not in UTF-8"),
        (b"", "–", "–", "Choose a file first"),
        (b'text,en\nreason.text,"' + b"x" * 140_000, "–", "–", "Is it the right one?"),
    ],
)
def test_slips_in_a_file_are_named_by_row_and_column(
    office: Client, survey: Survey, content: bytes, row: str, column: str, said: str
) -> None:
    files = {"file": SimpleUploadedFile("t.csv", content)} if content else {}
    refused = office.post(at(survey, "languages/import/"), files)
    page = refused.content.decode()
    assert refused.status_code == 422 and said in page
    assert re.search(rf'<tr><td>{row}</td><td dir="auto">{column}</td>', page)
    assert "Bring them in" not in page


def test_the_preview_is_the_page_itself_and_can_do_nothing(office: Client, survey: Survey) -> None:
    page = office.get(at(survey, "preview/"), {"language": "uk", "look": "dark", "store": "KY1"})
    shown = page.content.decode()
    assert 'sandbox=""' in shown and "frame-src 'self'" in page["Content-Security-Policy"]
    address = re.search(r'src="([^"]+preview/page/[^"]*)"', shown)
    assert address
    framed = office.get(address[1].replace("&amp;", "&"))
    inside = framed.content.decode()
    policy = framed["Content-Security-Policy"]
    assert "порекомендуєте «Kyiv One»" in inside and '<html lang="uk"' in inside
    assert "sandbox" in policy and "frame-ancestors 'self'" in policy and "script" not in policy
    assert "@media all{" in inside and "prefers-color-scheme" not in inside and "<script" not in inside
    assert framed["X-Frame-Options"] == "SAMEORIGIN" and not Response.objects.exists()
    light = office.get(at(survey, "preview/page/"), {"look": "light", "place": "receipt"}).content.decode()
    assert "@media not all{" in light and "still here" not in light


def test_names_in_texts_are_words_and_nothing_else(
    office: Client, chain: Chain, survey: Survey, client: Client
) -> None:
    save(office, at(survey, "questions/reason/"), text="<b>Why</b> {store} of {manager|our team}?")
    chain.store.name = "<img src=x onerror=alert(1)> {manager|x}"
    chain.store.save()
    publish(office, survey)
    chain.manager.name = ""
    type(chain.manager).objects.filter(pk=chain.manager.pk).update(name="<script>alert(2)</script>")
    page = Client().get(f"/q/{chain.touchpoint.code}/").content.decode()
    assert "<img src=x" not in page and "<b>Why" not in page and "<script>alert" not in page
    assert "&lt;b&gt;Why&lt;/b&gt; &lt;img src=x onerror=alert(1)&gt; {manager|x} of &lt;script&gt;" in page
    type(chain.manager).objects.update(is_active=False)
    assert "of our team?" in Client().get(f"/q/{chain.touchpoint.code}/").content.decode()


def test_what_is_asked_where(office: Client, survey: Survey, chain: Chain) -> None:
    address = "/setup/surveys/where/"
    assert office.post(address, {"place": "qr-till", "survey": "moment", "seen": ""}).status_code == 303
    assert SurveyChoice.objects.get(touchpoint_kind="till").survey.slug == "moment"
    refused = office.post(address, {"place": "qr-till", "survey": "recommend", "seen": ""})
    assert refused.status_code == 422 and "in the meantime" in refused.content.decode()
    assert office.post(address, {"place": "call", "survey": "", "seen": "recommend"}).status_code == 422
    assert office.post(address, {"code": "NOSUCHCODE00", "survey": "moment"}).status_code == 422
    assert office.post(address, {"code": chain.touchpoint.code, "survey": "recommend"}).status_code == 303
    assert SurveyChoice.objects.get(touchpoint=chain.touchpoint).survey == survey
    assert SurveyChange.objects.filter(kind="chosen", survey=survey).count() == 1
    assert office.post(address, {"code": chain.touchpoint.code, "survey": ""}).status_code == 303
    assert not SurveyChoice.objects.filter(touchpoint=chain.touchpoint).exists()


@pytest.mark.django_db(transaction=True)
def test_of_two_who_choose_a_survey_for_a_place_at_once_the_later_is_told() -> None:
    chain, surveys = Chain(), ensure_surveys()
    place = next(one for one in places() if one.name == "qr-till")
    start, told = threading.Barrier(2), []

    def choose_one(slug: str) -> None:
        start.wait()
        try:
            told.append(choose(place, surveys[slug].survey, chain.head_office, seen=""))
        except drafts.Stale:
            told.append(False)
        finally:
            connection.close()

    with pytest.MonkeyPatch.context() as patched:
        # Both have looked, and found nothing, before either writes.
        looked, record = threading.Barrier(2), places_module._choose_first
        patched.setattr(places_module, "_choose_first", lambda *of: (looked.wait(60), record(*of)))
        threads = [threading.Thread(target=choose_one, args=(slug,)) for slug in ("recommend", "moment")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    assert sorted(told) == [False, True]
    chosen = SurveyChoice.objects.get(touchpoint_kind="till")
    assert SurveyChange.objects.filter(kind="chosen").get().survey == chosen.survey


def test_null_characters_are_refused_in_forms_and_files(office: Client, survey: Survey) -> None:
    address = at(survey, "languages/de/")
    names = re.findall(r'name="(t\.[^"]+)"', office.get(address).content.decode())
    seen = hidden(office.get(address), "seen")
    assert office.post(address, {"seen": seen, names[0]: "Wie\0 war es?"}).status_code == 400
    assert office.post("/setup/surveys/where/", {"code": "A\0B", "survey": "moment"}).status_code == 400
    sent = SimpleUploadedFile("texts.csv", "text,de\nrecommend.text,Wie war es?\n".encode("utf-16-le"))
    refused = office.post(at(survey, "languages/import/"), {"file": sent})
    assert refused.status_code == 422 and "UTF-8" in refused.content.decode()


def test_publishing_takes_the_draft_that_was_looked_at(office: Client, survey: Survey) -> None:
    save(office, at(survey, "questions/reason/"), text="Why?")
    seen = hidden(office.get(at(survey, "publish/")), "seen")
    save(office, at(survey, "questions/reason/"), text="Why so?")
    refused = office.post(at(survey, "publish/"), {"seen": seen})
    assert refused.status_code == 422 and "has changed since" in refused.content.decode()
    assert survey.versions.count() == 1


def test_smileys_are_never_a_number_from_nought_to_ten() -> None:
    for kind in ("smiley3", "smiley4", "smiley5"):
        document = {
            "headline": "q",
            "languages": ["en"],
            "questions": [{"key": "q", "kind": kind, "text": {"en": "?"}}],
        }
        assert list(parse(document).headline.values) == list(range(1, int(kind[-1]) + 1))


def test_two_screens_at_most_unless_the_installation_says_otherwise(
    office: Client, survey: Survey, chain: Chain, settings: Any
) -> None:
    keys = [drafts.add_question(survey, "smiley5", chain.head_office) for _number in range(2)]
    for key, screen in zip(keys, (3, 2), strict=True):
        drafts.save_question(survey, key, {"text": {"en": "?"}, "screen": screen}, chain.head_office, seen="")
    document = drafts.working_document(survey)

    def said(level: Level) -> list[str]:
        return [one.message for one in lint(document, survey) if one.level == level]

    assert "There are 3 screens." in said(Level.ERROR)
    assert "The questions are listed in another order than they are asked in." in said(Level.ADVICE)
    with pytest.raises(drafts.NotReady):
        drafts.publish(survey, chain.head_office, note="", seen=drafts.digest(document))
    form = office.get(at(survey, f"questions/{keys[1]}/")).content.decode()
    assert re.findall(r'<option value="(\d)"', form.split('name="screen"')[1].split("</select>")[0]) == ["1", "2"]
    page = office.get(at(survey)).content.decode()
    assert page.count('class="asked__screen"') >= 3
    settings.MOST_SCREENS = 3
    assert "There are 3 screens." not in said(Level.ERROR)
    # One screen at a time, as the page's script shows them.
    frame = office.get(at(survey, "preview/page/?screen=1&language=en")).content.decode()
    assert ".screen:not(#screen-1){display:none}" in frame and "#last{display:none}" in frame
    last = office.get(at(survey, "preview/page/?screen=3&language=en")).content.decode()
    assert ".screen:not(#screen-3){display:none}" in last and "#last{display:none}" not in last


def test_what_is_published_and_asked_nowhere_says_so(office: Client, survey: Survey, chain: Chain) -> None:
    made = drafts.create_survey("Autumn", "en", chain.head_office, copy_of=survey)
    assert "Where it is asked you choose next" in office.get(at(made, "publish/")).content.decode()
    publish(office, made)
    assert "Now choose where it is asked." in office.get("/setup/surveys/where/").content.decode()
    assert "asked nowhere yet" in office.get(at(made)).content.decode()
    office.post("/setup/surveys/where/", {"place": "qr-till", "survey": made.slug, "seen": ""})
    assert "asked nowhere yet" not in office.get(at(made)).content.decode()
