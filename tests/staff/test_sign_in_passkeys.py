"""A passkey alone opens a session only when it has made sure of its owner."""

import hashlib
import json

import pytest
from allauth.account.utils import user_pk_to_url_str
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.internal.auth import STATE_SESSION_KEY
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from django.test import Client
from fido2.cose import ES256
from fido2.utils import websafe_encode
from fido2.webauthn import AttestationObject, AttestedCredentialData, AuthenticatorData, CollectedClientData

from stores.models import User
from tests.factories import Chain

PRESENT, VERIFIED, MADE = AuthenticatorData.FLAG.UP, AuthenticatorData.FLAG.UV, AuthenticatorData.FLAG.AT
LOGIN = "/accounts/security/passkeys/login/"


class Key:
    """A security key that lies on the table: it answers whoever touches it, with or without asking for its PIN."""

    def __init__(self, owner: User) -> None:
        self.owner, self.secret, self.id = owner, ec.generate_private_key(ec.SECP256R1()), f"key of {owner}".encode()
        public = ES256.from_cryptography_key(self.secret.public_key())  # type: ignore[no-untyped-call]
        made = self._data(PRESENT | VERIFIED | MADE, AttestedCredentialData.create(bytes(16), self.id, public))
        attestation = bytes(AttestationObject.create("none", AuthenticatorData(made), {}))
        response = {
            "clientDataJSON": websafe_encode(self._client_data("create", "eA")),
            "attestationObject": websafe_encode(attestation),
        }
        credential = {"id": websafe_encode(self.id), "rawId": websafe_encode(self.id), "type": "public-key"}
        data = {"name": "Key", "credential": credential | {"response": response}}
        Authenticator.objects.create(user=owner, type="webauthn", data=data)

    @staticmethod
    def _data(flags: AuthenticatorData.FLAG, made: bytes = b"") -> bytes:
        return bytes(AuthenticatorData.create(hashlib.sha256(b"testserver").digest(), flags, 1, made))

    @staticmethod
    def _client_data(what: str, challenge: str) -> bytes:
        return bytes(CollectedClientData.create(f"webauthn.{what}", challenge, "https://testserver"))

    def answer(self, challenge: str, flags: AuthenticatorData.FLAG) -> str:
        data, asked = self._data(flags), self._client_data("get", challenge)
        signature = self.secret.sign(data + hashlib.sha256(asked).digest(), ec.ECDSA(SHA256()))
        response = {
            "clientDataJSON": websafe_encode(asked),
            "authenticatorData": websafe_encode(data),
            "signature": websafe_encode(signature),
            "userHandle": websafe_encode(user_pk_to_url_str(self.owner).encode()),
        }
        credential = {"id": websafe_encode(self.id), "rawId": websafe_encode(self.id), "type": "public-key"}
        return json.dumps(credential | {"response": response})


@pytest.mark.parametrize("question", ["required", "preferred"])
@pytest.mark.parametrize("verified", [True, False])
def test_only_a_key_that_asked_for_its_owner(chain: Chain, client: Client, question: str, verified: bool) -> None:
    """Also where the session holds a question of the second step, where a key need not know who touches it."""
    key = Key(chain.manager)
    options = client.get(LOGIN, headers={"accept": "application/json"}).json()["request_options"]["publicKey"]
    assert options["userVerification"] == "required"
    session = client.session
    session[STATE_SESSION_KEY] |= {"user_verification": question}
    session.save()
    client.post(LOGIN, {"credential": key.answer(options["challenge"], PRESENT | VERIFIED if verified else PRESENT)})
    assert (client.get("/inbox/").status_code == 200) is verified
