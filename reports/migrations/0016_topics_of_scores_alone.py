"""Words without a score count in no topic any more: their days are counted again."""

from typing import Any

from django.db import migrations

_BATCH = 20
# A store's responses come from an index; those of a week of the whole chain would not.
_COUNT_AGAIN = """
INSERT INTO reports_stalemark (store_id, local_day, run_at, attempts)
SELECT DISTINCT r.store_id, r.local_day, now(), 0
FROM surveys_response r
JOIN surveys_verbatim v ON v.response_id = r.id
JOIN sentiment_analysis a ON a.verbatim_id = v.id
WHERE r.store_id = ANY(%s) AND r.headline_kind = 'nps' AND r.score IS NULL AND a.topics <> '[]'::jsonb
"""


def count_again(apps: Any, schema_editor: Any) -> None:
    """Some stores at a time, each batch kept by itself. Begun again, it marks days twice, which counts them once."""
    stores = list(apps.get_model("stores", "Store").objects.order_by("pk").values_list("pk", flat=True))
    with schema_editor.connection.cursor() as cursor:
        for start in range(0, len(stores), _BATCH):
            cursor.execute(_COUNT_AGAIN, [stores[start : start + _BATCH]])


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("reports", "0015_what_published_periods_show"),
        ("sentiment", "0001_initial"),
    ]

    operations = [migrations.RunPython(count_again, migrations.RunPython.noop)]
