"""Encrypt messages for one browser (RFC 8291, with the content coding of RFC 8188)."""

from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDH,
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

RECORD_BYTES = 4096
# A body has one record: 86 bytes of header, 16 of tag, 1 of padding.
MOST_BYTES = RECORD_BYTES - 86 - 16 - 1


def encrypt(content: bytes, *, p256dh: bytes, auth: bytes, sender: EllipticCurvePrivateKey, salt: bytes) -> bytes:
    """Return an aes128gcm body; `sender` and the 16 bytes of `salt` are new for each.

    Raises ValueError for content longer than MOST_BYTES.
    """
    if len(content) > MOST_BYTES:
        raise ValueError(f"at most {MOST_BYTES} bytes fit")
    own = point_of(sender.public_key())
    shared = sender.exchange(ECDH(), EllipticCurvePublicKey.from_encoded_point(SECP256R1(), p256dh))
    secret = _derive(shared, salt=auth, info=b"WebPush: info\0" + p256dh + own, length=32)
    key = _derive(secret, salt=salt, info=b"Content-Encoding: aes128gcm\0", length=16)
    nonce = _derive(secret, salt=salt, info=b"Content-Encoding: nonce\0", length=12)
    header = salt + RECORD_BYTES.to_bytes(4, "big") + bytes([len(own)]) + own
    return header + AESGCM(key).encrypt(nonce, content + b"\x02", None)


def point_of(key: EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _derive(secret: bytes, *, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(algorithm=SHA256(), length=length, salt=salt, info=info).derive(secret)
