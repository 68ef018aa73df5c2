import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("sentiment", "0007_learnt_heads")]

    operations = [
        migrations.AddField(
            model_name="rereading",
            name="heads",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="sentiment.learntheads",
            ),
        ),
        migrations.AddField(
            model_name="learntheads", name="comments", field=models.PositiveIntegerField(default=0)
        ),
        migrations.AddField(model_name="learntheads", name="urgent", field=models.PositiveIntegerField(default=0)),
    ]
