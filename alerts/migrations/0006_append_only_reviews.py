"""The database itself refuses to change or delete what happened to a review."""

from django.db import migrations

FORWARDS = """
CREATE TRIGGER alerts_reviewevent_append_only BEFORE UPDATE OR DELETE ON alerts_reviewevent
    FOR EACH ROW EXECUTE FUNCTION alerts_refuse_change();
"""
BACKWARDS = "DROP TRIGGER alerts_reviewevent_append_only ON alerts_reviewevent;"


class Migration(migrations.Migration):
    dependencies = [("alerts", "0005_reviews")]
    operations = [migrations.RunSQL(FORWARDS, BACKWARDS)]
