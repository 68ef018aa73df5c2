from django.db import migrations

# A ranking reads the newest weeks from an index alone, once they were cleaned up: a fifth of three years of a large
# chain, after which a table is cleaned up by default, would be half a year of rows.
_OFTEN = "autovacuum_vacuum_insert_scale_factor = 0.005, autovacuum_vacuum_scale_factor = 0.02"
_TABLES = ("reports_storeweek", "reports_nodeweek")


class Migration(migrations.Migration):
    dependencies = [
        ("reports", "0022_digests_of_a_role"),
    ]

    operations = [
        migrations.RunSQL(
            f"ALTER TABLE {table} SET ({_OFTEN})",
            f"ALTER TABLE {table} RESET (autovacuum_vacuum_insert_scale_factor, autovacuum_vacuum_scale_factor)",
        )
        for table in _TABLES
    ]
