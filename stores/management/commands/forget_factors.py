"""`./run manage forget_factors ADDRESS`: for somebody who lost phone and recovery codes, and nobody else can help."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.http import HttpRequest

from stores.models import User
from stores.security import forget_factors


class Command(BaseCommand):
    help = "Takes away a person's second factors, signs them out, and has them enrol anew at the next sign-in."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("address", help="The e-mail address of the account.")

    def handle(self, *args: Any, address: str, **options: Any) -> None:
        user = User.objects.filter(email=address.lower()).first()
        if user is None:
            raise CommandError("No account has this address.")
        forget_factors(HttpRequest(), user, actor=None)
        self.stdout.write(f"{user.name} enrols a second factor at the next sign-in.")
