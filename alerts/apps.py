from typing import Any

from django.apps import AppConfig
from django.db import connection
from django.db.models.signals import post_migrate


def _first_rules(sender: object, **_: Any) -> None:
    """A chain without any rule would overlook every unhappy shopper."""
    from alerts.models import Rule  # noqa: PLC0415
    from alerts.policy import ensure_defaults  # noqa: PLC0415

    if Rule._meta.db_table in connection.introspection.table_names():
        ensure_defaults()


class AlertsConfig(AppConfig):
    name = "alerts"

    def ready(self) -> None:
        # Connects this room to the signals above it, its work to the loop, its messages to the outbox.
        from alerts import (  # noqa: F401, PLC0415
            erasure,
            false_alarms,
            kudos,
            receivers,
            renderers,
            rule_checks,
            store_panel,
            texts,
            work,
        )
        from core.schedules import SCHEDULES  # noqa: PLC0415

        # Looks every hour and writes once a week.
        SCHEDULES["false alarms"] = {"func": "alerts.false_alarms.send_weekly", "schedule_type": "H"}
        post_migrate.connect(_first_rules, sender=self)
