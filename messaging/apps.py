from django.apps import AppConfig


class MessagingConfig(AppConfig):
    name = "messaging"

    def ready(self) -> None:
        # Registers its steps with the work loop, and the mail by which staff join with the outbox.
        from messaging import invitations, work  # noqa: F401, PLC0415
