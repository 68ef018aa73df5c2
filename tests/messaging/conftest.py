"""The servers that messages go to: real ones on loopback, and stand-ins for those of others."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import override_settings

from messaging.catcher import Catcher
from tests.messaging.listeners import Listener
from tests.threads import PATIENCE_SECS


@pytest.fixture
def catcher() -> Iterator[Catcher]:
    with Catcher() as running:
        servers: dict[str, Any] = {
            "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
            "EMAIL_HOST": "127.0.0.1",
            "EMAIL_PORT": running.smtp_port,
            "EMAIL_TIMEOUT": PATIENCE_SECS,
            "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
            "TWILIO_AUTH_TOKEN": "secret",
            "TWILIO_BASE_URL": running.sms_url,
            "TWILIO_TIMEOUT_SECS": PATIENCE_SECS,
        }
        with override_settings(**servers):
            yield running


@pytest.fixture
def listener(settings: LazySettings) -> Iterator[Listener]:
    settings.OUTBOUND_ALLOW_LOOPBACK = True
    with Listener() as running:
        yield running
