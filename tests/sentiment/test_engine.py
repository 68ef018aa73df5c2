"""Readings as the rest of the project gets them, from the served model."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt
import pytest

from sentiment.classifier import LABELS, get_classifier, label_column
from sentiment.engine import Reading, _cut_text, read
from sentiment.entries import ChainWords, Entry
from sentiment.files import ModelMissing
from tests.timing import cpu_secs

CHAIN = ["en", "de", "uk", "fr", "es", "it", "pl", "nl", "pt", "cs", "sv", "da", "ru"]

NEGATIVE = [
    ("en", "The staff were rude and ignored us for half an hour. Never again."),
    ("en", "My bracelet broke after two days and they refused to exchange it. Terrible."),
    ("de", "Unfreundliche Bedienung und ewig gewartet, ich komme nicht wieder."),
    ("de", "Die Kette ist nach einer Woche gerissen, sehr schlechte Qualität."),
    ("uk", "Дуже грубий персонал, більше сюди не прийду, жахливо."),
    ("uk", "Сережки зламалися наступного дня, гроші не повернули."),
    ("fr", "Personnel désagréable et accueil épouvantable, je suis très déçue."),
    ("es", "Muy mala atención, el personal fue grosero y no volveré nunca."),
    ("it", "Servizio pessimo, commessa maleducata, non tornerò mai più."),
    ("pl", "Bardzo zła obsługa, sprzedawczyni była niemiła i nas zignorowała, nie polecam."),
    ("nl", "Zeer onvriendelijk personeel en slechte kwaliteit, ik kom nooit meer terug."),
    ("pt", "Péssimo atendimento, funcionários mal-educados, nunca mais volto."),
    ("cs", "Hrozná obsluha, prodavačka byla nepříjemná, už nikdy nepřijdu."),
    ("sv", "Väldigt dålig service och otrevlig personal, jag kommer aldrig tillbaka."),
    ("da", "Meget dårlig service og uvenligt personale, jeg kommer aldrig igen."),
    ("ru", "Ужасное обслуживание, продавец хамил, больше сюда не приду."),
]
POSITIVE = [
    ("en", "Wonderful service, the assistant helped me find the perfect gift. Thank you!"),
    ("de", "Tolle Beratung, sehr freundliches Team, ich komme gerne wieder!"),
    ("uk", "Чудовий магазин, дуже привітні дівчата, дякую за допомогу!"),
    ("fr", "Excellent accueil, personnel très aimable, je recommande vivement !"),
    ("es", "Excelente atención, el personal es muy amable, lo recomiendo."),
    ("it", "Ottimo servizio, personale gentilissimo, lo consiglio a tutti!"),
    ("pl", "Świetna obsługa, bardzo miła pani, polecam z całego serca!"),
    ("nl", "Geweldige service, heel vriendelijk personeel, een aanrader!"),
    ("pt", "Excelente atendimento, equipa muito simpática, recomendo!"),
    ("cs", "Výborná obsluha, velmi milá prodavačka, vřele doporučuji!"),
    ("sv", "Fantastisk service, mycket trevlig personal, jag rekommenderar varmt!"),
    ("da", "Fantastisk service, meget venligt personale, kan varmt anbefales!"),
    ("ru", "Отличный магазин, очень вежливые продавцы, спасибо большое!"),
]


def read_one(text: str, language: str | None = None, **options: object) -> Reading:
    (reading,) = read([text], page_languages=[language], chain_languages=CHAIN, **options)  # type: ignore[arg-type]
    return reading


@pytest.mark.parametrize(
    ("language", "text", "sentiment"),
    [(*case, "negative") for case in NEGATIVE] + [(*case, "positive") for case in POSITIVE],
)
def test_clear_comments_are_read_rightly(language: str, text: str, sentiment: str) -> None:
    reading = read_one(text)
    assert reading.sentiment == sentiment
    assert reading.language == language
    assert reading.confident
    assert set(reading.probabilities) == set(LABELS)
    assert sum(reading.probabilities.values()) == pytest.approx(1, abs=1e-3)
    assert max(reading.probabilities, key=lambda label: reading.probabilities[label]) == sentiment


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ok",
        "Terrible!",
        "sehr schlecht",
        "😡😡😡😡",
        "!!!",
        "0",
        "ძალიან ცუდი მომსახურება, აღარ მოვალ",
        "ที่นี่แย่มาก พนักงานหยาบคาย ไม่มาอีก",
    ],
)
def test_too_few_or_unknown_words_are_neutral_and_raise_no_alarm(text: str) -> None:
    reading = read_one(text, "en")
    assert not reading.confident
    assert reading.sentiment == "neutral"
    assert reading.probabilities["negative"] < get_classifier().alert_threshold
    assert not reading.urgency_certain


@pytest.mark.parametrize(
    "text",
    [
        "Great, waited an hour again and nobody came.",
        "Wonderful! The ring broke after two days and they refused the refund.",
        "Super, schon wieder eine Stunde gewartet und keiner war da.",
        "Bravo, encore une heure d'attente et personne pour aider.",
        "Best service ever 🙄",
        "Great, another hour in the queue, just what I needed",
        "Bravo, encore une heure d'attente, quel service formidable",
        "Prachtig, weer een uur in de rij, top service",
        "Super, zase hodinu ve frontě, skvělá práce",
        "Чудово, знову година в черзі, просто казка",
        "Que maravilha, mais uma hora na fila, parabéns",
        "Na toll, wieder eine Stunde gewartet, super Service",
        "Fantastic job losing my parcel twice, bravo",
        "Jättebra, tre timmars kö och ingen hjälp",
        "Super, endnu en gang ingen på kassen",
    ],
)
def test_praise_that_is_none_is_not_taken_for_praise(text: str) -> None:
    reading = read_one(text)
    assert reading.sentiment != "positive"


@pytest.mark.parametrize(
    "text",
    [
        "Great, thank you, I will come again.",
        "Super, sehr nettes Team, danke euch!",
        "Fantastic, you found my parcel within the hour, bravo!",
        "Toll, keine Minute gewartet, super Service",
    ],
)
def test_praise_that_begins_like_irony_stays_praise(text: str) -> None:
    assert read_one(text).sentiment == "positive"


def test_a_promoter_with_a_hurt_child_is_urgent_and_a_case() -> None:
    reading = read_one("9, but the security guard hit my son", "en")
    assert reading.urgency == ["safety"]
    assert reading.urgency_certain and reading.proven


@pytest.mark.parametrize(
    ("language", "text", "judged"),
    [
        (
            "en",
            "The staff were wonderful and so kind. The queue at the checkout was a terrible disaster.",
            {"staff": "positive", "waiting": "negative"},
        ),
        (
            "en",
            "Lovely staff, but the queue took forever and the prices have gone mad.",
            {"staff": "positive", "waiting": "negative", "price": "negative"},
        ),
        (
            "de",
            "Ware top, aber an der Kasse 25 Minuten gestanden, Personal trotzdem nett",
            {"staff": "positive", "waiting": "negative"},
        ),
        ("uk", "Продавчиня чудова, а от черга на касу жах", {"staff": "positive", "waiting": "negative"}),
        (
            "uk",
            "Продавці дуже привітні, але черга на касі жахлива.",
            {"staff": "positive", "waiting": "negative"},
        ),
        ("ar", "الموظفين محترمين بس الأسعار غالية", {"staff": "positive", "price": "negative"}),
    ],
)
def test_each_topic_is_judged_for_itself(language: str, text: str, judged: dict[str, str]) -> None:
    found = {hit.topic: hit.sentiment for hit in read_one(text, language).topics}
    assert judged.items() <= found.items()


def test_topics_of_doubtful_words_are_not_judged() -> None:
    hits = read_one("The staff were so helpful, great service 🙄", "en").topics
    assert hits and {hit.sentiment for hit in hits} == {"neutral"}


def test_what_is_shared_is_redacted() -> None:
    reading = read_one("Olena was rude. Call me: +380 50 123 45 67", "en", staff_names=[["Olena Kovalenko"]])
    assert reading.redacted == "[name] was rude. Call me: [phone]"


@pytest.mark.parametrize(
    ("text", "sentiment"),
    [
        ("الموظفون كانوا وقحين جدا ولن أعود مرة أخرى", "negative"),
        ("خدمة سيئة للغاية وأسعار مرتفعة", "negative"),
        ("خدمة ممتازة وموظفون لطفاء جدا", "positive"),
        ("تجربة رائعة وسأعود بالتأكيد", "positive"),
    ],
)
def test_arabic_is_read_though_it_is_unproven(text: str, sentiment: str) -> None:
    (reading,) = read([text], page_languages=["ar"], chain_languages=[*CHAIN, "ar"])
    assert (reading.sentiment, reading.confident, reading.proven) == (sentiment, True, False)


def test_order_is_kept_and_neighbours_do_not_matter() -> None:
    texts = [text for _, text in NEGATIVE + POSITIVE]
    together = read(texts, page_languages=[None] * len(texts), chain_languages=CHAIN)
    assert [reading.redacted for reading in together] == texts
    for text, reading in list(zip(texts, together, strict=True))[::7]:
        alone = read_one(text)
        assert alone.sentiment == reading.sentiment
        assert alone.probabilities["negative"] == pytest.approx(reading.probabilities["negative"], abs=0.001)


def test_nothing_asked_nothing_read() -> None:
    assert read([], page_languages=[], chain_languages=CHAIN) == []


def test_a_very_long_comment_is_read() -> None:
    assert read_one("The staff were rude and the ring was broken. " * 300).sentiment == "negative"


def test_threads_may_share_the_model() -> None:
    texts = [text for _, text in NEGATIVE[:8]]
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda text: read_one(text).sentiment, texts * 4))
    assert results == [read_one(text).sentiment for text in texts] * 4


def test_the_threshold_is_a_calibrated_one() -> None:
    assert 0.4 < get_classifier().alert_threshold < 0.95


def test_an_alarm_is_the_models_own_judgement() -> None:
    for text in [
        "The staff were rude and ignored us.",
        "The shop is on the corner.",
        "Lovely staff, thank you!",
        "bad",
    ]:
        reading = read_one(text, "en")
        assert reading.alarming == (
            reading.confident and reading.probabilities["negative"] >= get_classifier().alert_threshold
        )
        assert reading.proven or not reading.confident
    assert read_one("The staff were rude and ignored us.").alarming
    assert not read_one("Terrible!").alarming


def test_a_language_without_enough_real_comments_is_unproven() -> None:
    assert not read_one("Bardzo zła obsługa, sprzedawczyni była niemiła, nie polecam.").proven


@pytest.mark.parametrize(
    "text",
    [
        "服务很差,等了一个小时,店员非常粗鲁",
        "Η εξυπηρέτηση ήταν απαίσια, δεν ξαναέρχομαι",
        "Personel çok kabaydı, berbat bir hizmet, bir saat bekledik",
    ],
)
def test_a_language_that_the_chain_does_not_speak_is_unproven_whatever_it_is_taken_for(text: str) -> None:
    assert not read_one(text, "en").proven
    assert not read_one(text).proven


def test_embeddings_tell_likeness() -> None:
    def vector(text: str) -> npt.NDArray[np.float64]:
        return np.frombuffer(read_one(text).embedding, np.int8).astype(float) / 127

    ring, broken, coffee = map(
        vector,
        [
            "The clasp of my necklace broke after one day.",
            "Der Verschluss meiner Kette ist nach einem Tag kaputtgegangen.",
            "Free parking and a nice coffee while you wait.",
        ],
    )
    assert ring @ ring == pytest.approx(1, abs=0.02)
    assert ring @ broken > ring @ coffee


@pytest.mark.parametrize("text", ["", "ที่นี่แย่มาก พนักงานหยาบคาย ไม่มาอีก"])
def test_what_cannot_be_read_has_no_embedding(text: str) -> None:
    assert read_one(text, "en").embedding == b""


def test_the_model_names_its_version() -> None:
    assert read_one("Good shop indeed").model_version.startswith("halfhour-")


def test_a_missing_model_says_so() -> None:
    with pytest.raises(ModelMissing):
        read(["Good shop indeed"], page_languages=[None], chain_languages=CHAIN, model="/nowhere/at/all")


@pytest.mark.parametrize(
    ("label", "column"),
    [("negative", 0), ("NEU", 1), ("Positive", 2), ("LABEL_2", 2), ("1 star", 0), ("3 stars", 1), ("4 stars", 2)],
)
def test_labels_of_other_models_are_understood(label: str, column: int) -> None:
    assert label_column(label) == column


def test_labels_that_mean_something_else_are_refused() -> None:
    with pytest.raises(ModelMissing):
        label_column("joy")


def test_reading_keeps_pace_with_a_busy_chain() -> None:
    """A tenth of the budget: a loaded machine must not fail the suite, a slip of a magnitude must."""
    texts = [text for _, text in NEGATIVE + POSITIVE] * 2
    read_one("Warm up the model, please")
    languages = [None] * len(texts)
    assert len(texts) / cpu_secs(lambda: read(texts, page_languages=languages, chain_languages=CHAIN)) > 10


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("ar", "لم يساعدني أحد"), ("cs", "Nikdo mi nepomohl"), ("da", "Ingen hjalp mig"),
        ("de", "Niemand hat mir geholfen"), ("en", "Nobody helped me"), ("es", "Nadie me ayudó"),
        ("fr", "Personne ne m'a aidé"), ("it", "Nessuno mi ha aiutato"), ("nl", "Niemand hielp me"),
        ("pl", "Nikt mi nie pomógł"), ("pt", "Ninguém me ajudou"), ("ru", "Мне никто не помог"),
        ("sv", "Ingen hjälpte mig"), ("uk", "Ніхто мені не допоміг"),
    ],
)  # fmt: skip
def test_who_was_left_without_help_speaks_of_staff(language: str, words: str) -> None:
    (reading,) = read([words], page_languages=[language], chain_languages=())
    assert [(hit.topic, hit.sentiment == "positive") for hit in reading.topics] == [("staff", False)]


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "Someone stole my handbag while I was paying"), ("en", "Wallet stolen in your shop, police called"),
        ("de", "An der Kasse wurde mir die Geldtasche gestohlen"), ("fr", "On m'a volé mon portefeuille à la caisse"),
        ("es", "Me robaron la cartera en la caja"), ("uk", "Біля каси в мене вкрали гаманець"),
        ("en", "Lovely shop and kind people, always a pleasure to come here. " * 20 + "My wallet was stolen."),
    ],
)  # fmt: skip
def test_a_person_looks_at_what_the_lists_are_certain_of(language: str, words: str) -> None:
    (reading,) = read([words], page_languages=[language], chain_languages=())
    assert "fraud" in reading.urgency


@pytest.mark.parametrize(
    ("language", "words", "sure"),
    [
        ("uk", "Дуже поганий магазин", False), ("uk", "Дуже гарний магазин", True),
        ("pt", "Muito mau atendimento", False), ("pt", "Muito bom atendimento", True),
        ("en", "Nobody was ever rude to me here, lovely people", True),
    ],
)  # fmt: skip
def test_praise_with_a_word_of_scorn_is_unsure(language: str, words: str, sure: bool) -> None:
    (reading,) = read([words], page_languages=[language], chain_languages=())
    assert reading.confident == sure and (reading.sentiment == "positive") == sure


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "cinnamon rolls to die for"), ("it", "Tiramisù da morire"), ("es", "Unas croquetas de muerte"),
        ("pt", "Pastéis de nata de morrer"), ("nl", "Appeltaart om voor te sterven"), ("sv", "Kanelbullar att dö för"),
        ("da", "Hindbærsnitter at dø for"), ("uk", "Ціни просто вогонь!"),
    ],
)  # fmt: skip
def test_delight_in_deathly_words_is_no_complaint(language: str, words: str) -> None:
    (reading,) = read([words], page_languages=[language], chain_languages=())
    assert reading.sentiment != "negative" and not reading.alarming


def test_a_complaint_beside_delight_that_is_taken_back_or_with_a_low_score_is_one() -> None:
    words = "These rolls are nothing to die for, stale, dry and far too expensive, I want my money back."
    (reading,) = read([words], page_languages=["en"], chain_languages=())
    assert reading.alarming
    words = "To die for, they wrote: stale, dry and far too expensive rolls, I want my money back."
    doubted, borne_out = (
        read([words], page_languages=["en"], chain_languages=(), praise_belied=[belied])[0] for belied in (False, True)
    )
    assert not doubted.confident and borne_out.alarming


PRAISE = (
    "Such a lovely shop, everything bright and clean, and the people at the counter could not have been kinder to us. "
)


def _read(words: str, language: str = "en") -> Reading:
    (reading,) = read([words], page_languages=[language], chain_languages=("en", "uk", "ru", "cs"))
    return reading


@pytest.mark.parametrize("words", ["{praise}{}", "{} {praise}", "{praise}{praise}{} {praise}"])
@pytest.mark.parametrize("own", [(), (Entry("en", "topic", "price", "loyalty stamps"),)])
def test_what_is_urgent_does_not_drown_in_praise(words: str, own: tuple[Entry, ...]) -> None:
    alarm = "A shelf fell on my little boy, his head was bleeding and we had to call an ambulance."
    for comment, urgent in ((PRAISE * 3, False), (words.format(alarm, praise=PRAISE), True)):
        (reading,) = read([comment], page_languages=["en"], chain_languages=("en",), chain_words=ChainWords(own, ()))
        assert ("safety" in reading.urgency) == urgent
        # Nor is it sure praise then, in no average and on no wall.
        assert (reading.sentiment == "positive" and reading.confident) != urgent


def test_a_long_text_is_read_to_its_end() -> None:
    complaint = (
        "The assistant was rude and would not exchange the kettle that came broken, no refund either. Terrible. "
    )
    good, bad = _read(PRAISE * 8), _read(complaint * 8)
    assert (good.sentiment, bad.sentiment) == ("positive", "negative")
    assert good.confident and bad.alarming
    torn = _read(PRAISE * 8 + complaint * 8)
    assert not torn.confident and not torn.alarming
    assert {"staff", "returns"} <= {hit.topic for hit in torn.topics}


def test_a_text_without_sentences_or_spaces_is_read_too() -> None:
    assert not _read("a" * 9000).alarming
    assert _read(" \n" * 5000).sentiment == "neutral"
    assert _read("!" * 9000).sentiment == "neutral"


def test_a_complaint_in_latin_letters_is_read_as_in_its_own() -> None:
    typed, own = (
        _read("Ohoronec obozvav mene cyhankoju i vyhnav z mahazynu cherez kolir shkiry"),
        _read("Охоронець обозвав мене циганкою і вигнав з магазину через колір шкіри"),
    )
    assert typed.language == own.language == "uk"
    assert typed.sentiment == own.sentiment == "negative"
    assert typed.urgency == own.urgency == ["discrimination"]
    assert not typed.proven
    assert "Ohoronec" in typed.redacted


@pytest.mark.parametrize("entry", ["klarna", "кларна"])
def test_own_words_are_found_in_either_letters(entry: str) -> None:
    own = ChainWords([Entry("uk", "topic", "checkout", entry)])
    text = "Duzhe dyakuju, divchata pryvitni, i Klarna takozh"
    for words, found in ((own, True), (None, False)):
        (reading,) = read([text], page_languages=["uk"], chain_languages=("uk", "en"), chain_words=words)
        assert ("checkout" in {hit.topic for hit in reading.topics}) == found


def test_a_low_score_bears_a_long_complaint_out() -> None:
    bad = "The assistant was rude and would not exchange the kettle that came broken, no refund either. Terrible. "
    (reading,) = read([bad * 12 + PRAISE * 3], page_languages=["en"], chain_languages=("en",), praise_belied=[True])
    assert reading.alarming


def test_words_of_the_chain_hold_wherever_a_long_text_is_cut() -> None:
    own = ChainWords([Entry("en", "topic", "price", "loyalty stamps")])
    for size in range(90, 200, 7):
        comment = "lovely " * (size // 7) + "loyalty stamps " + "and a fine little shop with such bright windows " * 12
        (reading,) = read([comment], page_languages=["en"], chain_languages=("en",), chain_words=own)
        assert "price" in {hit.topic for hit in reading.topics}, size


@pytest.mark.parametrize(
    "text",
    [
        "the trip-hazard", "danger\u200bdanger\u200bdanger", "l'ascenseur d'ici", "fire-fire-fire!",
        "شكرًا جزيلًا", "شُكْرًا", "tre\u0300s de\u0301c\u0327ue", "trip_hazard_danger",
    ],
)  # fmt: skip
def test_what_is_joined_is_one_word_and_opens_nothing(text: str) -> None:
    own = ChainWords([Entry("en", "urgency", "safety", word, "certain") for word in ("danger", "hazard", "fire")])
    (reading,) = read([text], page_languages=["en"], chain_languages=("en",), chain_words=own)
    assert not (reading.confident or reading.alarming or reading.urgency_certain)


@pytest.mark.parametrize("end", ["!!", "!!!", "?!", "??", "...", "", " "])
def test_no_part_of_a_long_text_is_empty(end: str) -> None:
    for length in range(440, 470):
        text = ("They were rude and ignored us for half an hour while my son waited " * 9)[:length] + end
        parts = list(_cut_text(text, 450))
        assert all(parts) and "".join(parts) == text


def test_a_complaint_that_ends_where_a_part_does_still_alarms() -> None:
    for length in range(444, 452):
        text = ("they were rude and ignored us for half an hour while my son waited " * 9)[:length] + "!!"
        (reading,) = read([text], page_languages=["en"], chain_languages=("en",))
        assert reading.alarming, length


@pytest.mark.parametrize(
    ("entry", "topic", "text"),
    [
        ("pric", "price", "The help of your people was priceless, thank you all"),
        ("wait", "waiting", "The waitress brought us tea while we were looking at sofas"),
    ],
)
def test_a_longer_entry_of_ours_keeps_a_shorter_one_of_the_chain_from_matching(
    entry: str, topic: str, text: str
) -> None:
    own = ChainWords([Entry("en", "topic", topic, entry)])
    (reading,) = read([text], page_languages=["en"], chain_languages=("en",), chain_words=own)
    assert topic not in {hit.topic for hit in reading.topics}
    (reading,) = read([f"{text}. {entry}"], page_languages=["en"], chain_languages=("en",), chain_words=own)
    assert topic in {hit.topic for hit in reading.topics}


def test_what_marks_irony_stays_with_its_sentence_wherever_a_long_text_is_cut() -> None:
    for sign in ("\U0001f644", "/s", " \U0001f643\U0001f643 "):
        for before in range(50, 120):
            parts = list(_cut_text("lovely " * before + f"Great service. {sign} " + "lovely " * 60, 500))
            assert len(parts) > 1
            assert any("service" in part and sign in part for part in parts), parts


def test_a_theft_is_looked_at_though_the_words_hardly_complain() -> None:
    assert "fraud" in _read("The cashier stole my wallet, call the police").urgency


def test_a_price_that_is_robbery_is_no_theft() -> None:
    assert not _read("Nine quid for a sandwich, that is daylight robbery").urgency


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "There is a fire!"), ("en", "Racist staff"), ("en", "Security beat a boy"), ("en", "I was robbed here"),
        ("en", "Food poisoning"), ("de", "Es brennt!"), ("de", "Handy geklaut"), ("uk", "Пожежа в магазині"),
        ("uk", "Обікрали мене"), ("pl", "Pożar w sklepie"), ("fr", "On m'a volé"), ("fr", "Caissière raciste"),
        ("en", "There is a fire in the storeroom, people are trapped"), ("en", "Smoke in aisle four!"),
        ("de", "Brand im Lager!"), ("nl", "Brand in het magazijn!"), ("da", "Der er ild i lageret!"),
        ("it", "Fumo dal soffitto!"), ("pt", "Cheira a gás no corredor"), ("pt", "Está a arder o armazém!"),
        ("pl", "Okradli mnie przy kasie"), ("fr", "Il y a le feu"), ("es", "Huele a gas en el pasillo"),
    ],
)  # fmt: skip
def test_an_alarm_of_a_few_words_asks_somebody_to_look(language: str, words: str) -> None:
    assert read_one(words, language).urgency


def test_a_denied_word_of_the_chain_stays_denied_wherever_a_text_is_cut() -> None:
    own = ChainWords([Entry("en", "urgency", "safety", "zapped", "certain")])
    rest = (
        "while the lights were being mended by somebody who had come in from the other end of the mall with a ladder "
    )
    for before in range(8, 24):
        text = "we stood in line for coffee " + "and waited " * before + f"and nobody there was zapped {rest}"
        (reading,) = read([text], page_languages=["en"], chain_languages=("en",), chain_words=own)
        assert not reading.urgency_certain, before


@pytest.mark.parametrize(
    "words",
    [
        "Duzhe dovha cherha, potim a shelf fell on my son and he was bleeding",
        "Duzhe pohano, okhorona zhakhlyva, the security guard hit my son",
    ],
)
def test_a_clause_in_another_language_is_searched_as_it_was_typed(words: str) -> None:
    (reading,) = read([words], page_languages=["en"], chain_languages=("uk", "en"))
    assert (reading.language, reading.urgency) == ("uk", ["safety"])


def test_two_words_in_latin_letters_are_as_few_as_in_their_own() -> None:
    (reading,) = read(["Duzhe pohano"], page_languages=["uk"], chain_languages=("uk", "en"))
    assert not reading.confident and not reading.alarming


@pytest.mark.parametrize("words", ["a'" * 4000, "\U0001f600" * 8000, "word " * 1600])
def test_a_hostile_page_costs_little_more_than_an_honest_one_as_long(words: str) -> None:
    honest = (PRAISE + " ") * (len(words) // len(PRAISE))
    _read(honest)
    assert cpu_secs(lambda: _read(words)) < 5 * cpu_secs(lambda: _read(honest))
