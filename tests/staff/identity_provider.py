"""An OpenID provider on loopback: the real `oidc-provider-mock`, which can be told to lie about what it signs."""

import json
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import flask
import requests
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey
from werkzeug.serving import make_server

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it still uses authlib's old JOSE
    import oidc_provider_mock


@dataclass
class Provider:
    """Where it listens, what it is asked, and how it lies: `alter` may change the claims before they are signed."""

    url: str = ""
    alter: Callable[[dict[str, Any]], None] | None = None
    signed_by_another: bool = False
    signed_with_secret: str = ""
    unsigned: bool = False
    token_requests: list[dict[str, str]] = field(default_factory=list)

    def add(self, sub: str, **claims: Any) -> None:
        requests.put(f"{self.url}/users/{sub}", json=claims, timeout=60).raise_for_status()

    def consent(self, address: str, sub: str) -> str:
        """Somebody signs in at the provider's page; returns the address to which it sends them back."""
        answer = requests.post(address, data={"sub": sub}, allow_redirects=False, timeout=60)
        assert answer.status_code == 302, answer.text
        return answer.headers["Location"]

    def tamper(self, response: flask.Response) -> flask.Response:
        if flask.request.path != "/oauth2/token" or response.status_code != 200:
            return response
        self.token_requests.append(dict(flask.request.form))
        key = RSAKey.import_key(flask.g.oidc_provider_mock_storage.jwk.as_dict(is_private=True))
        body = json.loads(response.get_data())
        claims = jwt.decode(body["id_token"], key).claims
        if self.alter:
            self.alter(claims)
        header = {"alg": "RS256", "kid": key.kid}
        if self.signed_by_another:
            body["id_token"] = jwt.encode(header, claims, RSAKey.generate_key(2048))
        elif self.signed_with_secret:
            secret = OctKey.import_key(self.signed_with_secret)
            body["id_token"] = jwt.encode({"alg": "HS256"}, claims, secret, algorithms=["HS256"])
        elif self.unsigned:
            body["id_token"] = jwt.encode({"alg": "none"}, claims, OctKey.import_key("x"), algorithms=["none"])
        else:
            body["id_token"] = jwt.encode(header, claims, key)
        response.set_data(json.dumps(body))
        return response


@contextmanager
def running_provider() -> Iterator[Provider]:
    provider = Provider()
    app = oidc_provider_mock.app(require_nonce=True)
    app.after_request(provider.tamper)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    provider.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        thread.join(60)
        server.server_close()
