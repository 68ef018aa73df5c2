from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """Answers go on being kept while the index is made."""

    atomic = False

    dependencies = [("alerts", "0014_urgent_later")]

    operations = [
        AddIndexConcurrently(
            model_name="verification",
            index=models.Index(
                fields=["scored_at"],
                name="verification_scored",
                condition=models.Q(scored_at__isnull=False),
            ),
        ),
    ]
