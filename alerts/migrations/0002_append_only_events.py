"""The database itself refuses to change or delete what happened to a case."""

from django.db import migrations

FORWARDS = """
CREATE FUNCTION alerts_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'case events are append-only';
END $$;
CREATE TRIGGER alerts_caseevent_append_only BEFORE UPDATE OR DELETE ON alerts_caseevent
    FOR EACH ROW EXECUTE FUNCTION alerts_refuse_change();
"""
BACKWARDS = """
DROP TRIGGER alerts_caseevent_append_only ON alerts_caseevent;
DROP FUNCTION alerts_refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [("alerts", "0001_initial")]
    operations = [migrations.RunSQL(FORWARDS, BACKWARDS)]
