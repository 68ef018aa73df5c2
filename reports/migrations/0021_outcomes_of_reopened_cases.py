from django.db import migrations


class Migration(migrations.Migration):
    """Has the days of cases that were opened again counted once more: each is in one outcome now. The work loop does it.

    Not before the processes of the release before, which count such a case twice, have had a quarter of an hour to be
    restarted.
    """

    dependencies = [
        ("reports", "0020_wall_as_it_was_seen"),
        ("alerts", "0001_initial"),
    ]

    operations = [
        migrations.RunSQL(
            "INSERT INTO reports_stalemark (store_id, local_day, run_at, attempts)"
            " SELECT DISTINCT r.store_id, r.local_day, statement_timestamp() + interval '15 minutes', 0"
            " FROM alerts_case c JOIN surveys_response r ON r.id = c.response_id WHERE c.round > 0",
            migrations.RunSQL.noop,
        ),
    ]
