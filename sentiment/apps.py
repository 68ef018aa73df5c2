from django.apps import AppConfig


class SentimentConfig(AppConfig):
    name = "sentiment"

    def ready(self) -> None:
        from sentiment import checks, receivers  # noqa: F401, PLC0415  (registers the one, connects the other)
