from django.contrib.postgres.indexes import BrinIndex
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations


class Migration(migrations.Migration):
    """Invitations go on being made while the index is built."""

    atomic = False

    dependencies = [("surveys", "0009_calls_of_a_day")]

    operations = [
        AddIndexConcurrently("invitation", BrinIndex(fields=["created_at"], name="invitation_made")),
    ]
