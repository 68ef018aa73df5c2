"""The sheets that are printed, and how large their QR codes are.

A code is read from about ten times its width (FIELD §4; the rule of thumb of scanner makers for phone cameras), so each
format states the distance it is made for and its code is a tenth of that. The width is that of the modules alone; four
modules of quiet zone come on top (ISO/IEC 18004, 9.1).
"""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from stores.choices import TouchpointKind

DISTANCE_PER_WIDTH = 10
MM_PER_INCH = 25.4


@dataclass(frozen=True)
class Format:
    """One kind of print: `width` and `height` of the trimmed sheet and `code` (the QR code) in millimetres.

    `height` None is as long as it gets. `panels` says how many codes are on a sheet; `mono` that its printer knows only
    black; `dpi` what it is printed with at the least.
    """

    key: str
    label: Promise
    use: Promise
    width: int
    height: int | None
    code: int
    panels: int = 1
    mono: bool = False
    dpi: float = 300

    @property
    def distance_cm(self) -> int:
        """From how far away its code is read."""
        return self.code * DISTANCE_PER_WIDTH // 10


FORMATS = {
    one.key: one
    for one in (
        Format("a4", _("A4 poster"), _("At the exit, at the service desk, in the window."), 210, 297, 100),
        Format("a5", _("A5 poster"), _("In a fitting room, on a door, on a shelf."), 148, 210, 70),
        Format(
            "tent", _("Table tent"), _("On the counter: print on card, fold twice, glue the flap."), 210, 297, 60, 2
        ),
        Format("sticker", _("Till sticker"), _("A7, beside the card terminal."), 105, 74, 42),
        Format(
            "receipt",
            _("Receipt header"),
            _("For the 80 mm roll: black only, as a receipt printer knows it."),
            72,
            None,
            32,
            mono=True,
            dpi=203.2,
        ),
    )
}
# What is offered first, by where it will hang.
USUAL = {
    TouchpointKind.TILL: "sticker",
    TouchpointKind.FITTING_ROOM: "a5",
    TouchpointKind.EXIT: "a4",
    TouchpointKind.SERVICE_DESK: "tent",
    TouchpointKind.RECEIPT: "receipt",
    TouchpointKind.CALL: "a5",
}
