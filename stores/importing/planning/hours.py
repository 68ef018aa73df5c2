"""The sheet of the weekly opening hours."""

from functools import cached_property

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from stores.choices import ChangeKind
from stores.importing.columns import WEEKDAY_COLUMNS
from stores.importing.plan import Week
from stores.importing.planning.base import SheetPlanner
from stores.importing.sheets import Row
from stores.opening import weekly_hours
from stores.stretches import format_stretches, overlaps, parse_stretches


class HoursPlanner(SheetPlanner):
    """One row holds the week of a store."""

    sheet = "hours"
    key = "store"

    def take(self, row: Row) -> None:
        good = self.filled(row, "store")
        code = row.cells.get("store", "")
        if good and code not in self.known.planned and code not in self.known.own:
            self.wrong(row, "store", _("There is no store “%(code)s” of yours.") % {"code": code})
            good = False
        week: Week = {}
        is_read = True
        for weekday, column in enumerate(WEEKDAY_COLUMNS):
            try:
                if stretches := parse_stretches(row.cells.get(column, "")):
                    week[weekday] = stretches
            except ValidationError as error:
                self.wrong_all(row, column, error)
                is_read = good = False
        for clash in overlaps(week) if is_read else ():
            self.wrong(row, WEEKDAY_COLUMNS[clash.second_day], clash.message)
            good = False
        if good and self.plan.add("hours", code, ChangeKind.CHANGED, _written(self._week_of(code)), _written(week)):
            self.plan.hours[code] = week

    @cached_property
    def _weeks(self) -> dict[int, Week]:
        codes = [row.cells.get("store", "") for row in self.rows]
        return weekly_hours([self.known.stores[code].pk for code in codes if code in self.known.stores])

    def _week_of(self, code: str) -> Week:
        """As it is now."""
        store = self.known.stores.get(code)
        return self._weeks.get(store.pk, {}) if store else {}


def _written(week: Week) -> dict[str, str]:
    """By the names of the columns, as the report shows it."""
    return {name: format_stretches(week.get(day, [])) for day, name in enumerate(WEEKDAY_COLUMNS)}
