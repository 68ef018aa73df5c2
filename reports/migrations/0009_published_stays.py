"""The database itself refuses to change or delete what was published."""

from django.db import migrations

TABLES = ("publishedperiod", "publishednode", "publishedstore")
FORWARDS = "".join(
    f"CREATE TRIGGER reports_{table}_append_only BEFORE UPDATE OR DELETE ON reports_{table}"
    " FOR EACH ROW EXECUTE FUNCTION alerts_refuse_change();\n"
    for table in TABLES
)
BACKWARDS = "".join(f"DROP TRIGGER reports_{table}_append_only ON reports_{table};\n" for table in TABLES)


class Migration(migrations.Migration):
    dependencies = [("reports", "0008_published_periods_and_checks"), ("alerts", "0002_append_only_events")]
    operations = [migrations.RunSQL(FORWARDS, BACKWARDS)]
