"""An issuer of tokens on this machine, for the tests of who may: discovery and keys over HTTP, tokens good and forged.

Keys are made when the test runs; none is kept anywhere.
"""

import json
import time
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from hmac import digest
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from loopback import serving

AUDIENCE = "the-audience"

Claims = dict[str, Any]


@dataclass(frozen=True)
class Key:
    """A key pair and the name under which it is published."""

    private: RSAPrivateKey = field(default_factory=lambda: generate_private_key(65537, 2048))
    kid: str = field(default_factory=lambda: str(uuid.uuid4()))

    def public(self) -> dict[str, Any]:
        jwk: dict[str, Any] = jwt.algorithms.RSAAlgorithm.to_jwk(self.private.public_key(), as_dict=True)
        return {"kid": self.kid, "kty": "RSA", "use": "sig", "alg": "RS256", "n": jwk["n"], "e": jwk["e"]}

    def pem(self) -> bytes:
        return self.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


@dataclass
class Issuer:
    """The running issuer. What stands in `published` is what it publishes."""

    url: str
    published: list[Key]

    def claims(self, subject: str, **changes: Any) -> Claims:
        """Good claims but for these; None takes one away."""
        now = int(time.time())
        good = {"iss": self.url, "aud": AUDIENCE, "sub": subject, "iat": now, "nbf": now, "exp": now + 3600}
        return {name: value for name, value in (good | changes).items() if value is not None}

    def token(self, subject: str, *, key: Key | None = None, kid: str | None = None, **changes: Any) -> str:
        """A signed token, by the first published key if no other is named."""
        key = key or self.published[0]
        return jwt.encode(self.claims(subject, **changes), key.private, "RS256", {"kid": kid or key.kid})

    def forged(self, subject: str, algorithm: str) -> str:
        """A good token but for its algorithm: `none`, or HS256 with the public key as the secret."""
        key = self.published[0]
        header = {"alg": algorithm, "typ": "JWT", "kid": key.kid}
        text = f"{encoded(json.dumps(header).encode())}.{encoded(json.dumps(self.claims(subject)).encode())}"
        signature = digest(key.pem(), text.encode(), sha256) if algorithm == "HS256" else b""
        return f"{text}.{encoded(signature)}"


def encoded(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


@contextmanager
def running(published: list[Key]) -> Iterator[Issuer]:
    """Serves discovery and keys until the block is left."""

    def answering(path: str, _sent: Any) -> tuple[int, Any]:
        match path:
            case "/.well-known/openid-configuration":
                return 200, {"issuer": issuer.url, "jwks_uri": f"{issuer.url}/keys"}
            case "/keys":
                return 200, {"keys": [key.public() for key in issuer.published]}
        return 404, {}

    with serving(answering) as url:
        issuer = Issuer(url, published)
        yield issuer
