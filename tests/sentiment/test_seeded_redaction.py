"""Seeded secrets in every product language: at least 99 in 100 must go, of every kind, and what stands behind stay."""

import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from sentiment.redaction import redact
from sentiment.redaction_evaluation import REGIONS, Figures, seeds

EACH = 40


@pytest.mark.parametrize("language", sorted(REGIONS))
def test_ninety_nine_seeded_secrets_in_a_hundred_go(language: str) -> None:
    figures, wrong = Figures(), []
    for seed in seeds(language, EACH):
        figures.count(seed)
        if not (seed.is_hidden and seed.is_all_else_kept):
            wrong.append((seed.kind, seed.text, seed.redacted))
    for kind, share in figures.hidden.items():
        assert share.of == EACH
        assert share.of - share.hits <= 0.01 * EACH, (kind, wrong)
    assert figures.kept.of - figures.kept.hits <= 0.01 * figures.kept.of, wrong


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("en", "4111 1111 1111 1111 12/27 cvv 123", "[card] 12/27 cvv [number]"),
        ("en", "5555555555554444/05/28", "[card]/05/28"),
        ("uk", "050 123 45 67 / 067 765 43 21", "[phone] / [phone]"),
        ("uk", "0501234567,0677654321", "[phone],[phone]"),
        ("de", "Tel. 0171 1234567 / 030 123456", "Tel. [phone] / [phone]"),
        ("en", "07700 900123 - 12/03/2026", "[phone] - 12/03/2026"),
        ("uk", "050 123 45 67 - 1500 грн", "[phone] - 1500 грн"),
        ("uk", "25 000 - 30 000 грн", "25 000 - 30 000 грн"),
        ("en", "+44 7700 900123 500", "[phone] 500"),
        ("fr", "01.02.20.03.45 et 01/02/20/03/45", "[phone] et [phone]"),
        (
            "de",
            "12.03.2026 - 14.03.2026 0171 1234567 24.12.2025 12.30",
            "12.03.2026 - 14.03.2026 [phone] 24.12.2025 12.30",
        ),
        ("uk", "044 12-12-12", "[phone]"),
        ("pl", "512345678lub 512 345 678", "[phone]lub [phone]"),
        ("ar", "بطاقتي ٤١١١ ١١١١ ١١١١ ١١١١ ١٢/٢٧", "بطاقتي [card] ١٢/٢٧"),
        ("nl", "op 28/11 23.00 uur, 140.000.000 keer", "op 28/11 23.00 uur, 140.000.000 keer"),
        ("sv", "B1/3/7/8/19/20 och 60/90/120/150/180", "B1/3/7/8/19/20 och 60/90/120/150/180"),
        ("da", "12 000 000 - 15 000 000 kr", "12 000 000 - 15 000 000 kr"),
        ("sv", "1 250 500 kr, 1500 min", "1 250 500 kr, 1500 min"),
        ("en", "sizes 38 40 42 44 46 48 50", "sizes 38 40 42 44 46 48 50"),
        ("en", "was 12.99 14.99 16.95 18.50 each", "was 12.99 14.99 16.95 18.50 each"),
        ("en", "was 12.99 14.99 16.95 call 0171 123456", "was 12.99 14.99 16.95 call [phone]"),
        ("fr", "tel 06.15 22.39 45.60", "tel 06.15 [phone]"),
        ("en", "ring +45 12.35 45.60 78.90", "ring +45 12.35 [phone]"),
        ("fr", "01 23 45 67 89", "[phone]"),
        ("da", "20 22 24 26", "[phone]"),
    ],
)
def test_a_row_of_digits_is_cut_where_its_numbers_end(language: str, text: str, expected: str) -> None:
    assert redact(text, languages=(language,)) == expected


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("da", "ring 12 34 56 78 min mobil", "ring [phone] min mobil"),
        ("da", "Ring på 12345678 min telefon", "Ring på [phone] min telefon"),
        ("sv", "070-1234567 min mobil", "[phone] min mobil"),
        ("sv", "070-123 45 67 min fru", "[phone] min fru"),
        ("nl", "06 12345678 min of meer", "[phone] min of meer"),
        ("en", "07700 900 123 min", "[phone] min"),
        ("pl", "501 234 567 zł", "[phone] zł"),
        ("uk", "067 1234567 грн", "[phone] грн"),
        ("de", "0171 1234567 20 min", "[phone] 20 min"),
    ],
)
def test_a_phone_goes_although_a_unit_or_currency_seems_to_follow(language: str, text: str, expected: str) -> None:
    assert redact(text, languages=(language,)) == expected


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("en", "my order 07700 900123", "my order [phone]"),
        ("fr", "ma réservation 0612 345 678", "ma réservation [phone]"),
        ("uk", "замовлення 0671 234567", "замовлення [phone]"),
        ("nl", "bestelling 0612 34 56 78", "bestelling [phone]"),
        ("ru", "заказ 8912 3456789", "заказ [phone]"),
        ("en", "by card 4539 1488 0343 6467", "by card [card]"),
        ("en", "card 4539.1488.0343.6467 12/27", "card [card] 12/27"),
        ("en", "order (0171) 1234567", "order ([phone]"),
        ("en", "pin 07700 900123", "pin [phone]"),
        ("en", "order 12345 12/03/2026, order 88213 20 min", "order [order] 12/03/2026, order [order] 20 min"),
        ("de", "Bestellung 88213 0171 1234567", "Bestellung [phone] [phone]"),
        ("de", "Rechnungs-Nr. 77484 - 1500 €", "Rechnungs-Nr. [order] - 1500 €"),
    ],
)
def test_a_phone_or_card_behind_an_order_word_goes_whole(language: str, text: str, expected: str) -> None:
    assert redact(text, languages=(language,)) == expected


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("en", "07700\u200b900123, 07700 \u200d900123", "[phone], [phone]"),
        ("ar", "+971\u200e50\u200e1234567", "[phone]"),
        ("en", "07700_900_123", "[phone]"),
        ("en", "john＠example.com", "[e-mail]"),
        ("en", "@anna_k was rude", "[name] was rude"),
        ("en", "Anna2 and an\u00adna", "[name]2 and [name]"),
        ("cs", "rodné číslo 850101/1234", "rodné číslo [number]"),
        ("en", "👩\u200d💼 07700 900123", "👩\u200d💼 [phone]"),
        ("en", "a co\u00adsy shop＋café, 2 @ 5 €, @60fps", "a co\u00adsy shop＋café, 2 @ 5 €, @60fps"),
    ],
)
def test_nothing_hides_behind_signs_nobody_sees_or_writes_otherwise(language: str, text: str, expected: str) -> None:
    assert redact(text, languages=(language,), staff_names=["Anna Bo"]) == expected


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Мені допомогла Оленка з каси", "Олена Коваленко"),
        ("Подяка Оленці та Коваленку", "Олена Коваленко"),
        ("З Андрієм було приємно", "Андрій Мельник"),
        ("Rozmawiałam z Anną i Kowalskim", "Anna Kowalski"),
        ("Paní Nováková a Petrem", "Petr Novák"),
        ("Анной и Петром довольна", "Анна Петр"),
        ("Danke an Schmidts Team", "Eva Schmidt"),
        ("Tack Eriks hjälp", "Erik Berg"),
    ],
)
def test_names_of_staff_go_in_their_inflected_forms(text: str, name: str) -> None:
    redacted = redact(text, staff_names=[name])
    for part in name.split():
        assert part[:-1] not in redacted, redacted


@pytest.mark.parametrize(
    ("languages", "name", "text", "expected"),
    [
        ("pl", "Jan Kot", "Z Janem; dla jana", "Z [name]; dla [name]"),
        ("uk", "Оля", "Олі дякую, з Олею", "[name] дякую, з [name]"),
        ("uk", "Юлія Іра", "З Юлею та Ірою, Юліє!", "З [name] та [name], [name]!"),
        ("en", "Eva Li", "EVA WAS RUDE. eva was rude", "[name] WAS RUDE. [name] was rude"),
        ("en", "Ann", "Anns help on any day", "[name] help on any day"),
        ("uk", "Ольга Мельник", "Ользі дякую, ольго. пане Мельниче", "[name] дякую, [name]. пане [name]"),
        ("uk", "Дарка Федір", "Дарці і Федору", "[name] і [name]"),
        ("pl", "Marta Marek", "Marcie i Markiem", "[name] i [name]"),
        ("pl", "Paweł Barbara", "Pawłowi, Barbarze", "[name], [name]"),
        ("cs", "Marek Pavel", "Markem a Pavlem, Pavle", "[name] a [name], [name]"),
        ("cs", "Lenka Petr", "Lence, Petře", "[name], [name]"),
        ("ru", "Пётр Павел", "Петру, Павла", "[name], [name]"),
        ("uk", "Olena Olha", "Олені та Ользі", "[name] та [name]"),
        ("en", "Олена Коваленко", "Olena was rude, Kovalenko's too", "[name] was rude, [name] too"),
        ("en", "Юлія", "Julia, Yulia and Yuliya in July", "[name], [name] and [name] in July"),
        ("fr", "Anna", "l'accueil d'Anna", "l'accueil d'[name]"),
        ("en", "Tim Dan", "the same time, done", "the same time, done"),
        ("es", "Clara Bella", "claro, muy bello", "claro, muy bello"),
    ],
)
def test_names_of_staff_go_in_every_case_and_script(languages: str, name: str, text: str, expected: str) -> None:
    assert redact(text, languages=(languages,), staff_names=[name]) == expected


@pytest.mark.parametrize(
    ("language", "name", "text", "expected"),
    [
        ("en", "Will Smith", "I will come. Will come again. I WILL NOT", "I will come. Will come again. I WILL NOT"),
        ("en", "Will Smith", "Will was rude. Ask Will. will smith", "[name] was rude. Ask [name]. [name]"),
        ("en", "Will Smith", "WILL SMITH WAS RUDE, thanks will", "[name] WAS RUDE, thanks [name]"),
        ("en", "Will", "I Will Never Come Here Again", "I Will Never Come Here Again"),
        ("en", "Rose May", "The rose, in May; it may rise", "The rose, in May; it may rise"),
        ("en", "Rose May", "Rose helped and so did May", "[name] helped and so did [name]"),
        ("en", "Hope Grace", "Hope this helps. Hope to be back", "Hope this helps. Hope to be back"),
        ("en", "Hope Grace", "Grace and Hope were kind", "[name] and [name] were kind"),
        ("en", "Mark Bill", "The bill was wrong, no mark", "The bill was wrong, no mark"),
        ("en", "Mark Bill", "We asked Bill. Mark refused", "We asked [name]. [name] refused"),
        ("en", "Mark Bill", "Ask for mark. badge mark ignored me", "Ask for [name]. badge [name] ignored me"),
        ("en", "Hope Grace", "grace rocks, thanks for hope", "[name] rocks, thanks for hope"),
        ("en", "Sunny Angel", "Sunny day, you are an angel!", "Sunny day, you are an angel!"),
        ("de", "Will", "Ich will. Wir will", "Ich will. Wir will"),
        ("de", "Linde Frank", "Die Linde. frank und frei", "Die Linde. frank und frei"),
        ("de", "Linde Frank", "Linde war nett, bei Frank", "[name] war nett, bei [name]"),
        ("de", "Klein", "Ein Klein, klein; Frau Klein", "Ein Klein, klein; Frau [name]"),
        ("de", "Klein", "Der Klein hat geholfen, der Klein ohne", "Der [name] hat geholfen, der Klein ohne"),
        ("uk", "Віра Слава", "Без віри. Слава Україні!", "Без віри. Слава Україні!"),
        ("uk", "Віра Слава", "Віра була груба, дякую Славі", "[name] була груба, дякую [name]"),
        ("uk", "Надія Любов", "маю надію і любов", "маю надію і любов"),
        ("uk", "Надія Любов", "Надія допомогла, з Любов'ю теж", "[name] допомогла, з [name] теж"),
        ("uk", "Mark", "відома марка, Марку дякую", "відома марка, [name] дякую"),
        ("it", "Alla Vera", "alla cassa è vera. Grazie Vera!", "alla cassa è vera. Grazie [name]!"),
    ],
)
def test_a_name_that_is_a_word_goes_where_it_is_a_name(language: str, name: str, text: str, expected: str) -> None:
    assert redact(text, languages=(language,), staff_names=[name]) == expected


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("ar", "رقم الطلب: ٤٤٥٥٦٦", "رقم الطلب: [order]"),
        ("ar", "بطاقتي ٤١١١ ١١١١ ١١١١ ١١١١", "بطاقتي [card]"),
        ("uk", "тел.0501234567", "тел.[phone]"),
        ("pl", "tel.512345678 lub 512 345 678", "tel.[phone] lub [phone]"),
        ("de", "Meine Bestellnummer lautet 4711123", "Meine Bestellnummer lautet [order]"),
        ("es", "mi número de pedido es 98765", "mi número de pedido es [order]"),
        ("en", "it cost 1,299,000.00 or 1.234567 each", "it cost 1,299,000.00 or 1.234567 each"),
    ],
)
def test_other_digits_abbreviations_and_verbs_hide_no_number(language: str, text: str, expected: str) -> None:
    assert redact(text, languages=(language,)) == expected


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("Danke für Olenas Geduld", "Olena Berg", "Danke für [name] Geduld"),
        ("Sean O’Brien and obrien helped", "Sean O'Brien", "[name] and [name] helped"),
        ("Anna Maria war nett, Frau Mueller nicht", "Anna-Maria Müller", "[name] war nett, Frau [name] nicht"),
        ("Jose Garcia was rude", "José García", "[name] was rude"),
        ("Hakan og Soeren var flinke", "Håkan Søren", "[name] og [name] var flinke"),
        ("Aase og Oerjan var flinke", "Åse Ørjan", "[name] og [name] var flinke"),
        ("محمد كان لطيفا وأحمد أيضا، شكرا لاحمد", "محمد أحمد", "[name] كان لطيفا [name] أيضا، شكرا [name]"),
    ],
)
def test_names_of_staff_go_however_they_are_spelt(text: str, name: str, expected: str) -> None:
    assert redact(text, staff_names=[name]) == expected


def test_the_figures_are_told_by_kind_language_and_of_real_comments(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    texts = {"train": ["Lovely shop", "Call +380 50 123 45 67"], "dev": ["I will come back"]}
    for name, rows in texts.items():
        lines = [json.dumps({"text": text, "language": "en", "label": "positive"}) for text in rows]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(lines), encoding="utf-8")
    call_command("evaluate_redaction", each=2, data=tmp_path, show=True)
    lines = capsys.readouterr().out.splitlines()
    assert {line[:2] for line in lines} >= {*REGIONS}
    assert any(line.startswith("all  phone 1.000 (26/26)") for line in lines)
    assert any("en\tCall +380 50 123 45 67\tCall [phone]" in line for line in lines)
    assert any(line.startswith("all  real comments touched, rightly or not 0.333 (1/3)") for line in lines)
    assert any(line.endswith("0.000 (0/3)") for line in lines if "whose names are words" in line)


def test_comments_that_are_not_there_are_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="train"):
        call_command("evaluate_redaction", each=1, data=tmp_path)
