"""How many parts of a text message somebody pays for (https://www.twilio.com/docs/glossary/what-sms-character-limit)."""

# GSM 03.38: whoever writes only these has room for more than twice as many.
_PLAIN = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_TWICE = frozenset("\f^{}\\[~]|€")


def segments(text: str) -> int:
    """The parts that a text message is sent in: of 160 plain characters or 70 others; where it takes several, of 153 or
    67."""
    if set(text) <= _PLAIN | _TWICE:
        length, alone, each = len(text) + sum(character in _TWICE for character in text), 160, 153
    else:
        length, alone, each = len(text.encode("utf-16-le")) // 2, 70, 67
    return 1 if length <= alone else -(-length // each)
