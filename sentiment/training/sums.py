"""The list of checksums beside the served files."""

import hashlib
from pathlib import Path

from sentiment.files import SUMS, read_sums


def note_checksums(folder: Path, only: str | None = None) -> None:
    """Write the list anew, for every file that is there; `only`: for the file of this name, and let the other lines
    stand, so that a file that was damaged since is still told by its sum."""
    if only is None:
        sums = {path.name: _sum_of(path) for path in folder.iterdir() if path.is_file() and path.name != SUMS}
    else:
        sums = read_sums(folder) | {only: _sum_of(folder / only)}
    lines = [f"{found}  {name}\n" for name, found in sorted(sums.items())]
    (folder / SUMS).write_text("".join(lines), encoding="utf-8")


def write_noted(folder: Path, name: str, content: bytes) -> None:
    """Lay one file beside the others, and note its sum."""
    (folder / name).write_bytes(content)
    note_checksums(folder, only=name)


def _sum_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
