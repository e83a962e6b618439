"""A security key in software: what a browser would hand in for it."""

import hashlib
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from fido2 import cbor
from fido2.cose import ES256
from fido2.utils import websafe_encode

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


@dataclass
class SoftKey:
    """`origin` is what the browser says; `counter` rises with each signature."""

    origin: str = "http://testserver"
    flags: int = PRESENT | VERIFIED
    counter: int = 0
    handle: bytes = b""
    identity: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    secret: Any = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def made(self, options: dict[str, Any]) -> str:
        """Answer the options of `navigator.credentials.create`."""
        asked = options["publicKey"]
        public = cbor.encode(dict(ES256.from_cryptography_key(self.secret.public_key())))
        attested = b"\0" * 16 + len(self.identity).to_bytes(2, "big") + self.identity + public
        data = self._data(asked["rp"]["id"], self.flags | ATTESTED) + attested
        attestation = cbor.encode({"fmt": "none", "attStmt": {}, "authData": data})
        client = self._client("webauthn.create", asked["challenge"])
        return self._response(clientDataJSON=client, attestationObject=attestation)

    def signed(self, options: dict[str, Any]) -> str:
        """Answer the options of `navigator.credentials.get`."""
        asked = options["publicKey"]
        self.counter += 1 if self.counter else 0
        client, data = self._client("webauthn.get", asked["challenge"]), self._data(asked["rpId"], self.flags)
        signature = self.secret.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(SHA256()))
        more = {"userHandle": self.handle} if self.handle else {}
        return self._response(clientDataJSON=client, authenticatorData=data, signature=signature, **more)

    def _data(self, host: str, flags: int) -> bytes:
        return hashlib.sha256(host.encode()).digest() + bytes([flags]) + self.counter.to_bytes(4, "big")

    def _client(self, kind: str, challenge: str) -> bytes:
        return json.dumps({"type": kind, "challenge": challenge, "origin": self.origin}).encode()

    def _response(self, **parts: bytes) -> str:
        identity = websafe_encode(self.identity)
        response = {name: websafe_encode(value) for name, value in parts.items()}
        return json.dumps({"id": identity, "rawId": identity, "type": "public-key", "response": response})
