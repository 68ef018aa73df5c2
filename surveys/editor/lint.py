"""What is wrong with a draft, and what to do about it: what shoppers would stumble over, and what bends their answers.

The words looked for are in every language of the shopper's pages. Their sources are in FIELD: neutral wording (92 % of
retail surveys lead), three smileys measure poorly, two screens; an offer makes a survey an advertisement (ICO).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from surveys.call_texts import MOST_PARTS, parts_of
from surveys.choices import OtherKind, QuestionKind, ResponseChannel
from surveys.documents import PLACES, DocumentError, parse, places_in
from surveys.editor.texts import LONGEST_AT_ALL, Raw, Text, all_texts, progress, texts_of
from surveys.models import Survey

MOST_QUESTIONS = 6
MOST_OPTIONS = 8

# Beginnings of words, unless a pattern says otherwise; by language, and looked for in that language alone.
_LEADING = {
    "en": r"how (?:satisfied|happy|pleased|delighted|much did you (?:enjoy|like|love))|great|excellent|wonderful|"
    r"amazing|fantastic|award|don.t you (?:agree|think)|wouldn.t you|we hope|of course|obviously|friendly",
    "de": r"wie (?:zufrieden|glücklich|sehr (?:hat|haben))|großartig|hervorragend|wunderbar|fantastisch|toll|"
    r"finden sie nicht auch|sicherlich|natürlich|wir hoffen|freundlich",
    "uk": r"наскільки (?:ви )?(?:задоволені|щасливі)|чудов|прекрасн|відмінн|фантастичн|чи не (?:вважаєте|погоджуєтесь)|"
    r"звичайно|сподіваємо|привітн",
    "fr": r"à quel point (?:êtes-vous satisfait|avez-vous aimé|avez-vous apprécié)|excellent|formidable|merveilleu|"
    r"fantastique|n.est-ce pas|bien sûr|nous espérons",
    "es": r"(?:cómo de|qué tan) (?:satisfech|content)|excelente|maravillos|fantástic|estupend|¿no cree|por supuesto|"
    r"esperamos",
    "it": r"quanto (?:è soddisfatt|le è piaciut)|eccellente|meraviglios|fantastic|splendid|non crede|ovviamente",
    "pl": r"jak bardzo (?:jest|są|podobał)|wspaniał|doskonał|fantastyczn|świetn|czy nie|oczywiście|mamy nadzieję",
    "da": r"hvor (?:tilfreds|glad)|fantastisk|fremragende|vidunderlig|selvfølgelig|vi håber",
    "nl": r"hoe (?:tevreden|blij)|geweldig|uitstekend|fantastisch|prachtig|vindt u niet|natuurlijk|wij hopen",
    "pt": r"(?:quão|até que ponto) .{0,12}(?:satisfeit|contente)|excelente|maravilhos|fantástic|claro que|esperamos",
    "cs": r"jak (?:moc )?(?:jste |spokojen)|skvěl|vynikající|úžasn|fantastick|samozřejmě|doufáme",
    "sv": r"hur (?:nöjd|glad)|fantastisk|utmärkt|underbar|självklart|vi hoppas",
    "ar": r"ما مدى رضا|كم أنت سعيد|رائع|ممتاز|مذهل|بالطبع|نأمل|ألا تعتقد",
}
# Whoever asks for a good score gets one that says nothing.
_BEGGING = re.compile(
    r"\b(?:give|geben sie|поставте|donnez|dé|dia|wystaw|giv|geef|dê|dejte|ge)\b[^.?!]{0,30}\b(?:10|ten|5|zehn|десят)|"
    r"only a (?:10|ten)|top ?(?:score|note|bewertung)|best(?:e|en)? bewertung|найвищ\w+ оцінк",
    re.IGNORECASE,
)
_OFFERS = {
    "en": r"discount|voucher|coupon|gift ?card|prize|win |raffle|promo|special offer|% off|free gift|bonus",
    "de": r"rabatt|gutschein|coupon|geschenkkarte|gewinn|verlosung|sonderangebot|gratis|bonus",
    "uk": r"знижк|ваучер|купон|подарунков\w+ (?:карт|сертифікат)|приз(?:и|ів)?\b|виграй|виграти|розіграш|промо|бонус",
    "fr": r"remise|réduction|bon d.achat|coupon|carte.cadeau|gagne[zr]|tirage|promo|offre spéciale|gratuit|bonus",
    "es": r"descuento|vale de|cupón|tarjeta regalo|premio|gan[ae]\b|sorteo|promoci|oferta especial|gratis|bono\b",
    "it": r"sconto|buono (?:sconto|regalo)|coupon|carta regalo|premio|vinc[ai]|estrazione|promo|gratis|bonus",
    "pl": r"rabat|zniżk|kupon|karta podarunkowa|nagrod|wygraj|losowani|promocj|gratis|bonus",
    "da": r"rabat|gavekort|kupon|præmie|vind |lodtrækning|særtilbud|gratis|bonus",
    "nl": r"korting|waardebon|coupon|cadeaukaart|prijs winnen|win |loting|aanbieding|gratis|bonus",
    "pt": r"desconto|vale.(?:presente|compra)|cupão|cupom|prémio|prêmio|ganhe\b|sorteio|promoç|grátis|bónus",
    "cs": r"slev[auy]|poukaz|kupon|dárkov\w+ kart|výhr|vyhraj|losování|zdarma|bonus",
    "sv": r"rabatt|presentkort|kupong|vinn |utlottning|specialerbjudande|gratis|bonus",
    "ar": r"خصم|قسيمة|كوبون|بطاقة هدية|جائزة|اربح|سحب على|عرض خاص|مجان|مكافأة",
}
_SECRETS = re.compile(
    r"password|passwort|kennwort|парол|mot de passe|contraseña|hasło|wachtwoord|palavra.passe|senha|heslo|lösenord|"
    r"adgangskode|كلمة المرور|\bpin\b|credit ?card|kreditkarte|кредитн\w+ карт|carte bancaire|\biban\b|\bcvv\b",
    re.IGNORECASE,
)
_TWO_THINGS = {
    "en": r"\band\b",
    "de": r"\bund\b",
    "uk": r"\b(?:та|і|й)\b",
    "fr": r"\bet\b",
    "es": r"\by\b",
    "it": r"\be\b",
    "pl": r"\b(?:i|oraz)\b",
    "da": r"\bog\b",
    "nl": r"\ben\b",
    "pt": r"\be\b",
    "cs": r"\ba\b",
    "sv": r"\boch\b",
}
_NO_DANGER = {OtherKind.CONTACT.value, OtherKind.CONSENT.value}


class Level(StrEnum):
    """An error keeps a draft from being published; advice does not."""

    ERROR = "error"
    ADVICE = "advice"


@dataclass(frozen=True)
class Finding:
    """Something wrong, where, and its remedy. `question` and `language` are empty where it is about the whole."""

    level: Level
    message: str
    remedy: str
    question: str = ""
    language: str = ""


def lint(document: Raw, survey: Survey | None = None) -> list[Finding]:
    """Everything found in a draft, errors first."""
    found = [*_whole(document), *_trends_kept(document, survey), *_missing(document)]
    for question in document["questions"]:
        found += _question(question, headline=question["key"] == document["headline"])
        for text in texts_of(question):
            found += _translations(text, document["languages"])
            for language in document["languages"]:
                if said := text.words.get(language, "").strip():
                    found += _said(text, language, said, scored=question["kind"] in QuestionKind.values)
    if survey is not None and survey.choices.filter(channel=ResponseChannel.CALL).exists():
        found += _after_a_call(document)
    if not any(finding.level == Level.ERROR for finding in found):
        found += _shape(document)
    return sorted(found, key=lambda finding: finding.level != Level.ERROR)


def _after_a_call(document: Raw) -> Iterator[Finding]:
    """The headline is sent by text message, in its own words; only for those of the NPS there are fewer."""
    asked = [question for question in document["questions"] if question["key"] == document["headline"]]
    for question in asked:
        for language in document["languages"]:
            said = question["text"].get(language, "").strip()
            parts = parts_of(said, question["kind"], language)
            if said and question["kind"] != QuestionKind.NPS and parts > MOST_PARTS:
                yield Finding(
                    Level.ADVICE,
                    _("After a call this takes a text message of %(n)d parts.") % {"n": parts},
                    _("Each costs as much as a message of its own: ask in fewer words."),
                    question["key"],
                    language,
                )


def _shape(document: Raw) -> Iterator[Finding]:
    """What nobody can do in the editor, a file or a program could: the document must be one that can be asked."""
    try:
        parse(document)
    except DocumentError as error:
        yield Finding(Level.ERROR, str(error), _("Undo the last change, or drop the draft."))


def _whole(document: Raw) -> Iterator[Finding]:
    questions = document["questions"]
    if not document["headline"]:
        yield Finding(
            Level.ERROR,
            _("No question is the headline."),
            _("Choose the one question with a score that reports count: “Make it the headline”."),
        )
    screens = {question.get("screen", 1) for question in questions}
    if len(screens) > settings.MOST_SCREENS:
        yield Finding(
            Level.ERROR,
            ngettext("There is %(n)d screen.", "There are %(n)d screens.", len(screens)) % {"n": len(screens)},
            _("Keep to %(most)d: with every further screen fewer people finish.") % {"most": settings.MOST_SCREENS},
        )
    asked = [question for question in questions if question["kind"] not in (OtherKind.CONTACT, OtherKind.HERE)]
    if len(asked) > MOST_QUESTIONS:
        yield Finding(
            Level.ADVICE,
            ngettext("There is %(n)d question.", "There are %(n)d questions.", len(asked)) % {"n": len(asked)},
            _("Ask what you will act on, and leave out the rest."),
        )
    if not any(question["kind"] == OtherKind.TEXT for question in questions):
        yield Finding(
            Level.ADVICE,
            _("Nobody can say why."),
            _("Add an open question: the reason is what the store can act on."),
        )
    if questions and not any(question["kind"] == OtherKind.CONTACT for question in questions):
        yield Finding(
            Level.ADVICE,
            _("Nobody can ask to be contacted."),
            _("Add a contact wish at the end: without it nothing that went wrong can be put right."),
        )
    if sum(bool(question.get("required")) for question in questions) > 1:
        yield Finding(
            Level.ADVICE,
            _("More than one answer is required."),
            _("Require the headline at most: who must answer, leaves."),
        )
    screens_in_order = [question.get("screen", 1) for question in questions]
    if screens_in_order != sorted(screens_in_order):
        yield Finding(
            Level.ADVICE,
            _("The questions are listed in another order than they are asked in."),
            _("Put the questions of the first screen before those of the second."),
        )
    if questions and any(question["kind"] == OtherKind.CONTACT for question in questions[:-1]):
        yield Finding(
            Level.ADVICE,
            _("The contact wish is not the last question."),
            _("Move it to the end: people give an address for what they have said, not before."),
        )


def _trends_kept(document: Raw, survey: Survey | None) -> Iterator[Finding]:
    """A key stands for one question for ever: figures are compared by it."""
    if survey is None:
        return
    kinds = {
        question["key"]: question["kind"]
        for published in survey.versions.order_by("number").values_list("document", flat=True)
        for question in published["questions"]
    }
    for question in document["questions"]:
        if kinds.get(question["key"], question["kind"]) != question["kind"]:
            yield Finding(
                Level.ERROR,
                _("An earlier version asked this in another way, and its figures would be mixed up with these."),
                _("Press “It asks something else now”, so that a new trend begins."),
                question["key"],
            )


def _question(question: Raw, *, headline: bool) -> Iterator[Finding]:
    key, kind = question["key"], question["kind"]
    if headline and (question.get("when") or question.get("channels") or question.get("stores")):
        yield Finding(
            Level.ERROR,
            _("The headline is not asked of everybody."),
            _("Take its conditions away: figures of some shoppers would pass for those of all."),
            key,
        )
    if headline and question.get("screen", 1) != 1:
        yield Finding(
            Level.ERROR,
            _("The headline is not on the first screen."),
            _("Move it to the first screen."),
            key,
        )
    if kind == QuestionKind.SMILEY3:
        yield Finding(
            Level.ADVICE,
            _("Three smileys tell little apart."),
            _("Five smileys are answered as quickly and measure better."),
            key,
        )
    if len(question.get("options", [])) > MOST_OPTIONS:
        yield Finding(
            Level.ADVICE,
            _("There are more answers than a thumb likes to scroll through."),
            _("Keep to eight, and let an open question catch the rest."),
            key,
        )
    if kind in (OtherKind.SINGLE, OtherKind.MULTIPLE) and len(question.get("options", [])) < 2:
        yield Finding(Level.ERROR, _("There is nothing to choose from."), _("Write at least two answers."), key)
    if kind == OtherKind.CONTACT and not question.get("ways", [1]):
        yield Finding(
            Level.ERROR, _("No way of contact is offered."), _("Tick at least one, or remove the question."), key
        )


def _missing(document: Raw) -> Iterator[Finding]:
    """Once for each language, but for the one that everything is written in first."""
    own = document["languages"][0]
    for text in all_texts(document):
        if not text.words.get(own, "").strip() and not text.may_be_empty:
            yield Finding(Level.ERROR, _("A text is missing."), _("Write it."), text.question, own)
    for one in progress(document)[1:]:
        if lacking := one.wanted - one.done:
            yield Finding(
                Level.ERROR,
                ngettext("%(n)d translation is missing.", "%(n)d translations are missing.", lacking) % {"n": lacking},
                _("Write what is missing, or take the language away from this survey."),
                language=one.language,
            )


def _translations(text: Text, languages: list[str]) -> Iterator[Finding]:
    first = sorted(name for name, _without in places_in(text.words.get(languages[0], "")))
    for language in languages[1:]:
        said = text.words.get(language, "")
        if said and sorted(name for name, _without in places_in(said)) != first:
            yield Finding(
                Level.ADVICE,
                _("This translation names other things than the original."),
                _("Use the same places, such as {store}, in every language."),
                text.question,
                language,
            )


def _said(text: Text, language: str, said: str, *, scored: bool) -> Iterator[Finding]:
    where = {"question": text.question, "language": language}
    asks = text.part == "text" and text.kind not in _NO_DANGER
    if len(said) > LONGEST_AT_ALL:
        yield Finding(
            Level.ERROR,
            _("This text is far too long."),
            _("Keep below %(n)d characters.") % {"n": LONGEST_AT_ALL},
            **where,
        )
    elif len(said) > text.longest and text.kind != OtherKind.CONSENT:
        yield Finding(
            Level.ADVICE,
            _("This text is long: %(n)d characters.") % {"n": len(said)},
            _("On a phone up to %(n)d are read at a glance.") % {"n": text.longest},
            **where,
        )
    if asks and (found := _found(_LEADING.get(language), said)):
        yield Finding(
            Level.ADVICE,
            _("“%(words)s” leads to an answer.") % {"words": found},
            _("Ask neutrally, as in “How would you rate …?”."),
            **where,
        )
    if asks and (begging := _BEGGING.search(said)):
        yield Finding(
            Level.ERROR,
            _("“%(words)s” begs for a score.") % {"words": begging[0].strip()},
            _("Leave it out: a score that was asked for says nothing."),
            **where,
        )
    if text.kind != OtherKind.CONSENT and (found := _found(_OFFERS.get(language), said)):
        yield Finding(
            Level.ERROR,
            _("“%(words)s” is an offer, which makes this research an advertisement.") % {"words": found},
            _("Leave it out. Advertising needs a consent of its own, and a reward must not hang on answers."),
            **where,
        )
    if secret := _SECRETS.search(said):
        yield Finding(
            Level.ERROR,
            _("“%(words)s”: a survey asks for no secrets.") % {"words": secret[0]},
            _("Leave it out: shoppers would take the page for a fraud, and rightly so."),
            **where,
        )
    if asks and scored and text.kind != QuestionKind.NPS and _found(_TWO_THINGS.get(language), said):
        yield Finding(
            Level.ADVICE,
            _("This may ask two things at once."),
            _("Ask one thing: nobody can give two answers with one score."),
            **where,
        )
    yield from _places(text, said, where)


def _places(text: Text, said: str, where: dict[str, str]) -> Iterator[Finding]:
    for name, without in places_in(said):
        if name not in PLACES:
            yield Finding(
                Level.ERROR,
                _("Nothing stands for {%(name)s}.") % {"name": name},
                _("Use {store}, or {manager|our team} with what is said where there is no manager."),
                **where,
            )
        elif name == "manager" and not (without or "").strip():
            yield Finding(
                Level.ERROR,
                _("Stores without a manager would show a gap here."),
                _("Say what stands there instead, as in {manager|our team}."),
                **where,
            )


def _found(pattern: str | None, said: str) -> str:
    """What the pattern finds at the beginning of a word, with the rest of that word; empty when nothing."""
    if pattern is None:
        return ""
    match = re.search(rf"(?<!\w)(?:{pattern})\w*", said, re.IGNORECASE)
    return match[0].strip() if match else ""
