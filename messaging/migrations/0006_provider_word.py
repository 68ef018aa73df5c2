"""What the provider says of a text message, and when to ask it."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("messaging", "0005_settled_by")]

    operations = [
        migrations.AddField(
            model_name="message",
            name="provider_state",
            field=models.CharField(blank=True, default="", max_length=12),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="message", name="ask_at", field=models.DateTimeField(blank=True, null=True)
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(fields=["ask_at"], name="message_ask", condition=Q(ask_at__isnull=False)),
        ),
    ]
