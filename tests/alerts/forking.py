"""A management command again and again, each time in a process of its own that need not read our code first.

`python forking.py COMMAND…`: for each line that comes, which names a kill point or nothing, one process; its id is the
answer. All end with this one.
"""

import os
import signal
import sys
from pathlib import Path


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "feedback.settings")
    import django

    django.setup()
    from django.core.management import call_command, load_command_class
    from django.urls import get_resolver

    from feedback.processes import end_with_parent

    name, *arguments = sys.argv[1:]
    command = load_command_class("core", name)
    assert get_resolver().url_patterns  # reads the views
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            end_with_parent(signal.SIGKILL)
            os.environ["HALFHOUR_STEP_KILL"] = line.strip()
            try:
                call_command(command, *arguments)
            finally:
                os._exit(0)
        print(pid, flush=True)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    main()
