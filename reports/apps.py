from django.apps import AppConfig


class ReportsConfig(AppConfig):
    name = "reports"

    def ready(self) -> None:
        from core.schedules import SCHEDULES  # noqa: PLC0415
        from reports import (  # noqa: F401, PLC0415  (connects this room to the ones above it)
            asking_cells,
            checking,
            digests,
            exporting,
            receivers,
            wall_rounds,
        )

        SCHEDULES["cells"] = {"func": "reports.checking.check_sample", "schedule_type": "H"}
        SCHEDULES["digests"] = {"func": "reports.digest_rules.follow_all", "schedule_type": "H"}
        SCHEDULES["asking"] = {"func": "reports.asking_cells.count_due", "schedule_type": "I", "minutes": 10}
