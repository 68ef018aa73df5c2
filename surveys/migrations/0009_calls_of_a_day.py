from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """Calls go on being reported while the index is made."""

    atomic = False

    dependencies = [("surveys", "0008_asked_by_text")]

    operations = [
        AddIndexConcurrently("call", models.Index(fields=["store", "ended_at"], name="call_of_store")),
    ]
