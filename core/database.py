"""Our own database, as another process finds it."""

import os
from urllib.parse import quote, urlencode

from django.conf import settings
from django.db import connection


def database_url() -> str:
    """The connection's database as a DATABASE_URL, in a test the test's own; also an address for psycopg."""
    known = connection.settings_dict
    where = {"host": known["HOST"], "port": known["PORT"]} | dict(known["OPTIONS"])
    query = urlencode({key: value for key, value in where.items() if value}, quote_via=quote)
    password = f":{quote(known['PASSWORD'], safe='')}" if known["PASSWORD"] else ""
    return f"postgresql://{quote(known['USER'], safe='')}{password}@/{quote(known['NAME'])}?{query}"


def process_environment(**more: str) -> dict[str, str]:
    """What a process of ours is started with to work on the same rows: their database, and the keys to them."""
    keys = {"FIELD_KEY": ",".join(settings.FIELD_KEYS), "LINK_KEY": ",".join(settings.LINK_KEYS)}
    known = os.environ | {"DATABASE_URL": database_url(), "SECRET_KEY": settings.SECRET_KEY} | keys | more
    # A file of secrets would outweigh them.
    known.pop("HALFHOUR_SECRETS", None)
    return known
