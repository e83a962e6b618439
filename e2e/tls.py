"""HTTPS before the server, for clients that refuse plain HTTP: a certificate of our own, and a proxy that ends TLS."""

import asyncio
import datetime as dt
import ipaddress
import ssl
import threading
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from e2e.server import HOST, Server, free_port

CHUNK = 64 * 1024
AUTHORITY = "E2E authority"


class TlsFront:
    """While entered, `address` is the server's over HTTPS. `trust` are the variables by which clients learn of it."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.port = free_port()
        self.address = f"https://{HOST}:{self.port}"
        self.authority = server.folder / "authority.pem"
        self.trust = {"SSL_CERT_FILE": str(self.authority), "REQUESTS_CA_BUNDLE": str(self.authority)}
        self._pair = server.folder / "front.pem"
        self._loop: asyncio.AbstractEventLoop
        self._ended = asyncio.Event()
        self._started = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name="tls-front", daemon=True)

    def __enter__(self) -> "TlsFront":
        write_certificates(self.authority, self._pair)
        self._thread.start()
        if not self._started.wait(timeout=10):
            raise RuntimeError("The HTTPS front did not start.")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join(timeout=10)

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self._pair)
        listener = await asyncio.start_server(self._serve, HOST, self.port, ssl=context)
        self._started.set()
        await self._ended.wait()
        listener.close()  # what is still open is cancelled with the loop

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            inner_reader, inner_writer = await asyncio.open_connection(HOST, self.server.port)
            await asyncio.gather(copy(reader, inner_writer), copy(inner_reader, writer))
        except (OSError, asyncio.CancelledError):
            writer.close()  # the server is down, or the front is


async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass on what comes, until one side hangs up."""
    try:
        while data := await reader.read(CHUNK):
            writer.write(data)
            await writer.drain()
    except (ConnectionError, ssl.SSLError):
        pass  # one side hung up; the other is told by closing it
    finally:
        writer.close()


def write_certificates(authority: Path, pair: Path, *names: str) -> None:
    """An authority of a day's life, and a certificate and key that it signed, of 127.0.0.1, localhost and the names."""
    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root = _certificate(AUTHORITY, root_key.public_key(), root_key)
    leaf = _certificate("localhost", key.public_key(), root_key, ["localhost", *names])
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    authority.write_bytes(root.public_bytes(serialization.Encoding.PEM))
    pair.write_bytes(private + leaf.public_bytes(serialization.Encoding.PEM))


def _certificate(
    subject: str,
    public_key: ec.EllipticCurvePublicKey,
    signer: ec.EllipticCurvePrivateKey,
    hosts: Sequence[str] = (),
) -> x509.Certificate:
    """Of these hosts and 127.0.0.1; without any, an authority's."""
    now = dt.datetime.now(dt.UTC)
    is_authority = not hosts
    names = [*map(x509.DNSName, hosts), x509.IPAddress(ipaddress.ip_address(HOST))]
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, AUTHORITY)]))
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
        .add_extension(_usage(is_authority), critical=True)
    )
    if not is_authority:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(signer, hashes.SHA256())


def _usage(is_authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
