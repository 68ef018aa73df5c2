"""What a poster says, in each language that shoppers of the chain may read.

Not in the catalogues of the interface: a poster speaks the store's languages, which are more than those of its staff.
Three lines, and nothing that is not so: no reward, no promise to answer who left no address.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Wording:
    """`scan` says what to do, `typed` stands before the address for whoever has no camera at hand."""

    headline: str
    promise: str
    scan: str
    typed: str
    rtl: bool = False


WORDINGS = {
    "en": Wording(
        "How was it?",
        "We read every word.",
        "Scan with your camera. No app, no sign-in.",
        "or type",
    ),
    "de": Wording(
        "Wie war es?",
        "Wir lesen jedes Wort.",
        "Mit der Kamera scannen. Ohne App, ohne Anmeldung.",
        "oder eintippen",
    ),
    "uk": Wording(
        "Як усе пройшло?",
        "Ми читаємо кожне слово.",
        "Наведіть камеру. Без застосунку й реєстрації.",
        "або введіть",
    ),
    "fr": Wording(
        "C’était comment ?",
        "Nous lisons chaque mot.",
        "Scannez avec l’appareil photo. Sans appli, sans inscription.",
        "ou saisissez",
    ),
    "es": Wording(
        "¿Qué tal ha ido?",
        "Leemos cada palabra.",
        "Escanee con la cámara. Sin app y sin registro.",
        "o escriba",
    ),
    "it": Wording(
        "Com’è andata?",
        "Leggiamo ogni parola.",
        "Inquadri con la fotocamera. Senza app, senza registrazione.",
        "oppure digiti",
    ),
    "pl": Wording(
        "Jak było?",
        "Czytamy każde słowo.",
        "Zeskanuj aparatem. Bez aplikacji, bez logowania.",
        "lub wpisz",
    ),
    "da": Wording(
        "Hvordan var det?",
        "Vi læser hvert eneste ord.",
        "Scan med kameraet. Ingen app, intet login.",
        "eller skriv",
    ),
    "nl": Wording(
        "Hoe was het?",
        "Wij lezen elk woord.",
        "Scan met uw camera. Zonder app, zonder account.",
        "of typ",
    ),
    "pt": Wording(
        "Como correu?",
        "Lemos cada palavra.",
        "Aponte a câmara. Sem aplicação, sem registo.",
        "ou escreva",
    ),
    "cs": Wording(
        "Jaké to bylo?",
        "Čteme každé slovo.",
        "Naskenujte fotoaparátem. Bez aplikace, bez přihlášení.",
        "nebo napište",
    ),
    "sv": Wording(
        "Hur var det?",
        "Vi läser varje ord.",
        "Skanna med kameran. Ingen app, ingen inloggning.",
        "eller skriv",
    ),
    "ar": Wording(
        "كيف كانت زيارتكم؟",
        "نقرأ كل كلمة.",
        "وجّهوا الكاميرا إلى الرمز. بلا تطبيق ولا تسجيل.",
        "أو اكتبوا",
        rtl=True,
    ),
}
MOST_LANGUAGES = 3
FALLBACK = "en"


def languages_of(languages: list[str]) -> list[str]:
    """Which of a store's languages stand on its posters, most common first; never none."""
    known = [code for language in languages if (code := language.split("-")[0]) in WORDINGS]
    return list(dict.fromkeys(known))[:MOST_LANGUAGES] or [FALLBACK]
