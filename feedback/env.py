"""Typed readers of the environment that fail loudly, so that a typing error stops the start and not a shopper."""

import json
import os
import re
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

_TRUE, _FALSE = {"1", "true", "yes", "on"}, {"", "0", "false", "no", "off"}


def flag(name: str, *, default: bool) -> bool:
    """A yes/no setting. Raises ImproperlyConfigured when the value is neither."""
    value = os.environ.get(name)
    if value is None:
        return default
    if value.lower() in _TRUE:
        return True
    if value.lower() in _FALSE:
        return False
    raise ImproperlyConfigured(f"{name}={value!r} is neither yes nor no; use 1 or 0.")


def number(name: str, *, default: int, least: int = 0) -> int:
    """A whole-number setting of at least `least`."""
    value = os.environ.get(name, "")
    if not value:
        return default
    try:
        parsed = int(value)
    except ValueError:
        raise ImproperlyConfigured(f"{name}={value!r} is not a whole number.") from None
    if parsed < least:
        raise ImproperlyConfigured(f"{name}={value} must be at least {least}.")
    return parsed


def text(name: str, *, default: str = "") -> str:
    """A text setting; an empty value counts as absent."""
    return os.environ.get(name) or default


def words(name: str, *, default: str) -> list[str]:
    """A comma-separated list."""
    return [word.strip() for word in text(name, default=default).split(",") if word.strip()]


def origin(name: str, *, default: str) -> str:
    """Where we are reached: `https://host` or `https://host:port`, without a path. Raises ImproperlyConfigured."""
    value = text(name, default=default).rstrip("/")
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or value != f"{parts.scheme}://{parts.netloc}":
        raise ImproperlyConfigured(f"{name}={value!r} is not an address like https://feedback.example.")
    return value


def issuer(name: str) -> str:
    """The identity provider's name for itself: an https address (http on this machine only), or empty for none.

    Raises ImproperlyConfigured.
    """
    value = text(name)
    parts = urlsplit(value)
    here = parts.scheme == "http" and parts.hostname in {"127.0.0.1", "localhost"}
    if value and not (here or (parts.scheme == "https" and parts.hostname)):
        raise ImproperlyConfigured(f"{name}={value!r} is not an address like https://login.example.")
    return value


def host_of(url: str) -> str:
    """The host of an address as ALLOWED_HOSTS has it: without a port, IPv6 in brackets."""
    return re.sub(r":\d+$", "", urlsplit(url).netloc)


def hours(name: str, *, default: str) -> tuple[int, int] | None:
    """A stretch of the day as `21-8`, in whole hours; None for `off`."""
    value = text(name, default=default)
    if value == "off":
        return None
    found = re.fullmatch(r"(\d{1,2})-(\d{1,2})", value)
    if not found or not all(int(hour) < 24 for hour in found.groups()) or found[1] == found[2]:
        raise ImproperlyConfigured(f"{name}={value!r} is no stretch of hours: write it as 21-8, or off.")
    return int(found[1]), int(found[2])


def colour(name: str, *, default: str) -> str:
    """A colour like `#0b6e4f`. Raises ImproperlyConfigured."""
    value = text(name, default=default)
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", value):
        raise ImproperlyConfigured(f"{name}={value!r} is not a colour like #0b6e4f.")
    return value


def database(url: str) -> dict[str, Any]:
    """Django's settings for `postgresql://user:password@host:port/name?option=value`.

    A socket directory goes into the query as `host=/percent/encoded/path`. Other query items become
    options of libpq. Raises ImproperlyConfigured for any other database: PostgreSQL is the only one.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"postgres", "postgresql"}:
        raise ImproperlyConfigured(f"DATABASE_URL must begin with postgresql://, not {parts.scheme}://.")
    query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
    host = query.pop("host", "") or (parts.hostname or "")
    port = query.pop("port", "") or str(parts.port or "")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")) or "halfhour",
        "USER": unquote(parts.username or "") or query.pop("user", ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": port,
        "OPTIONS": dict(query),
    }


# The providers that take e-mail by an API of their own, and what Anymail calls their key.
_EMAIL_KEYS = {
    "brevo": "BREVO_API_KEY",
    "mailersend": "MAILERSEND_API_TOKEN",
    "mailgun": "MAILGUN_API_KEY",
    "postmark": "POSTMARK_SERVER_TOKEN",
    "resend": "RESEND_API_KEY",
    "sendgrid": "SENDGRID_API_KEY",
    "sparkpost": "SPARKPOST_API_KEY",
}
_EMAIL_TIMEOUT_SECS = 10


def email_transport(url: str) -> dict[str, Any]:
    """Django's SMTP settings for `smtp://user:password@host:port` (`smtps` for TLS, `smtp+tls` for STARTTLS).

    Or Anymail's for `postmark://KEY@` and other providers with an API. Query items are further settings of theirs:
    `mailgun://KEY@?sender_domain=mg.example` sets MAILGUN_SENDER_DOMAIN.
    """
    parts = urlsplit(url)
    if key := _EMAIL_KEYS.get(parts.scheme):
        if not parts.username:
            raise ImproperlyConfigured(f"EMAIL_URL needs the key of {parts.scheme}: {parts.scheme}://KEY@.")
        more = {f"{parts.scheme}_{name}".upper(): values[-1] for name, values in parse_qs(parts.query).items()}
        known = {key: unquote(parts.username), "REQUESTS_TIMEOUT": _EMAIL_TIMEOUT_SECS}
        return {"EMAIL_BACKEND": f"anymail.backends.{parts.scheme}.EmailBackend", "ANYMAIL": known | more}
    if parts.scheme not in {"smtp", "smtps", "smtp+tls"}:
        others = ", ".join(f"{name}://" for name in _EMAIL_KEYS)
        raise ImproperlyConfigured(f"EMAIL_URL must begin with smtp://, smtps://, smtp+tls://, {others}.")
    return {
        "EMAIL_HOST": parts.hostname or "127.0.0.1",
        "EMAIL_PORT": parts.port or (465 if parts.scheme == "smtps" else 25),
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_SSL": parts.scheme == "smtps",
        "EMAIL_USE_TLS": parts.scheme == "smtp+tls",
    }


def load_secrets(*, throwaway: bool) -> dict[str, str]:
    """The three keys: `secret_key` (sessions), `field_key` (contact identities), `link_key` (links and receipts).

    They are kept apart so that changing the session key leaves printed links and stored contacts alone. Read from
    the JSON file named by HALFHOUR_SECRETS, or from SECRET_KEY, FIELD_KEY and LINK_KEY. With `throwaway` (checks
    and tests that store nothing) missing keys are made up for this process.
    """
    path = os.environ.get("HALFHOUR_SECRETS")
    found: dict[str, str] = json.loads(Path(path).read_text()) if path else {}
    keys = {}
    for name in ("secret_key", "field_key", "link_key"):
        value = found.get(name) or os.environ.get(name.upper(), "")
        if not value and throwaway:
            value = secrets.token_urlsafe(48)
        # A stray comma would be an empty key, with which anybody can sign.
        parts = [value] if name == "secret_key" else value.split(",")
        if min(len(part.strip()) for part in parts) < 32:
            raise ImproperlyConfigured(
                f"{name.upper()} is missing, or one of its keys is shorter than 32 characters. Set it, or name a JSON "
                "file with secret_key, field_key and link_key in HALFHOUR_SECRETS."
            )
        keys[name] = value
    return keys
