"""Names in the order and the spelling in which people are looked for; what happened to an account stays as it is."""

import unicodedata
from typing import Any

from django.db import migrations

FORWARDS = """
CREATE FUNCTION stores_refuse_person_event_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'events of people are append-only';
END $$;
CREATE TRIGGER stores_personevent_append_only BEFORE UPDATE OR DELETE ON stores_personevent
    FOR EACH ROW EXECUTE FUNCTION stores_refuse_person_event_change();
"""
BACKWARDS = """
DROP TRIGGER stores_personevent_append_only ON stores_personevent;
DROP FUNCTION stores_refuse_person_event_change();
"""
_BATCH = 1000


def _folded(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))


def fill(apps: Any, schema_editor: Any) -> None:
    User = apps.get_model("stores", "User")
    while users := list(User.objects.filter(search_text="")[:_BATCH]):
        for user in users:
            user.sort_key = _folded(user.name).encode() + b"\x00" + user.name.encode()
            user.search_text = _folded(f"{user.name} {user.email}")
        User.objects.bulk_update(users, ["sort_key", "search_text"])


class Migration(migrations.Migration):
    dependencies = [("stores", "0006_people")]
    operations = [
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.RunSQL(FORWARDS, BACKWARDS),
    ]
