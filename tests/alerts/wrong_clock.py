"""A management command on a machine whose clock is wrong: by as many seconds as a file says, whenever that changes.

`python wrong_clock.py FILE COMMAND…`. The database keeps its own clock, and so do waiting and time-outs.
"""

import os
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import time_machine
from django.core.management import execute_from_command_line

_BEGAN, _MARK = datetime.now(UTC), time.monotonic()


def truly_now() -> datetime:
    return _BEGAN + timedelta(seconds=time.monotonic() - _MARK)


def follow(file: Path, traveller: time_machine.Traveller) -> None:
    known = ""
    while True:
        said = file.read_text()
        if said and said != known:
            known = said
            traveller.move_to(truly_now() + timedelta(seconds=float(said)))
        time.sleep(0.1)


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "feedback.settings")
    file = Path(sys.argv[1])
    with time_machine.travel(truly_now(), tick=True) as traveller:
        threading.Thread(target=follow, args=(file, traveller), daemon=True).start()
        execute_from_command_line(["manage.py", *sys.argv[2:]])


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    main()
