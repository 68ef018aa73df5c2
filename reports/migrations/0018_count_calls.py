from django.db import migrations


class Migration(migrations.Migration):
    """Has every known day of the call centres counted once more. The work loop does it, a batch at a time.

    Newest first, fifty every five seconds, so that no transaction counts years of a centre; and not before the processes
    of the release before, which count days without their calls, have had a quarter of an hour to be restarted.
    """

    dependencies = [
        ("reports", "0017_calls_by_queue_and_agent"),
        ("surveys", "0009_calls_of_a_day"),
    ]

    operations = [
        migrations.RunSQL(
            "INSERT INTO reports_stalemark (store_id, local_day, run_at, attempts)"
            " SELECT store_id, local_day, statement_timestamp() + interval '15 minutes'"
            " + (row_number() OVER (ORDER BY local_day DESC, store_id) / 50) * interval '5 seconds', 0 FROM ("
            " SELECT c.store_id, (c.ended_at AT TIME ZONE s.time_zone)::date AS local_day"
            " FROM surveys_call c JOIN stores_store s ON s.id = c.store_id WHERE s.kind = 'call_centre'"
            " UNION SELECT d.store_id, d.local_day"
            " FROM reports_storeday d JOIN stores_store s ON s.id = d.store_id WHERE s.kind = 'call_centre') known",
            migrations.RunSQL.noop,
        ),
    ]
