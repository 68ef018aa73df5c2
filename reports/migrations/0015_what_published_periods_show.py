"""Whether a published figure shows its score is decided once and stays."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("reports", "0014_actions_when")]

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
    ]
