"""The list of checksums beside the served files."""

import hashlib
from pathlib import Path

NAME = "SHA256SUMS"


def note_checksums(folder: Path) -> None:
    """Write the list anew, for every file that is there."""
    names = sorted(path.name for path in folder.iterdir() if path.name != NAME)
    sums = [f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}\n" for name in names]
    (folder / NAME).write_text("".join(sums), encoding="utf-8")
