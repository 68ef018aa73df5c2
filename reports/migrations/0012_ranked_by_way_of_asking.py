from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("reports", "0011_actions")]

    operations = [
        migrations.RemoveIndex(model_name="storeweek", name="store_week_period"),
        migrations.AddIndex(
            model_name="storeweek",
            index=models.Index(fields=["monday"], name="store_week_known"),
        ),
        migrations.AddIndex(
            model_name="storeweek",
            index=models.Index(
                fields=["headline_kind", "channel", "sample_kind", "monday"],
                include=("store", "promoters", "passives", "detractors"),
                name="store_week_ranked",
            ),
        ),
    ]
