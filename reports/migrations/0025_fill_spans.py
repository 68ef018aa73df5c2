from django.db import migrations

_OFTEN = "autovacuum_vacuum_insert_scale_factor = 0.005, autovacuum_vacuum_scale_factor = 0.02"
_NAMES = "autovacuum_vacuum_insert_scale_factor, autovacuum_vacuum_scale_factor"
_TABLES = ("reports_storespan", "reports_trafficspan")
# As `reports.sums.span_of`, also for days before the first span.
_START = "monday - ((monday - DATE '2001-01-01') % 28 + 28) % 28"
FILL = (
    "DELETE FROM reports_storespan",
    "DELETE FROM reports_trafficspan",
    "INSERT INTO reports_storespan (store_id, start, channel, sample_kind, promoters, passives, detractors)"
    f" SELECT store_id, {_START}, channel, sample_kind, sum(promoters), sum(passives), sum(detractors)"
    " FROM reports_storeweek WHERE headline_kind = 'nps'"
    " GROUP BY 1, 2, 3, 4 HAVING sum(promoters) + sum(passives) + sum(detractors) > 0",
    "INSERT INTO reports_trafficspan (store_id, start, channel, transactions)"
    f" SELECT store_id, {_START}, channel, sum(transactions) FROM reports_trafficweek GROUP BY 1, 2, 3",
    *(f"ANALYZE {table}" for table in _TABLES),
)
# The last three spans of every store.
_COUNT_AGAIN = (
    "INSERT INTO reports_stalemark (store_id, local_day, run_at, attempts)"
    " SELECT store_id, start, statement_timestamp() + interval '15 minutes'"
    " + (row_number() OVER (ORDER BY start DESC, store_id) / 50) * interval '2 seconds', 0 FROM ("
    " SELECT DISTINCT store_id, start FROM reports_storespan WHERE start > current_date - 84) known"
)


class Migration(migrations.Migration):
    """Sums the weeks that are there into spans. Both tables are cleaned up as often as that of weeks.

    The newest spans are summed once more, fifty every two seconds, by counting a day of theirs: not before the processes
    of the release before, which know of no spans, have had a quarter of an hour to be restarted. Those of purchases are
    summed again every hour (`reports.checking.check_sample`).
    """

    dependencies = [("reports", "0024_spans_of_weeks")]

    operations = [
        *(
            migrations.RunSQL(f"ALTER TABLE {table} SET ({_OFTEN})", f"ALTER TABLE {table} RESET ({_NAMES})")
            for table in _TABLES
        ),
        *(migrations.RunSQL(statement, migrations.RunSQL.noop) for statement in (*FILL, _COUNT_AGAIN)),
    ]
