"""The database itself refuses to change what a person said; with the words it may go."""

from django.db import migrations

FORWARDS = """
CREATE FUNCTION sentiment_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$;
CREATE TRIGGER sentiment_correction_append_only BEFORE UPDATE ON sentiment_correction
    FOR EACH ROW EXECUTE FUNCTION sentiment_refuse_change();
"""
BACKWARDS = """
DROP TRIGGER sentiment_correction_append_only ON sentiment_correction;
DROP FUNCTION sentiment_refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [("sentiment", "0005_people")]
    operations = [migrations.RunSQL(FORWARDS, BACKWARDS)]
