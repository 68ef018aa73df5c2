from django.apps import AppConfig


class MessagingConfig(AppConfig):
    name = "messaging"

    def ready(self) -> None:
        # Registers their steps with the work loop, and the mails about staff accounts with the outbox.
        from messaging import addresses, hearing, invitations, work  # noqa: F401, PLC0415
