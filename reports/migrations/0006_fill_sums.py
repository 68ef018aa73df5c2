from django.db import migrations


class Migration(migrations.Migration):
    """Has every known day counted once more, which fills the sums. The work loop does it, a batch at a time."""

    dependencies = [("reports", "0005_sums_by_week_and_node")]

    operations = [
        migrations.RunSQL(
            "INSERT INTO reports_stalemark (store_id, local_day, run_at, attempts)"
            " SELECT DISTINCT store_id, local_day, statement_timestamp(), 0 FROM reports_storeday",
            migrations.RunSQL.noop,
        ),
    ]
