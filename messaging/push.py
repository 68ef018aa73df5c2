"""Web push: a message encrypted for one phone (RFC 8291), handed to that phone's push service (RFC 8030), signed as
ours (VAPID, RFC 8292)."""

import base64
import hashlib
import json
import time
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from core import outbound
from core.leases import ClockNow
from messaging.models import PushDevice

# RFC 8291 §4: a record of 4096 bytes, less what encryption adds.
_MOST_BYTES = 3900
_LIFETIME_SECS = 1800
_SIGNED_FOR_SECS = 12 * 3600
_TIMEOUT_SECS = 10
# Somebody at the service has forgotten this phone: RFC 8030 §7.3.
_GONE = (404, 410)


@dataclass(frozen=True)
class Outcome:
    """What a push service said: taken, gone for good, refused, or not asked at all (`later`)."""

    taken: bool = False
    later: bool = False
    reason: str = ""


def _unpadded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _raw(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@lru_cache(maxsize=2)
def _private_key(secret: str) -> ec.EllipticCurvePrivateKey:
    """From our oldest link key: phones know its public half and would have to subscribe anew to another one."""
    curve = ec.SECP256R1()
    raw = HKDF(algorithm=hashes.SHA256(), length=40, salt=None, info=b"halfhour vapid").derive(secret.encode())
    # FIPS 186-5 A.2.1: 64 bits more than the order, so that the remainder favours no key.
    return ec.derive_private_key(int.from_bytes(raw, "big") % (curve.group_order - 1) + 1, curve)


def public_key() -> str:
    """What a browser is given as `applicationServerKey`."""
    form = serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    return _unpadded(_private_key(settings.LINK_KEYS[-1]).public_key().public_bytes(*form))


def check_keys(p256dh: str, auth: str) -> bool:
    """Whether a browser's keys are what they should be: a point of the curve, and sixteen bytes."""
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), _raw(p256dh))
        return len(_raw(auth)) == 16
    except ValueError:
        return False


def push(device: PushDevice, content: dict[str, str], *, topic: str, urgent: bool) -> Outcome:
    """Hand one message to a phone's push service and keep what became of it with the device.

    A later message of the same `topic` takes the place of one that the phone has not fetched yet.
    """
    outcome = _push(device, content, topic=topic, urgent=urgent)
    changes = {"last_error": outcome.reason[:120], ("delivered_at" if outcome.taken else "failed_at"): ClockNow()}
    if outcome.reason in {str(status) for status in _GONE}:
        changes["gone_at"] = ClockNow()
    PushDevice.objects.filter(pk=device.pk).update(**changes)
    return outcome


def _push(device: PushDevice, content: dict[str, str], *, topic: str, urgent: bool) -> Outcome:
    headers = {
        "Content-Encoding": "aes128gcm",
        "Content-Type": "application/octet-stream",
        "TTL": str(_LIFETIME_SECS),
        "Urgency": "high" if urgent else "normal",
        # RFC 8030 §5.4: at most 32 characters.
        "Topic": _unpadded(hashlib.sha256(topic.encode()).digest()[:24]),
        "Authorization": f"vapid t={_signed(device.endpoint)},k={public_key()}",
    }
    try:
        answer = outbound.post(device.endpoint, _encrypted(device, content), headers, timeout_secs=_TIMEOUT_SECS)
    except outbound.Forbidden as error:
        return Outcome(reason=str(error))
    except outbound.Unreachable as error:
        return Outcome(reason=str(error), later=True)
    if 200 <= answer.status < 300:
        return Outcome(taken=True)
    return Outcome(reason=str(answer.status), later=answer.status == 429 or answer.status >= 500)


def _encrypted(device: PushDevice, content: dict[str, str]) -> bytes:
    import http_ece  # noqa: PLC0415 - needed by senders only

    body = json.dumps(content, ensure_ascii=False).encode()
    while len(body) > _MOST_BYTES:
        content = content | {"body": content["body"][: len(content["body"]) * 2 // 3]}
        body = json.dumps(content, ensure_ascii=False).encode()
    encrypted: bytes = http_ece.encrypt(
        body,
        private_key=ec.generate_private_key(ec.SECP256R1()),
        dh=_raw(device.p256dh),
        auth_secret=_raw(device.auth),
        version="aes128gcm",
    )
    return encrypted


def _signed(endpoint: str) -> str:
    import jwt  # noqa: PLC0415 - needed by senders only

    parts = urlsplit(endpoint)
    claims = {
        "aud": f"{parts.scheme}://{parts.netloc}",
        "exp": int(time.time()) + _SIGNED_FOR_SECS,
        "sub": settings.PUBLIC_URL,
    }
    return jwt.encode(claims, _private_key(settings.LINK_KEYS[-1]), algorithm="ES256")
