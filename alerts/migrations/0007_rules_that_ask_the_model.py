"""The first rule of angry words asks the model itself what is alarming, instead of repeating its threshold."""

from django.db import migrations

OLD, NEW = {"negative_at_least": 0.55}, {"alarming": True}


def ask_the_model(apps, schema_editor):
    # A rule that somebody has edited is theirs.
    apps.get_model("alerts", "Rule").objects.filter(trigger="text", conditions=OLD).update(conditions=NEW)


def ask_for_a_number(apps, schema_editor):
    apps.get_model("alerts", "Rule").objects.filter(trigger="text", conditions=NEW).update(conditions=OLD)


class Migration(migrations.Migration):
    dependencies = [("alerts", "0006_append_only_reviews")]
    operations = [migrations.RunPython(ask_the_model, ask_for_a_number)]
