"""The wall shows a week's words, redacted, to those who may see the store; on paper it is the same."""

import io
import re
from datetime import date, timedelta
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation
from pypdf import PdfReader

from alerts.choices import CaseState
from alerts.models import Case, CaseEntry, Kudos
from core.personal import erase_response
from core.work import drain
from customers.models import Contact
from reports.actions import begin, end
from reports.cells import read_cells, view_of
from reports.filters import Filters, scope_of
from reports.lattice import store_place
from reports.models import Action, ActionState
from reports.pdf import on_paper, wall_pdf
from reports.periods import Week, latest_day
from reports.wall import build_wall
from sentiment.models import Analysis, Sentiment
from stores.models import RoleAssignment, Store, Touchpoint, User
from surveys.models import Response, Verbatim
from surveys.queries import BY_A_PHONE
from tests.factories import Chain, make_touchpoint
from tests.reports.makers import answer, make_analysis, make_case
from tests.timing import cpu_secs

TODAY = latest_day(["Europe/Kyiv"])
WEEK = str(Week.of(TODAY))
HOSTILE = [
    '#read("/etc/passwd")',
    "<script>alert(1)</script>",
    "{{ 7*7 }} {% now 'Y' %}",
    "$x^2$ *bold* _it_ `code` @ref <label> \\ // /* */ ]]] }}}",
    '#eval("1") #include("wall.typ") #sys.inputs',
    "\u202egnirts desrever\u202c",
    "nul \u0001 bell \u0007 emoji 😀🎉",
    "a" * 3000,
]


def wall_of(
    client: Client, user: User, store: Store, week: str = WEEK, name: str = "wall", **query: str
) -> HttpResponse:
    client.force_login(user)
    response: HttpResponse = client.get(reverse(name, args=[store.code, week]), query)  # type: ignore[assignment]
    return response


def leave(
    chain: Chain,
    words: str,
    *,
    sentiment: Sentiment = Sentiment.POSITIVE,
    redacted: str = "",
    language: str = "en",
    day: date = TODAY,
    score: int | None = -1,
    **changes: Any,
) -> Response:
    """Read words with a score that goes with them, unless another is given."""
    if score == -1:
        score = 3 if sentiment == Sentiment.NEGATIVE else 9
    (response,) = answer(chain.touchpoint, score, day=day, words=words, language=language)
    analysis = make_analysis(response.verbatims.get(), sentiment=sentiment, redacted=redacted)
    Analysis.objects.filter(pk=analysis.pk).update(**changes)
    return response


def printed(pdf: bytes) -> str:
    return re.sub(r"\s+", " ", " ".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages))


@pytest.mark.parametrize("name", ["wall", "wall_pdf"])
@pytest.mark.parametrize(
    ("who", "code"),
    [
        ("manager", 200),
        ("deputy", 200),
        ("area_manager", 200),
        ("head_office", 200),
        ("call_centre_lead", 404),
        ("foreign_manager", 404),
        ("foreign_area_manager", 404),
        ("operator", 404),
        ("nobody", 404),
    ],
)
def test_who_sees_a_wall(client, chain, who, code, name):
    assert wall_of(client, getattr(chain, who), chain.store, name=name).status_code == code


def test_a_stranger_is_asked_to_sign_in(client, chain):
    assert client.get(reverse("wall", args=[chain.store.code, WEEK])).status_code == 302


@pytest.mark.parametrize(
    "week", ["2026-W54", "2025-W53", "2026-W00", "2026-47", "x", "0000-W01", "2026-W1", "٢٠٢٦-W١٢"]
)
def test_a_week_that_does_not_exist(client, chain, week):
    assert wall_of(client, chain.manager, chain.store, week).status_code == 404
    assert wall_of(client, chain.manager, chain.store, week, name="wall_pdf").status_code == 404


def test_a_store_that_does_not_exist(client, chain):
    client.force_login(chain.manager)
    assert client.get(f"/wall/NOWHERE/{WEEK}/").status_code == 404
    assert client.get(f"/wall/%00/{WEEK}/").status_code == 400


def test_a_future_and_an_empty_week_say_what_to_do(client, chain):
    future = str(Week.of(TODAY) + 3)
    assert "This week has not begun" in wall_of(client, chain.manager, chain.store, future).content.decode()
    assert "No words to pin up yet" in wall_of(client, chain.manager, chain.store).content.decode()
    assert wall_of(client, chain.manager, chain.store, future, name="wall_pdf").status_code == 200


def test_praise_and_lessons_in_redacted_words_only(client, chain):
    leave(chain, "Call Anna on 030 1234567, she was great", redacted="Call [name] on [phone], she was great")
    leave(chain, "Too long a queue for us", sentiment=Sentiment.NEGATIVE)
    leave(chain, "It is a shop like others", sentiment=Sentiment.NEUTRAL)
    answer(chain.touchpoint, 9, day=TODAY, words="not read yet by anybody")
    leave(chain, "words of last week", day=TODAY - timedelta(days=7))
    for content in (
        wall_of(client, chain.manager, chain.store).content.decode(),
        printed(wall_of(client, chain.manager, chain.store, name="wall_pdf").content),
    ):
        assert "[name] on [phone], she was great" in content
        assert "Too long a queue for us" in content
        assert "1234567" not in content
        for absent in ("Anna", "a shop like others", "not read yet", "words of last"):
            assert absent not in content


def test_what_never_hangs_on_a_wall(client, chain):
    leave(chain, "the guard hit my son", sentiment=Sentiment.NEGATIVE, urgency=["safety"])
    leave(chain, "too short to judge", confident=False)
    erased = leave(chain, "please forget these words")
    erase_response(erased.pk)
    Response.objects.filter(pk=erased.pk).update(erased_at=timezone.now())
    ours = leave(chain, "we are the best team of all")
    Response.objects.filter(pk=ours.pk).update(flags=["staff"])
    wall = build_wall(chain.store, Week.of(TODAY))
    assert wall.empty


@pytest.mark.parametrize(
    ("score", "sentiment", "praised", "learnt"),
    [
        (10, "positive", True, False),
        (8, "positive", True, False),
        (None, "positive", True, False),
        (6, "positive", False, False),
        (9, "negative", False, False),
        (8, "negative", False, True),
        (0, "negative", False, True),
        (None, "negative", False, True),
        (10, "neutral", False, False),
    ],
)
def test_words_hang_only_where_the_score_does_not_contradict(chain, score, sentiment, praised, learnt):
    leave(chain, "He really knows his knives", sentiment=Sentiment(sentiment), score=score)
    wall = build_wall(chain.store, Week.of(TODAY))
    assert (bool(wall.praises), bool(wall.lessons)) == (praised, learnt)


@pytest.mark.parametrize(
    ("score", "praised", "learnt"), [(9, True, False), (8, False, False), (6, False, True), (None, False, False)]
)
def test_words_in_a_language_that_is_not_judged_speak_by_their_score(chain, score, praised, learnt):
    leave(chain, "تغليف الهدية كان جميلاً جداً", sentiment=Sentiment.NEUTRAL, language="ar", score=score, confident=False)
    wall = build_wall(chain.store, Week.of(TODAY))
    assert (bool(wall.praises), bool(wall.lessons)) == (praised, learnt)


@pytest.mark.parametrize(("score", "learnt"), [(9, False), (2, True)])
def test_what_may_be_irony_is_no_praise_whatever_the_score(chain, score, learnt):
    words = "Great, another hour in the queue, just what I needed"
    leave(chain, words, sentiment=Sentiment.NEUTRAL, score=score, confident=False, embedding=b"known")
    wall = build_wall(chain.store, Week.of(TODAY))
    assert (bool(wall.praises), bool(wall.lessons)) == (False, learnt)


def test_no_deed_twice_and_those_with_words_first(chain):
    def done(words: str, did: str, hours_ago: int) -> None:
        response = (
            leave(chain, words, sentiment=Sentiment.NEGATIVE) if words else answer(chain.touchpoint, 2, day=TODAY)[0]
        )
        _start, end = Week.of(TODAY).bounds(chain.store.time_zone)
        case = make_case(response, state=CaseState.RESOLVED, resolved_at=end - timedelta(hours=hours_ago))
        CaseEntry.objects.create(case=case, kind="action", text=did, author=chain.manager)

    done("", "Opened a second till", 1)
    done("", "Painted the door", 2)
    done("", "Painted the door", 3)
    done("Two in the queue before me, and one till", "Opened a second till", 4)
    done("One till for all of us", "Opened a second till", 5)
    pairs = build_wall(chain.store, Week.of(TODAY)).done
    assert [(one.said and one.said.text, one.did) for one in pairs] == [
        ("Two in the queue before me, and one till", "Opened a second till"),
        (None, "Painted the door"),
    ]


def test_the_same_words_hang_once_and_topics_vary(chain):
    for number in range(12):
        leave(
            chain,
            f"The staff helped us with the present number {number} in a friendly way today",
            topics=[{"topic": "staff", "sentiment": "positive"}],
        )
        leave(chain, "Thank you for everything, dear shop, and until next time")
    leave(
        chain,
        "Good prices, and I found what I looked for in the sale of this week",
        topics=[{"topic": "price", "sentiment": "positive"}],
    )
    texts = [voice.text for voice in build_wall(chain.store, Week.of(TODAY)).praises]
    assert len(texts) == 10
    assert sum("Thank you for everything" in text for text in texts) == 1
    assert any("Good prices" in text for text in texts[:3])


def test_you_said_we_did_from_closed_cases_without_names(client, chain):
    chain.manager.name = "Zenobia Quill"
    chain.manager.save()

    def closed(words: str, did: str, **changes: Any) -> Response:
        response = leave(chain, words, sentiment=Sentiment.NEGATIVE)
        case = make_case(response, **{"state": CaseState.RESOLVED, "resolved_at": timezone.now(), **changes})
        CaseEntry.objects.create(case=case, kind="action", text=did, author=chain.manager)
        CaseEntry.objects.create(case=case, kind="note", text="internal remark", author=chain.manager)
        return response

    closed("Only one till was open", "Zenobia opened a second till; call 044 123 45 67")
    closed("Still waiting for an answer", "not finished", state=CaseState.CONTACTED, resolved_at=None)
    grave = Verbatim(
        response=closed("And one more thing", "dismissed the guard"), question="more", text="He hit my son"
    )
    grave.save()
    make_analysis(grave, sentiment=Sentiment.NEGATIVE)
    Analysis.objects.filter(pk=grave.pk).update(urgency=["safety"])
    closed("An older matter", "done long ago", resolved_at=timezone.now() - timedelta(days=9))
    (pair,) = build_wall(chain.store, Week.of(TODAY)).done
    assert pair.said is not None
    assert pair.said.text == "Only one till was open"
    assert pair.did == "[name] opened a second till; call [phone]"
    content = wall_of(client, chain.manager, chain.store).content.decode()
    assert "You said, we did" in content
    assert "internal remark" not in content
    assert "opened a second till" in printed(wall_of(client, chain.manager, chain.store, name="wall_pdf").content)


def test_deeds_name_none_of_those_who_did_them_wherever_they_work_now_and_none_of_what_is_grave(chain):
    def closed(response: Response, did: str) -> Case:
        case = make_case(response, state=CaseState.RESOLVED, resolved_at=timezone.now())
        for text, author in (("I called them", chain.deputy), (did, chain.manager)):
            CaseEntry.objects.create(case=case, kind="action", text=text, author=author)
        return case

    User.objects.filter(pk=chain.deputy.pk).update(name="Martin Quill")
    User.objects.filter(pk=chain.foreign_manager.pk).update(name="Zenobia Ash")
    response = leave(chain, "I am away from my phone", sentiment=Sentiment.NEGATIVE)
    response.verbatims.update(question=BY_A_PHONE)
    closed(response, "Martin apologised")
    (theirs,) = answer(make_touchpoint(store=chain.foreign), 2, day=TODAY)
    elsewhere = make_case(theirs, state=CaseState.RESOLVED, resolved_at=timezone.now())
    grave = leave(chain, "He hit my son", sentiment=Sentiment.NEGATIVE, urgency=["safety"])
    for case in (elsewhere, closed(grave, "Dismissed the guard")):
        action = begin(chain.root, by=chain.head_office, case=case).action
        end(action.pk, ActionState.DONE, by=chain.head_office, text="Zenobia bought a second guard")
    # He has left since.
    RoleAssignment.objects.filter(user=chain.deputy).delete()
    wall = build_wall(chain.store, Week.of(TODAY))
    assert [(one.said, one.did) for one in wall.done] == [
        (None, "[name] bought a second guard"),
        (None, "[name] apologised"),
    ]
    assert wall.done[0].deed == f"action:{Action.objects.get(case=elsewhere).pk}"


def test_the_shoppers_name_and_number_stay_on_no_wall(chain):
    response = leave(chain, "Olena here again, still no ladder to lend", sentiment=Sentiment.NEGATIVE)
    response.contact = Contact.create("phone", "+4930765432")
    response.save()
    case = make_case(response, state=CaseState.RESOLVED, resolved_at=timezone.now(), shopper_name="Olena Kovalenko")
    did = "Mrs. Kovalenko got her refund and Olena's ladder is here; reached at 765 432, paid 12500, till 3"
    CaseEntry.objects.create(case=case, kind="action", text=did, author=chain.manager)
    action = begin(chain.store, by=chain.manager, case=case).action
    end(action.pk, ActionState.DONE, by=chain.manager, text="Ladders for Kovalenko and everybody else")
    wall = build_wall(chain.store, Week.of(TODAY))
    assert [one.did for one in wall.done] == [
        "Ladders for [name] and everybody else",
        "Mrs. [name] got her refund and [name] ladder is here; reached at [phone], paid 12500, till 3",
    ]
    # Words hang beside what was done about them, and nowhere else.
    assert wall.done[1].said and wall.done[1].said.text == "[name] here again, still no ladder to lend"
    assert wall.lessons == []


def test_praise_that_no_happy_score_bears_out_hangs_only_if_it_is_sure(chain):
    leave(chain, "Had to tell it three times over", score=8, p_positive=0.77)
    leave(chain, "Such a lovely place to shop", score=7, p_positive=0.96)
    leave(chain, "Rather nice all in all", score=9, p_positive=0.77)
    wall = build_wall(chain.store, Week.of(TODAY))
    assert {one.text for one in wall.praises} == {"Such a lovely place to shop", "Rather nice all in all"}


def test_figures_of_the_week_with_n_and_margin(client, chain):
    answer(chain.touchpoint, 10, day=TODAY, times=12)
    answer(chain.touchpoint, 10, day=TODAY, times=3, channel="receipt", sample_kind="verified")
    answer(chain.touchpoint, 5, day=TODAY, times=4, headline_kind="smiley5")
    answer(chain.touchpoint, 3, day=TODAY, times=6, headline_kind="smiley3")
    page = wall_of(client, chain.manager, chain.store).content.decode()
    behind = f'<a class="size" href="/verbatims/?store=KY1&amp;%sweeks=1&amp;until={WEEK}%s">%s</a>'
    assert behind % ("channel=qr&amp;sample=volunteer&amp;", "&amp;question=nps", "n = 12") in page
    assert behind % ("channel=qr&amp;sample=volunteer&amp;", "&amp;question=smiley3", "n = 6") in page
    content = re.sub(r"\s+", " ", re.sub(r"<[^>]+>|\s+", " ", page))
    text = printed(wall_of(client, chain.manager, chain.store, name="wall_pdf").content)
    for found in (content, text):
        assert re.search(r"100 ± \d+", found)
        assert "n = 12" in found
        assert re.search(r"n = 3 · [^·]{1,20}–[^·]{4,20} · shown from 5 answers on", found)
        assert re.search(r"n = 4 · [^·]{1,20}–[^·]{4,20} · shown from 5 answers on", found)
        assert found.count(" hidden ") == 2


def test_how_many_were_very_happy_is_told_of_no_few_answers(client, chain):
    def told() -> tuple[bool, ...]:
        client.force_login(chain.manager)
        store_page = client.get(reverse("store_view", args=[chain.store.code])).content.decode()
        pages = (
            wall_of(client, chain.manager, chain.store).content.decode(),
            printed(wall_of(client, chain.manager, chain.store, name="wall_pdf").content),
        )
        return tuple("thanked for 0" in page for page in (*pages, store_page))

    response = leave(chain, "The best shop of all", score=10)
    Kudos.objects.create(response=response, store=chain.store, created_at=timezone.now())
    assert told() == (False, False, False)
    answer(chain.touchpoint, 5, day=TODAY, times=4)
    assert told() == (True, True, True)
    # Less what the figures tell, it would be about the one that was asked otherwise.
    answer(chain.touchpoint, 10, day=TODAY, channel="receipt", sample_kind="verified")
    assert told() == (False, False, False)


def test_a_wall_tells_nothing_that_the_pages_hide(chain):
    """Of a week that a page hides, the wall tells the shortest stretch around it that the page shows."""
    this_week = Week.of(TODAY)

    def fill(touchpoint: Touchpoint, weeks_ago: int, times: int, kind: str = "nps") -> None:
        answer(touchpoint, 5, day=(this_week + -weeks_ago).monday, times=times, headline_kind=kind)

    beside = make_touchpoint(store=chain.neighbour)
    for ago in (1, 2, 3, 15):
        fill(chain.touchpoint, ago, 8)
        fill(beside, ago, 3 if ago == 2 else 7)
        fill(chain.touchpoint, ago, 2 if ago == 3 else 6, kind="smiley5")
    filters = Filters(node=chain.area, weeks=26)
    leaves = [(week, week + 1) for week in range(26)]
    page = read_cells(view_of(scope_of(chain.head_office), filters, deep=True), this_week, leaves)
    own, seen = store_place(chain.store.pk), []
    for ago in (1, 2, 3, 15):
        for one in build_wall(chain.store, this_week + -ago).figures:
            lattice = page.lattice(one.source) if one.nps else page.scored_lattice("smiley5", one.source)
            assert not one.hidden
            stretch = next(of for of in [(ago, ago + 1), (0, 2), (0, 4), (0, 13)] if lattice.shows(own, [of]))
            assert one.n == lattice.size(own, stretch)
            assert bool(one.when) == (stretch[1] - stretch[0] > 1)
            seen.append((ago, bool(one.nps), one.n))
    # The neighbour's three of the week before last hide each part beside them; its own two hide the smileys.
    assert seen == [(1, True, 24), (1, False, 14), (2, True, 24), (2, False, 14), (3, True, 24), (3, False, 14),
                    (15, True, 8), (15, False, 6)]  # fmt: skip


def test_hostile_words_are_printed_as_words(client, chain):
    for words in HOSTILE:
        leave(chain, words)
    content = wall_of(client, chain.manager, chain.store).content.decode()
    assert "<script>alert" not in content
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in content
    assert "style=" not in content
    text = printed(wall_of(client, chain.manager, chain.store, name="wall_pdf").content)
    assert '#read("/etc/passwd")' in text
    assert "root:" not in text
    assert "<script>alert(1)</script>" in text
    assert "{{ 7*7 }}" in text
    assert "*bold* _it_" in text
    assert "\u202e" not in text


def test_a_word_without_an_end_stays_on_the_paper(client, chain):
    leave(chain, "So " + "o" * 200)
    pdf = PdfReader(io.BytesIO(wall_of(client, chain.manager, chain.store, name="wall_pdf").content))
    lines = [line for page in pdf.pages for line in page.extract_text().replace("\u200b", "").splitlines()]
    assert sum(line.count("o") for line in lines if "ooo" in line) >= 200
    assert max(len(line) for line in lines if "ooo" in line) < 100


def test_three_scripts_on_paper(client, chain):
    leave(chain, "Sehr freundlich, schöne Grüße", language="de")
    leave(chain, "Дуже привітний персонал", language="uk")
    leave(chain, "الموظفون لطفاء جداً", language="ar")
    response = wall_of(client, chain.manager, chain.store, name="wall_pdf", lang="uk")
    reader = PdfReader(io.BytesIO(response.content))
    text = printed(response.content)
    assert "schöne Grüße" in text
    assert "Дуже привітний персонал" in text
    assert re.search("[\u0600-\u06ff\ufb50-\ufdff\ufe70-\ufeff]{3}", text)
    fonts = {font["/BaseFont"] for page in reader.pages for font in _fonts(page)}
    assert any("Arabic" in name for name in fonts)
    assert response["Content-Type"] == "application/pdf"
    assert f"wall-{chain.store.code}-{WEEK}.pdf" in response["Content-Disposition"]
    content = wall_of(client, chain.manager, chain.store).content.decode()
    assert 'dir="rtl" lang="ar"' in content


def test_letters_that_no_typeface_has_are_told_of_and_never_printed_as_boxes(client, chain):
    printable = {
        "he": "השירות היה מצוין", "ja": "店員さんが親切でした", "zh": "服务非常好", "ko": "직원이 매우 친절했습니다",
        "th": "พนักงานใจดีมาก", "el": "Πολύ ευγενικό προσωπικό", "hi": "कर्मचारी अच्छे थे", "vi": "Nhân viên rất thân thiện",
        "ka": "ძალიან კეთილი პერსონალი", "hy": "Շատ լավ սպասարկում", "bn": "খুব ভালো সেবা", "ta": "மிகவும் நன்று",
        "te": "చాలా బాగుంది", "gu": "ખૂબ સરસ", "pa": "ਬਹੁਤ ਵਧੀਆ", "kn": "ತುಂಬಾ ಚೆನ್ನಾಗಿದೆ", "ml": "വളരെ നല്ലത്",
        "si": "ඉතා හොඳයි", "my": "အရမ်းကောင်းတယ်",
        "km": "ល្អណាស់", "lo": "ດີຫຼາຍ", "am": "በጣም ጥሩ",
    }  # fmt: skip
    hung = {"ja", "zh", "ko", "el", "vi", "ka", "hy"}  # what can be read out of a PDF letter by letter
    for language, words in printable.items():
        assert on_paper(words) == words
        if language in hung:
            leave(chain, words, language=language)
    leave(chain, "ཞབས་ཏོག་ཧ་ཅང་ཡག་པོ་", language="bo")
    assert on_paper("\u2764\ufe0f Great \u263a\ufe0e 1\ufe0f\u20e3", emoji=True) == "\u2764 Great \u263a 1"
    assert on_paper("ཡག་པོ་") is None and on_paper("good → cheap \U0001fae9 \ue000") == "good → cheap"
    text = printed(wall_of(client, chain.manager, chain.store, name="wall_pdf").content)
    assert [language for language in hung if printable[language] not in text] == []
    assert "1 more is in letters that cannot be printed here" in text
    assert "ཞབས" not in text and "ཞབས" in wall_of(client, chain.manager, chain.store).content.decode()


@pytest.mark.parametrize(
    ("words", "face"),
    [
        ("ძალიან კარგი", "Georgian"), ("Շատ լավ", "Armenian"), ("খুব ভালো", "Bengali"), ("மிகவும் நன்று", "Tamil"),
        ("చాలా బాగుంది", "Telugu"), ("ખૂબ સરસ", "Gujarati"), ("ਬਹੁਤ ਵਧੀਆ", "Gurmukhi"), ("ತುಂಬಾ ಚೆನ್ನಾಗಿದೆ", "Kannada"),
        ("വളരെ നല്ലത്", "Malayalam"), ("ඉතා හොඳයි", "Sinhala"), ("အရမ်းကောင်းတယ်", "Myanmar"), ("ល្អណាស់", "Khmer"),
        ("ດີຫຼາຍ", "Lao"), ("በጣም ጥሩ", "Ethiopic"), ("מצוין מאוד", "Hebrew"), ("ใจดีมาก", "Thai"),
        ("服务非常好", "CJK"), ("\U0001f600\U0001f389", "Emoji"),
    ],
)  # fmt: skip
def test_words_are_set_in_the_typeface_of_their_script(client, chain, words, face):
    leave(chain, words)
    reader = PdfReader(io.BytesIO(wall_of(client, chain.manager, chain.store, name="wall_pdf").content))
    assert any(face in font["/BaseFont"] for page in reader.pages for font in _fonts(page))


def test_emoji_are_printed_and_those_newer_than_the_typeface_are_told_of(client, chain):
    for words in (
        "Great shop \u2764\ufe0f",
        "\u2b50\u2b50\u2b50\u2b50\u2b50",
        "\U0001f469\u200d\U0001f467",
        "\U0001fae9",
    ):
        leave(chain, words)
    text = printed(wall_of(client, chain.manager, chain.store, name="wall_pdf").content)
    assert "Great shop \u2764" in text and "\u2b50" * 5 in text
    assert "1 more is in letters that cannot be printed here" in text


def _fonts(page: Any) -> list[Any]:
    return [font.get_object() for font in page["/Resources"].get("/Font", {}).values()]


def test_a_full_wall_is_printed_within_half_a_second(chain):
    for number in range(12):
        leave(chain, f"{number} " + "Lovely shop with friendly people and a wide choice. " * 5)
    wall = build_wall(chain.store, Week.of(TODAY))
    with translation.override("de"):
        assert wall_pdf(wall).startswith(b"%PDF")
        assert cpu_secs(lambda: wall_pdf(wall)) < 0.5


def test_the_real_model_feeds_the_wall(client, chain):
    answer(chain.touchpoint, 10, day=TODAY, words="Wonderful advice, my number is +49 30 1234567, thank you so much!")
    drain(["analysis", "facts"])
    content = wall_of(client, chain.manager, chain.store).content.decode()
    assert "Wonderful advice" in content
    assert "1234567" not in content


def test_weeks():
    week = Week.parse("2026-W53")
    assert (week.monday, week.sunday, str(week + 1)) == (date(2026, 12, 28), date(2027, 1, 3), "2027-W01")
    assert week.dates == "28 December 2026 – 3 January 2027"
    assert Week.parse("2026-W47").dates == "16 – 22 November 2026"
    start, end = Week.parse("2026-W43").bounds("Europe/Berlin")
    assert end - start == timedelta(days=7, hours=1)  # the clocks go back
