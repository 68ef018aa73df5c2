from django.apps import AppConfig


class ReportsConfig(AppConfig):
    name = "reports"

    def ready(self) -> None:
        from core.schedules import SCHEDULES  # noqa: PLC0415
        from reports import checking, receivers, wall_rounds  # noqa: F401, PLC0415  (connects this room to the ones above it)

        SCHEDULES["cells"] = {"func": "reports.checking.check_sample", "schedule_type": "H"}
