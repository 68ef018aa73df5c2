"""Prepared replies: pairs of languages, blanks that are filled or left out gracefully, and head office's own pages."""

import re

import pytest
from django.test import Client
from django.utils import timezone

from alerts import actions
from alerts.models import Case, ReplyTemplate, ReplyText, RootCause
from alerts.replies import LANGUAGES, BadText, check, fill, replies_for
from alerts.reply_texts import ensure_replies
from messaging.models import Message
from messaging.outbox import renderer_of
from sentiment.models import Analysis
from stores.models import ConfigChange
from tests.alerts.conftest import open_case
from tests.factories import Chain, new_form_id

pytestmark = pytest.mark.django_db


def read(case: Case, *, language: str, topics: list[str]) -> Case:
    """What the model has made of the case's words."""
    verbatim = case.response.verbatims.get()
    known = {
        "analysed_at": timezone.now(),
        "language": language,
        "language_confidence": 0.99,
        "topics": [{"topic": topic, "sentiment": "negative"} for topic in topics],
    }
    Analysis.objects.update_or_create(verbatim=verbatim, defaults=known)
    return Case.objects.select_related("response", "store").get(pk=case.pk)


def test_blanks_are_filled_or_left_out_gracefully() -> None:
    text = "Hello {name},\n\nI am sorry. You hear from us by {time}. Thank you!\n\n{manager}"
    everything = {"name": "Olena", "time": "14:30", "manager": "Ada"}
    assert fill(text, everything) == "Hello Olena,\n\nI am sorry. You hear from us by 14:30. Thank you!\n\nAda"
    assert fill(text, {"manager": "Ada"}) == "Hello,\n\nI am sorry. Thank you!\n\nAda"
    # A name is no template.
    assert fill("Hello {name}.", {"name": "{store}", "store": "Kyiv"}) == "Hello (store)."
    assert fill("Use {{braces}}.", {}) == "Use {braces}."


@pytest.mark.parametrize("text", ["{article}", "{name!r}", "{name.__class__}", "{0}", "{}", "{name:>9}", "{", "a } b"])
def test_a_blank_that_nobody_knows_is_refused(text: str) -> None:
    with pytest.raises(BadText):
        check(text)


def test_the_first_replies_are_sound(db: None) -> None:
    ensure_replies()
    for text in ReplyText.objects.all():
        check(text.text)
        assert text.language in LANGUAGES
        filled = fill(text.text, {"store": "S", "manager": "M"})
        assert "{" not in filled and " ," not in filled and " ،" not in filled
    for template in ReplyTemplate.objects.all():
        assert {"en", "de", "uk"} <= set(template.texts.values_list("language", flat=True))


def test_a_reply_is_read_in_ones_own_language_and_sent_in_the_shoppers(chain: Chain) -> None:
    case = read(open_case(chain), language="ar", topics=["waiting"])
    first, *others = replies_for(case, chain.manager, "de")
    assert first.template.topic == "waiting" and first.fits and first.language == "ar"
    assert "Wartezeit" in first.title and "zu lange warten" in first.reading and chain.store.name in first.reading
    assert "الانتظار" in first.text and chain.manager.name in first.text
    # What fits no topic of the case comes last; what is not there in Arabic is offered in the page's language.
    assert [one.template.topic for one in others][:2] == ["", ""]
    assert {one.language for one in others} == {"ar", "en"}


def test_the_promised_hour_is_said_while_it_lies_ahead(chain: Chain) -> None:
    case = read(open_case(chain), language="en", topics=[])
    general = next(one for one in replies_for(case, chain.manager, "en") if not one.template.topic)
    assert re.search(r"by \d\d:\d\d", general.text)
    actions.record_contact(case.pk, actor=chain.manager, channel="email", reached=True, form_id=new_form_id())
    case = Case.objects.select_related("response", "store").get(pk=case.pk)
    general = next(one for one in replies_for(case, chain.manager, "en") if not one.template.topic)
    assert "by " not in general.text.replace("by it", "") and "Hello," in general.text


def test_chosen_sent_and_counted_while_the_message_names_nothing(client: Client, chain: Chain) -> None:
    case = read(open_case(chain, words="My ring broke after two days."), language="en", topics=["quality"])
    client.force_login(chain.manager)
    template = ReplyTemplate.objects.get(topic="quality")
    page = client.get(f"/cases/{case.pk}/?reply={template.pk}").content.decode()
    area = page[page.index('id="answer-text"') :]
    assert "Please bring it to Kyiv One" in area[: area.index("</textarea>")]
    form_id = re.search(r'value="answer">\s*<input type="hidden" name="form_id" value="([^"]+)"', page)
    assert form_id
    words = "Please bring it to Kyiv One: we mend it."
    sent = {"action": "answer", "form_id": form_id[1], "text": words, "template": template.pk}
    assert client.post(f"/cases/{case.pk}/", sent).status_code == 303
    assert case.entries.get(template=template).text == words
    message = Message.objects.get(kind="case_answer")
    rendered = renderer_of(message.kind)(message)
    assert rendered and "ring" not in f"{rendered.subject} {rendered.text} {rendered.html}".replace("string", "")


def test_head_office_writes_them(client: Client, chain: Chain) -> None:
    client.force_login(chain.head_office)
    page = client.get("/setup/templates/new/").content.decode()
    assert "{name}" in page and 'lang="ar"' in page
    texts = {"topic": "price", "title_en": "Price", "text_en": "Hello {name}, it was {prise}."}
    refused = client.post("/setup/templates/new/", texts)
    assert refused.status_code == 422 and "There is no blank {prise}" in refused.content.decode()
    texts |= {
        "text_en": "Hello {name}, the price at {store} was wrong.",
        "title_uk": "Ціна",
        "text_uk": "Вітаємо {name}!",
    }
    preview = client.post("/setup/templates/new/", texts | {"preview": "1"})
    assert "Hello Alex, the price at Kyiv One was wrong." in preview.content.decode()
    assert not ReplyTemplate.objects.filter(topic="price").exists()
    assert client.post("/setup/templates/new/", texts).status_code == 303
    made = ReplyTemplate.objects.get(topic="price")
    assert set(made.texts.values_list("language", flat=True)) == {"en", "uk"}
    assert client.post(f"/setup/templates/{made.pk}/", texts | {"title_uk": "", "text_uk": ""}).status_code == 303
    assert [text.language for text in made.texts.all()] == ["en"]
    client.post("/setup/templates/", {"pk": made.pk, "do": "up"})
    before_last = list(ReplyTemplate.objects.all())[-2]
    assert before_last == made
    client.post("/setup/templates/", {"pk": made.pk, "do": "retire"})
    made.refresh_from_db()
    assert not made.active
    kinds = list(ConfigChange.objects.filter(what="reply").order_by("pk").values_list("kind", "actor"))
    assert kinds == [(kind, chain.head_office.pk) for kind in ("created", "changed", "retired")]


def test_root_causes_are_renamed_in_each_language_and_retired(
    client: Client, chain: Chain, root_cause: RootCause
) -> None:
    client.force_login(chain.head_office)
    name = f"cause{root_cause.pk}-name_"
    sent = {"pk": root_cause.pk, "do": "save", f"{name}en": "Queue", f"{name}de": "Schlange", f"{name}uk": ""}
    assert client.post("/setup/causes/", sent).status_code == 303
    root_cause.refresh_from_db()
    assert root_cause.names == {"en": "Queue", "de": "Schlange"}
    client.force_login(chain.manager)
    case = open_case(chain)
    for language, said in (("en", "Queue"), ("de", "Schlange")):
        assert f">{said}</option>" in client.get(f"/cases/{case.pk}/?lang={language}").content.decode()
    client.force_login(chain.head_office)
    client.post("/setup/causes/", {"pk": root_cause.pk, "do": "retire"})
    client.post("/setup/causes/", {"do": "save", "new-name_en": "Parking", "new-name_de": "", "new-name_uk": ""})
    client.force_login(chain.manager)
    page = client.get(f"/cases/{case.pk}/").content.decode()
    assert ">Queue</option>" not in page and ">Parking</option>" in page
    assert client.get("/setup/causes/").status_code == 403
