"""The version of the rule book changes with every change of what it is read from, whoever makes it."""

from django.db import migrations

_TABLES = (
    "alerts_rule",
    "alerts_casepolicy",
    "alerts_urgencyroute",
    "alerts_alertgroup",
    "alerts_alertgroup_members",
)
# Random rather than counted: a number that was rolled back is never met again with another content.
_FUNCTION = """
    CREATE OR REPLACE FUNCTION alerts_new_rule_book() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO alerts_rulebook (id, version) VALUES (1, gen_random_uuid())
        ON CONFLICT (id) DO UPDATE SET version = EXCLUDED.version;
        RETURN NULL;
    END $$;
"""
_TRIGGER = """
    CREATE TRIGGER new_rule_book AFTER INSERT OR UPDATE OR DELETE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION alerts_new_rule_book();
"""


class Migration(migrations.Migration):
    dependencies = [("alerts", "0012_conditions_by_range")]

    operations = [
        migrations.RunSQL(
            _FUNCTION + "".join(_TRIGGER.format(table=table) for table in _TABLES),
            "".join(f"DROP TRIGGER new_rule_book ON {table};" for table in _TABLES)
            + "DROP FUNCTION alerts_new_rule_book();",
        ),
        migrations.RunSQL(
            "INSERT INTO alerts_rulebook (id, version) VALUES (1, gen_random_uuid());", migrations.RunSQL.noop
        ),
    ]
