"""`manage.py receipt_key STORE`: let a store's tills sign the survey links of their receipts themselves."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from stores.models import Store
from surveys.models import ReceiptKey
from surveys.receipt_keys import end_key, make_key, revoke_key


class Command(BaseCommand):
    help = (
        "Makes a key for a store and prints its name and its secret, once, as one line. Its earlier keys stay in use "
        "until --end: receipts of before stay good then. --revoke takes one back at once with all its receipts."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("store", help="The store's code.")
        parser.add_argument("--revoke", metavar="KEY", help="Take this key back instead of making one.")
        parser.add_argument("--end", metavar="KEY", help="End this key instead of making one.")

    def handle(self, *args: Any, **options: Any) -> None:
        store = Store.objects.filter(code=options["store"], retired_at=None).first()
        if store is None:
            raise CommandError(f"No store with the code {options['store']!r}.")
        for name, finish in (("revoke", revoke_key), ("end", end_key)):
            if options[name]:
                key = ReceiptKey.objects.select_related("store").filter(store=store, key_id=options[name]).first()
                if key is None or not finish(key, None):
                    raise CommandError(f"{store.code} has no such key.")
                return
        key, secret = make_key(store, None)
        self.stdout.write(f"{key.key_id} {secret}")
        self.stderr.write("The secret is shown only now.")
