"""`manage.py catcher`: catch the demo's e-mail and text messages and keep them for its mailbox page."""

import json
import os
import signal
import threading
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from messaging.catcher import Catcher
from messaging.mailbox import keep_in_database


class Command(BaseCommand):
    """Prints one JSON line with its ports when it is ready; ends on SIGTERM or Ctrl-C."""

    help = "Catches e-mail (HALFHOUR_SMTP_PORT) and SMS (HALFHOUR_SMS_PORT) on loopback; port 0 means a free one."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--smtp-port", type=int, default=os.environ.get("HALFHOUR_SMTP_PORT", "0"))
        parser.add_argument("--sms-port", type=int, default=os.environ.get("HALFHOUR_SMS_PORT", "0"))

    def handle(self, *args: Any, **options: Any) -> None:
        if not (settings.DEMO or settings.TESTING):
            raise CommandError("The catcher is for the demo and the tests: set DEMO=1.")
        stop = threading.Event()
        for signum in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signum, lambda *_: stop.set())
        account = (settings.TWILIO_ACCOUNT_SID, settings.TWILIO_AUTH_TOKEN)
        catcher = Catcher(
            smtp_port=options["smtp_port"],
            sms_port=options["sms_port"],
            account=account if all(account) else None,
            keep=keep_in_database,
        )
        try:
            catcher.start()
        except OSError as error:
            raise CommandError(f"Cannot listen: {error}") from None
        self.stdout.write(json.dumps({"smtp_port": catcher.smtp_port, "sms_port": catcher.sms_port}))
        self.stdout.flush()
        stop.wait()
        catcher.stop()
