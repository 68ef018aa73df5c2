from django.apps import AppConfig


class MessagingConfig(AppConfig):
    name = "messaging"

    def ready(self) -> None:
        from messaging import work  # noqa: F401, PLC0415  (registers its steps with the work loop)
