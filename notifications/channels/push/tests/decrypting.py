"""What a browser does with a message: RFC 8188 and RFC 8291 with hash functions only."""

import hashlib
import hmac

from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDH,
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import GCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


def decrypt(body: bytes, key: EllipticCurvePrivateKey, auth: bytes) -> bytes:
    """Return the content of an aes128gcm body of one record; fails if anything is wrong."""
    salt, size, length = body[:16], int.from_bytes(body[16:20], "big"), body[20]
    sender, record = body[21 : 21 + length], body[21 + length :]
    assert length == 65 and len(record) <= size <= 4096
    own = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    shared = key.exchange(ECDH(), EllipticCurvePublicKey.from_encoded_point(SECP256R1(), sender))
    secret = expand(extract(auth, shared), b"WebPush: info\0" + own + sender, 32)
    pseudorandom = extract(salt, secret)
    content_key = expand(pseudorandom, b"Content-Encoding: aes128gcm\0", 16)
    nonce = expand(pseudorandom, b"Content-Encoding: nonce\0", 12)
    decryptor = Cipher(AES(content_key), GCM(nonce, record[-16:])).decryptor()
    padded = (decryptor.update(record[:-16]) + decryptor.finalize()).rstrip(b"\0")
    assert padded[-1:] == b"\x02"
    return padded[:-1]


def extract(salt: bytes, secret: bytes) -> bytes:
    return hmac.digest(salt, secret, hashlib.sha256)


def expand(pseudorandom: bytes, info: bytes, length: int) -> bytes:
    return hmac.digest(pseudorandom, info + b"\x01", hashlib.sha256)[:length]
