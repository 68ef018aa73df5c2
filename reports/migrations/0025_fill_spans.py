from django.db import migrations

_OFTEN = "autovacuum_vacuum_insert_scale_factor = 0.005, autovacuum_vacuum_scale_factor = 0.02"


class Migration(migrations.Migration):
    """Sums the weeks that are there into spans: four weeks from each fourth Monday since 2001-01-01 on. The table is
    cleaned up as often as that of weeks."""

    dependencies = [("reports", "0024_spans_of_weeks")]

    operations = [
        migrations.RunSQL(
            f"ALTER TABLE reports_storespan SET ({_OFTEN})",
            "ALTER TABLE reports_storespan"
            " RESET (autovacuum_vacuum_insert_scale_factor, autovacuum_vacuum_scale_factor)",
        ),
        migrations.RunSQL(
            "INSERT INTO reports_storespan"
            " (store_id, start, channel, sample_kind, promoters, passives, detractors)"
            " SELECT store_id, monday - (monday - DATE '2001-01-01') % 28, channel, sample_kind,"
            " sum(promoters), sum(passives), sum(detractors) FROM reports_storeweek WHERE headline_kind = 'nps'"
            " GROUP BY 1, 2, 3, 4 HAVING sum(promoters) + sum(passives) + sum(detractors) > 0",
            migrations.RunSQL.noop,
        ),
        migrations.RunSQL(
            "INSERT INTO reports_trafficspan (store_id, start, channel, transactions)"
            " SELECT store_id, monday - (monday - DATE '2001-01-01') % 28, channel, sum(transactions)"
            " FROM reports_trafficweek GROUP BY 1, 2, 3",
            migrations.RunSQL.noop,
        ),
    ]
