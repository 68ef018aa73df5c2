"""Management commands, each in a process of its own that need not read our code first.

For each line that comes, `{"command": [...], "kill_at": "..."}`, one process in a group of its own, whose id is the
answer. All end with this one.
"""

import json
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "feedback.settings")
    import django

    django.setup()
    from django.core.management import call_command
    from django.urls import get_resolver

    from feedback.processes import end_with_parent

    assert get_resolver().url_patterns  # reads the views
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            end_with_parent(signal.SIGKILL)
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            wanted = json.loads(line)
            os.environ["HALFHOUR_STEP_KILL"] = wanted["kill_at"]
            try:
                call_command(*wanted["command"])
            finally:
                os._exit(0)
        with suppress(ProcessLookupError):  # it has ended already
            os.setpgid(pid, pid)
        print(pid, flush=True)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    main()
