"""The database itself refuses to change or delete what was published, and what was done to a survey."""

from django.db import migrations

FORWARDS = """
CREATE FUNCTION surveys_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what was published, and what was done to a survey, stays as it is';
END $$;
CREATE TRIGGER surveys_surveyversion_stays BEFORE UPDATE OR DELETE ON surveys_surveyversion
    FOR EACH ROW EXECUTE FUNCTION surveys_refuse_change();
CREATE TRIGGER surveys_surveychange_append_only BEFORE UPDATE OR DELETE ON surveys_surveychange
    FOR EACH ROW EXECUTE FUNCTION surveys_refuse_change();
"""
BACKWARDS = """
DROP TRIGGER surveys_surveyversion_stays ON surveys_surveyversion;
DROP TRIGGER surveys_surveychange_append_only ON surveys_surveychange;
DROP FUNCTION surveys_refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [("surveys", "0003_editing_surveys")]
    operations = [migrations.RunSQL(FORWARDS, BACKWARDS)]
