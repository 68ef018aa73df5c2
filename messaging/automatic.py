"""Texts that a phone sends by itself, while its owner drives or is away.

Told by how they begin, in the words that phones and mail programs put there. One that begins otherwise passes for its
owner's; a person who begins so says only that they cannot answer now.
"""

_BEGINNINGS = {
    "en": "i'm driving|i am driving|sorry, i'm driving|i'm not receiving notifications|auto-reply|auto reply|autoreply"
    "|automatic reply|automatic response|this is an automat|out of office",
    "de": "ich fahre gerade|ich bin gerade am steuer|ich sitze gerade am steuer|automatische antwort|abwesenheitsnotiz",
    "uk": "я за кермом|я зараз за кермом|автоматична відповідь|автовідповідь",
    "ru": "я за рулем|я за рулём|сейчас за рулем|автоматический ответ|автоответ",
    "fr": "je conduis|je suis au volant|réponse automatique|message automatique",
    "es": "estoy conduciendo|respuesta automática|mensaje automático",
    "it": "sto guidando|risposta automatica|messaggio automatico",
    "pl": "prowadzę samochód|teraz prowadzę|automatyczna odpowiedź|odpowiedź automatyczna|autoodpowiedź",
    "da": "jeg kører|automatisk svar|autosvar",
    "nl": "ik ben aan het rijden|ik rijd|automatisch antwoord",
    "pt": "estou a conduzir|estou dirigindo|resposta automática|mensagem automática",
    "cs": "právě řídím|řídím auto|automatická odpověď",
    "sv": "jag kör|automatiskt svar|autosvar",
    "ar": "رد تلقائي|رد آلي|أقود السيارة",
}
_ALL = tuple(beginning for words in _BEGINNINGS.values() for beginning in words.split("|"))


def is_automatic(text: str) -> bool:
    """Whether a text message was most likely written by a phone, not by its owner."""
    return text.casefold().replace("’", "'").lstrip(" \t\n([\"'*-").startswith(_ALL)
