"""What the database itself refuses: twice the same code, stretches of opening hours that overlap, changed history."""

import django.core.validators
import django.db.models.functions.text
from django.db import migrations, models

# A range of seconds per stretch, shifted by the store: built-in range types need no extension. Sunday night runs into
# Monday morning, hence two ranges. Immutable, as an index wants it: the arithmetic of times without a zone.
FORWARDS = """
CREATE FUNCTION stores_week_seconds(store bigint, weekday smallint, opens time, closes time) RETURNS int8multirange
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT int8multirange(
        int8range(store * 604800 + b, store * 604800 + least(e, 604800)),
        int8range(store * 604800, store * 604800 + greatest(e - 604800, 0))
    ) FROM (SELECT b, b + l + CASE WHEN l <= 0 THEN 86400 ELSE 0 END AS e FROM (
        SELECT weekday * 86400::bigint + extract(epoch FROM opens)::bigint AS b,
               extract(epoch FROM closes)::bigint - extract(epoch FROM opens)::bigint AS l
    ) AS length) AS stretch
$$;
ALTER TABLE stores_openinginterval ADD CONSTRAINT stores_intervals_apart EXCLUDE USING gist (
    stores_week_seconds(store_id, weekday, opens, closes) WITH &&
);
CREATE FUNCTION stores_date_seconds(store bigint, day date, opens time, closes time) RETURNS int8range
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT int8range(b, b + l + CASE WHEN l <= 0 THEN 86400 ELSE 0 END) FROM (
        SELECT store * 100000000000 + (day - DATE '2000-01-01') * 86400::bigint + extract(epoch FROM opens)::bigint
            AS b, extract(epoch FROM closes)::bigint - extract(epoch FROM opens)::bigint AS l
    ) AS length
$$;
ALTER TABLE stores_hoursexception ADD CONSTRAINT stores_exceptions_apart EXCLUDE USING gist (
    stores_date_seconds(store_id, date, opens, closes) WITH &&
) WHERE (opens IS NOT NULL);
CREATE FUNCTION stores_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'changes of the configuration are append-only';
END $$;
CREATE TRIGGER stores_configchange_append_only BEFORE UPDATE OR DELETE ON stores_configchange
    FOR EACH ROW EXECUTE FUNCTION stores_refuse_change();
"""
BACKWARDS = """
DROP TRIGGER stores_configchange_append_only ON stores_configchange;
DROP FUNCTION stores_refuse_change();
ALTER TABLE stores_hoursexception DROP CONSTRAINT stores_exceptions_apart;
DROP FUNCTION stores_date_seconds(bigint, date, time, time);
ALTER TABLE stores_openinginterval DROP CONSTRAINT stores_intervals_apart;
DROP FUNCTION stores_week_seconds(bigint, smallint, time, time);
"""


class Migration(migrations.Migration):
    dependencies = [("stores", "0003_codes_and_search")]
    operations = [
        migrations.AlterField(
            model_name='node',
            name='code',
            field=models.CharField(blank=True, max_length=20, unique=True, validators=[django.core.validators.RegexValidator('^[A-Za-z0-9][A-Za-z0-9._-]*$', 'Letters A–Z, digits, dot, hyphen and underscore only.')]),
        ),
        migrations.AddConstraint(
            model_name='store',
            constraint=models.CheckConstraint(condition=models.Q(('country__regex', '^[A-Z]{2}$')), name='store_country_two_letters'),
        ),
        migrations.AddConstraint(
            model_name='store',
            constraint=models.CheckConstraint(condition=models.Q(('subdivision', ''), ('subdivision__startswith', django.db.models.functions.text.Concat(models.F('country'), models.Value('-'))), _connector='OR'), name='store_subdivision_of_its_country'),
        ),
        migrations.AddConstraint(
            model_name='store',
            constraint=models.CheckConstraint(condition=models.Q(('public_review_url', ''), ('public_review_url__startswith', 'https://'), _connector='OR'), name='store_review_link_encrypted'),
        ),
        migrations.AddConstraint(
            model_name='store',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('closed_from', None), ('closed_until', None)), models.Q(('closed_from__isnull', False), ('closed_until', None)), models.Q(('closed_from__isnull', False), ('closed_until__gte', models.F('closed_from'))), _connector='OR'), name='store_closure_in_order'),
        ),
        migrations.RunSQL(FORWARDS, BACKWARDS),
    ]
