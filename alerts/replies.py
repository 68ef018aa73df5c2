"""Answers that head office has prepared: pairs that are read in the manager's language and sent in the shopper's.

A text has blanks in braces. What is not known is left out gracefully: a greeting loses the name, and a sentence about
an hour that nobody promised is not said at all. There is no blank for what somebody bought, so no reply names it.
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from string import Formatter

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from alerts.models import Case, ReplyTemplate, ReplyText
from alerts.promises import is_on_time, store_time
from sentiment.models import Analysis
from stores.models import Store, User

# What a text may leave blank, and what it stands for.
BLANKS = {
    "name": _("the shopper's name, if they gave it"),
    "store": _("the store"),
    "manager": _("whoever answers"),
    "time": _("the hour that was promised, while it still lies ahead"),
}
# Without a value these go alone; a sentence with any other blank that has none is left out.
_GO_ALONE = {"name"}
_SENTENCE = re.compile(r"[^.!?…。؟।\n]*[.!?…。؟।]+[\"'»”’)]*[ \t]*|[^.!?…。؟।\n]+|\n")
# A language that was guessed less surely than this is not written in.
_SURE = 0.8
LANGUAGES = tuple(settings.VERBATIM_LANGUAGES)


class BadText(ValueError):
    """A text that cannot be filled in. `blanks` are those that nobody knows; none when its braces do not pair up."""

    def __init__(self, blanks: Iterable[str] = ()) -> None:
        self.blanks = sorted(set(blanks))
        super().__init__(", ".join(self.blanks))


def check(text: str) -> None:
    """Raises BadText unless every blank of a text is one of BLANKS, written plainly."""
    try:
        parts = list(Formatter().parse(text))
    except ValueError:
        raise BadText from None
    found = [part[1] + (f"!{part[3]}" if part[3] else "") + (f":{part[2]}" if part[2] else "")
             for part in parts if part[1] is not None]  # fmt: skip
    unknown = [blank for blank in found if blank not in BLANKS]
    if unknown:
        raise BadText(unknown)


def fill(text: str, known: dict[str, str]) -> str:
    """The text with what is known in its blanks. Raises BadText for one that `check` would refuse."""
    check(text)
    said = "".join(_sentence(found.group(), known) for found in _SENTENCE.finditer(text))
    said = re.sub(r"[ \t]+(?=\n|$)", "", said)
    return re.sub(r"\n{3,}", "\n\n", said).strip()


def _sentence(sentence: str, known: dict[str, str]) -> str:
    for blank in BLANKS:
        mark = f"{{{blank}}}"
        if mark not in sentence:
            continue
        if value := known.get(blank, ""):
            # Braces in a name must not become blanks.
            sentence = sentence.replace(mark, value.replace("{", "(").replace("}", ")"))
        elif blank in _GO_ALONE:
            sentence = re.sub(r"\s*" + re.escape(mark), "", sentence)
        else:
            return ""
    return sentence.replace("{{", "{").replace("}}", "}")


@dataclass(frozen=True)
class Reply:
    """A template as it is offered at a case: `title` and `reading` in the reader's language, `text` in the
    shopper's."""

    template: ReplyTemplate
    title: str
    reading: str
    text: str
    language: str
    # Whether the case is about the template's topic.
    fits: bool

    @property
    def same(self) -> bool:
        """Whether both sides of the pair are one."""
        return self.reading == self.text


def shopper_language(case: Case) -> str:
    """The language to write to the shopper in: the one they asked for, else that of their words where it was read for
    certain, else their page's."""
    if case.response.contact_language:
        return case.response.contact_language
    for verbatim in case.response.verbatims.all():
        reading: Analysis | None = getattr(verbatim, "analysis", None)
        if reading is not None and reading.analysed_at and (reading.language_confidence or 0) > _SURE:
            return reading.language or case.response.language
    return case.response.language


def topics_of(case: Case) -> set[str]:
    """What the case's words are about."""
    found = set()
    for verbatim in case.response.verbatims.all():
        reading: Analysis | None = getattr(verbatim, "analysis", None)
        if reading is not None and reading.analysed_at:
            found |= {hit["topic"] for hit in reading.topics}
    return found


def known_of(case: Case, author: User, language: str) -> dict[str, str]:
    """What fills the blanks at this case, said in `language`."""
    with translation.override(language if language in dict(settings.LANGUAGES) else "en"):
        promised = is_on_time(case) and not case.contacted_at and not case.fix_only
        return {
            "name": case.shopper_name,
            "store": case.store.name,
            "manager": author.name,
            "time": store_time(case.due_at, case.store) if promised else "",
        }


def replies_for(case: Case, reader: User, language: str) -> list[Reply]:
    """The chain's replies for a case, those about its topics first, read in `language`. Two queries.

    A reply that does not exist in the shopper's language is offered in the next best: that of their page, of the
    store, English.
    """
    topics = topics_of(case)
    wanted = list(dict.fromkeys([shopper_language(case), case.response.language, *case.store.languages, "en"]))
    found = []
    for template in ReplyTemplate.objects.filter(active=True).prefetch_related("texts"):
        texts = {text.language: text for text in template.texts.all()}
        sent = best(texts, wanted)
        if sent is None:
            continue
        read = best(texts, [language, "en"]) or sent
        found.append(
            Reply(
                template=template,
                title=read.title,
                reading=fill(read.text, known_of(case, reader, read.language)),
                text=fill(sent.text, known_of(case, reader, sent.language)),
                language=sent.language,
                fits=bool(template.topic) and template.topic in topics,
            )
        )
    general = [reply for reply in found if not reply.template.topic]
    others = [reply for reply in found if reply.template.topic and not reply.fits]
    return [reply for reply in found if reply.fits] + general + others


def best(texts: dict[str, ReplyText], languages: Collection[str]) -> ReplyText | None:
    """The text in the first of these languages that there is."""
    return next((texts[language] for language in languages if language in texts), None)


def sample_of(store: Store | None, author: User, language: str) -> dict[str, str]:
    """Values to look at a text with, when it is being written."""
    with translation.override(language if language in dict(settings.LANGUAGES) else "en"):
        return {
            "name": translation.gettext("Alex"),
            "store": store.name if store else settings.CHAIN_NAME,
            "manager": author.name,
            "time": "14:30",
        }
