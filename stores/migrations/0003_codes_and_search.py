"""What rows from before need for the rules that follow: nodes a code, stores what the list searches and sorts by."""

import unicodedata

from django.db import migrations


def _folded(text):
    return "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))


def fill(apps, schema_editor):
    Node, Store = apps.get_model("stores", "Node"), apps.get_model("stores", "Store")
    for node in Node.objects.filter(code="").iterator():
        Node.objects.filter(pk=node.pk).update(code=f"N{node.pk}")
    for store in Store.objects.filter(search_text="").iterator():
        link = store.public_review_url
        Store.objects.filter(pk=store.pk).update(
            country=store.country.upper(),
            city_key=_folded(store.city).encode() + b"\x00" + store.city.encode(),
            search_text=_folded(f"{store.code} {store.name} {store.city} {store.postcode}"),
            public_review_url="https" + link[4:] if link.startswith("http://") else link,
        )


class Migration(migrations.Migration):
    dependencies = [("stores", "0002_stores_in_full")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
