"""Texts that a phone sends by itself, while its owner drives or is away.

It is a guess, by words that only machines put there: a heading ("Auto-reply:"), the name of a phone's mode, or nothing
but that somebody drives. What is guessed is kept like all words; it only gets no reply and is no sign of its owner.
"""

import re

_HEADINGS = (
    "auto-reply|auto reply|autoreply|automatic reply|automatic response|automated reply|out of office"
    "|automatische antwort|abwesenheitsnotiz|автоматична відповідь|автовідповідь|автоматический ответ|автоответ"
    "|réponse automatique|message automatique|respuesta automática|mensaje automático|risposta automatica"
    "|messaggio automatico|automatyczna odpowiedź|odpowiedź automatyczna|autoodpowiedź|automatisk svar|autosvar"
    "|automatisch antwoord|resposta automática|mensagem automática|automatická odpověď|automatiskt svar"
    "|رد تلقائي|رد آلي"
)
_DRIVING = (
    "(?:sorry, )?(?:i'm|i am) driving(?: right now)?|ich fahre gerade(?: auto)?|ich (?:bin|sitze) gerade am steuer"
    "|я (?:зараз )?за кермом|(?:я )?(?:сейчас )?за рул[её]м|je conduis|je suis au volant|estoy conduciendo|sto guidando"
    "|prowadzę samochód|teraz prowadzę|jeg kører(?: bil)?|ik ben aan het rijden|estou (?:a conduzir|dirigindo)"
    "|právě řídím|řídím auto|jag kör(?: bil)?|أقود السيارة"
)
# What phones call the mode in which they answer so.
_MODES = (
    "focus|fokus|concentration|full immersion|skupienie|do not disturb|nicht stören|не турбувати|не беспокоить"
    "|ne pas déranger|no molestar|non disturbare|nie przeszkadzać|niet storen|forstyr ikke|não perturb|nerušit"
    "|stör ej|عدم الإزعاج"
)
_BEGINNING = re.compile(
    rf"[\s(\[\"'*-]*(?:(?:{_HEADINGS})\s*(?:[:\])–—-]|\W*$)|(?:{_DRIVING})(?:\W*$|\b.*\b(?:{_MODES}))"
    r"|this is an automat|i'm not receiving notifications)",
    re.DOTALL,
)


def is_automatic(text: str) -> bool:
    """Whether a text message was most likely written by a phone, not by its owner."""
    return _BEGINNING.match(text.casefold().replace("’", "'")) is not None
