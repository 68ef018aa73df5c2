from django.apps import AppConfig


class SentimentConfig(AppConfig):
    name = "sentiment"

    def ready(self) -> None:
        from sentiment import receivers  # noqa: F401, PLC0415  (connects this room to the signals above it)
