"""An import file of whatever kind, told by what is in it rather than by its name."""

from django.utils.translation import gettext as _

from stores.importing.sheets import MOST_BYTES, File, FileUnreadable
from stores.importing.text_file import read_text
from stores.importing.workbook import read_workbook

_ZIP = b"PK\x03\x04"
# Old Office files, and the box in which new ones lie that have a password.
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_OTHERS = (".xls", ".xlsb", ".ods", ".numbers", ".pdf", ".doc", ".docx")


def read_file(name: str, data: bytes) -> File:
    """Read a workbook, or a text file with one of the sheets. Raises FileUnreadable."""
    if len(data) > MOST_BYTES:
        raise FileUnreadable(_("The file is larger than %(n)d MB.") % {"n": MOST_BYTES // 1024**2})
    if data.startswith(_ZIP):
        return read_workbook(data)
    if data.startswith(_OLE) and _ENCRYPTED in data:
        raise FileUnreadable(_("The workbook has a password. Save it without one."))
    if data.startswith(_OLE) or name.lower().endswith(_OTHERS):
        raise FileUnreadable(_("Save the file as .xlsx or as CSV."))
    return read_text(data)
