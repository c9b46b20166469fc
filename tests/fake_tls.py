"""Certificates made on the spot, and servers that use them well and badly.

One authority is trusted (`Authority.file` is given to the program), whatever else is shown is not. `SERVERS` has a row
for each thing that goes wrong under TLS.
"""

import datetime
import ipaddress
import ssl
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_DAY = datetime.timedelta(days=1)
_KEY_FORMAT = (
    serialization.Encoding.PEM,
    serialization.PrivateFormat.PKCS8,
    serialization.NoEncryption(),
)


@dataclass(frozen=True, slots=True)
class Authority:
    """Somebody who signs certificates: ``file`` is its own one as PEM, for whoever trusts it."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate
    file: Path

    @classmethod
    def make(cls, folder: Path, name: str = "Authority of the tests") -> Self:
        """Make one; its file is in ``folder``."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = (
            _unsigned(name, name, key, valid=(-_DAY, _DAY))
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(_signs_certificates(), critical=True)
            .sign(key, hashes.SHA256())
        )
        file = folder / f"{name.replace(' ', '-').lower()}.pem"
        file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        return cls(key, certificate, file)

    def context(
        self, *, name: str = "localhost", valid: tuple[datetime.timedelta, datetime.timedelta] = (-_DAY, _DAY)
    ) -> ssl.SSLContext:
        """A server's context with a certificate for ``name`` (and loopback), valid from and until so far from now."""
        key = ec.generate_private_key(ec.SECP256R1())
        issuer = self.certificate.subject.rfc4514_string().removeprefix("CN=")
        names: list[x509.GeneralName] = [x509.DNSName(name)]
        if name == "localhost":
            names.append(x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
        unsigned = _unsigned(name, issuer, key, valid=valid).add_extension(
            x509.SubjectAlternativeName(names), critical=False
        )
        by = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        return _context(unsigned.add_extension(by, critical=False).sign(self.key, hashes.SHA256()), key)


def self_signed(name: str = "localhost") -> ssl.SSLContext:
    """A server's context with a certificate that nobody else vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    names = x509.SubjectAlternativeName([x509.DNSName(name)])
    unsigned = _unsigned(name, name, key, valid=(-_DAY, _DAY)).add_extension(names, critical=False)
    return _context(unsigned.sign(key, hashes.SHA256()), key)


# What a server that speaks TLS 1.0 and nothing newer says to any client of today: the alert `protocol_version`.
ONLY_TLS_1_0 = b"\x15\x03\x01\x00\x02\x02\x46"
# What is wrong with a server that does speak TLS → its context.
SERVERS: dict[str, Callable[[Authority], ssl.SSLContext]] = {
    "nothing": lambda authority: authority.context(),
    "an expired certificate": lambda authority: authority.context(valid=(-3 * _DAY, -2 * _DAY)),
    "a certificate of the future": lambda authority: authority.context(valid=(2 * _DAY, 3 * _DAY)),
    "a certificate for another name": lambda authority: authority.context(name="somebody-else.example"),
    "a certificate of its own making": lambda authority: self_signed(),
}


def _unsigned(
    subject: str,
    issuer: str,
    key: ec.EllipticCurvePrivateKey,
    *,
    valid: tuple[datetime.timedelta, datetime.timedelta],
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(_named(subject))
        .issuer_name(_named(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + valid[0])
        .not_valid_after(now + valid[1])
    )


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _signs_certificates() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )


def _context(certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "server.pem"  # `load_cert_chain` reads files alone
        file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + key.private_bytes(*_KEY_FORMAT))
        context.load_cert_chain(file)
    return context
