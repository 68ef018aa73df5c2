from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("sentiment", "0009_what_is_live_by_decision")]

    operations = [
        migrations.RemoveIndex(model_name="learntheads", name="learnt_live"),
        migrations.RemoveField(model_name="learntheads", name="live_at"),
    ]
