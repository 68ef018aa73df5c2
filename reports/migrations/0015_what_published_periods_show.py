"""Whether a published figure shows its score is decided once and stays."""

from django.db import migrations, models

# Words without a score count in no topic any more: these days are counted again.
COUNT_AGAIN = """
INSERT INTO reports_stalemark (store_id, local_day, run_at, attempts)
SELECT DISTINCT r.store_id, r.local_day, now(), 0
FROM surveys_response r
JOIN surveys_verbatim v ON v.response_id = r.id
JOIN sentiment_analysis a ON a.verbatim_id = v.id
WHERE r.headline_kind = 'nps' AND r.score IS NULL AND a.topics <> '[]'::jsonb;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("reports", "0014_actions_when"),
        ("sentiment", "0001_initial"),
    ]

    operations = [
        # What was published before has been on its page already, where it has five answers.
        migrations.AddField(
            model_name="publishednode",
            name="shown",
            field=models.BooleanField(default=True),
        ),
        migrations.AlterField(
            model_name="publishednode",
            name="shown",
            field=models.BooleanField(default=False),
        ),
        migrations.RunSQL(COUNT_AGAIN, migrations.RunSQL.noop),
    ]
