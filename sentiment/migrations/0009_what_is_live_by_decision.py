from django.db import migrations


def keep_what_is_live(apps, schema_editor):
    """Heads that went live by themselves stay live: with the rereading that was decided last, or one made for them."""
    heads = apps.get_model("sentiment", "LearntHeads").objects.filter(live_at__isnull=False).order_by("-live_at").first()
    if heads is None:
        return
    rereadings = apps.get_model("sentiment", "Rereading").objects
    last = rereadings.filter(state__in=["going_live", "live"]).order_by("-decided_at").first()
    if last is not None:
        rereadings.filter(pk=last.pk).update(heads=heads)
    else:
        rereadings.create(state="live", heads=heads, model_version=heads.model_version, decided_at=heads.live_at)


class Migration(migrations.Migration):
    dependencies = [("sentiment", "0008_rereading_heads")]

    operations = [migrations.RunPython(keep_what_is_live, migrations.RunPython.noop)]
