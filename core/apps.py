from typing import Any

from django.apps import AppConfig
from django.db import connection
from django.db.models.signals import post_migrate


def _schedule_jobs(sender: object, **_: Any) -> None:
    from django_q.models import Schedule  # noqa: PLC0415

    from core.schedules import ensure_schedules  # noqa: PLC0415

    if Schedule._meta.db_table in connection.introspection.table_names():
        ensure_schedules()


class CoreConfig(AppConfig):
    name = "core"

    def ready(self) -> None:
        from django.utils.module_loading import autodiscover_modules  # noqa: PLC0415

        from core import jobs, personal, work  # noqa: PLC0415

        autodiscover_modules("personal")
        personal.impersonal("core.ChainLook", "accent", "second", "logo")
        work.register_watch("jobs that nobody takes up", jobs.PATIENCE_SECS, jobs.count_overdue)
        post_migrate.connect(_schedule_jobs, sender=self)
