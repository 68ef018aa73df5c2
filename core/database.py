"""Our own database, as another process finds it."""

from urllib.parse import quote, urlencode

from django.db import connection


def database_url() -> str:
    """The connection's database as a DATABASE_URL, in a test the test's own; also an address for psycopg."""
    known = connection.settings_dict
    where = {"host": known["HOST"], "port": known["PORT"]} | dict(known["OPTIONS"])
    query = urlencode({key: value for key, value in where.items() if value}, quote_via=quote)
    password = f":{quote(known['PASSWORD'], safe='')}" if known["PASSWORD"] else ""
    return f"postgresql://{quote(known['USER'], safe='')}{password}@/{quote(known['NAME'])}?{query}"
