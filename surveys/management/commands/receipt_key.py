"""`manage.py receipt_key STORE`: let a store's tills sign the survey links of their receipts themselves."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from core.tokens import receipt_key
from stores.models import Store
from surveys.models import ReceiptKey


class Command(BaseCommand):
    help = (
        "Makes a key for a store and prints its name and its secret, once, as one line. Its earlier keys are used no "
        "more, but receipts that bear their signature stay good; --revoke takes one back at once with all its receipts."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("store", help="The store's code.")
        parser.add_argument("--revoke", metavar="KEY", help="Take this key back instead of making one.")

    def handle(self, *args: Any, **options: Any) -> None:
        store = Store.objects.filter(code=options["store"], retired_at=None).first()
        if store is None:
            raise CommandError(f"No store with the code {options['store']!r}.")
        now = timezone.now()
        keys = ReceiptKey.objects.filter(store=store)
        if options["revoke"]:
            if not keys.filter(key_id=options["revoke"], revoked_at=None).update(revoked_at=now):
                raise CommandError(f"{store.code} has no such key.")
            return
        key_id, secret = receipt_key()
        keys.filter(ended_at=None).update(ended_at=now)
        ReceiptKey.objects.create(store=store, key_id=key_id, secret=secret)
        self.stdout.write(f"{key_id} {secret}")
        self.stderr.write("The secret is shown only now.")
