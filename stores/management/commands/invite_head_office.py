"""`./run manage invite_head_office ADDRESS NAME`: lets the first person in, who then lets in everybody else."""

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.validators import validate_email
from django.db import transaction
from django.urls import reverse
from django.utils import translation

from stores.choices import NodeKind, Role
from stores.models import Node
from stores.people import Invitee, PeopleActionRefused, invite_person
from stores.standing import RoleAt


class Command(BaseCommand):
    help = "Invites somebody as head office of the whole chain, and makes the chain's own place if there is none yet."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("address")
        parser.add_argument("name")
        parser.add_argument("--language", choices=list(dict(settings.STAFF_LANGUAGES)), default=settings.LANGUAGE_CODE)

    def handle(self, *args: Any, address: str, name: str, language: str, **options: Any) -> None:
        with translation.override(settings.LANGUAGE_CODE), transaction.atomic():
            root = Node.objects.filter(parent=None).order_by("pk").first()
            if root is None:
                root = Node(kind=NodeKind.CHAIN, name=settings.CHAIN_NAME)
                root.save()
            try:
                validate_email(address)
                who = Invitee(address, name, [RoleAt(Role.HEAD_OFFICE, node=root)], language)
                person = invite_person(who, actor=None)
            except (PeopleActionRefused, ValidationError) as refused:
                raise CommandError(getattr(refused, "message", str(refused))) from refused
            token = person.invitations.get().token
        # The mail may have nowhere to go yet.
        self.stdout.write(f"{settings.PUBLIC_URL}{reverse('join', args=[token])}")
