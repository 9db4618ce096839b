"""A certificate authority of this instance alone, and the certificate that it gave this machine.

Both are made once and kept in the data folder, readable by its owner alone. The authority can give
certificates for this machine's names and for private addresses only (RFC 5280, 4.2.1.10), so that
whoever trusts it trusts it with nothing else.
"""

from __future__ import annotations

import fcntl
import ipaddress
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from livecommerce.lan.addresses import Names

AUTHORITY_DAYS = 3650
# Apple takes at most 825 days from an authority that a person added, browsers 398 from others.
CERTIFICATE_DAYS = 397
RENEWED_BEFORE = timedelta(days=30)
# A phone's clock may be behind.
BACKDATED = timedelta(days=1)
PRIVATE = (
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "100.64.0.0/10",
    "169.254.0.0/16",
    "127.0.0.0/8",
    "::1/128",
    "fc00::/7",
    "fe80::/10",
)


class Unusable(Exception):
    """Something in the data folder is in the way of HTTPS; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


@dataclass(frozen=True, slots=True)
class Kept:
    """What the data folder has: `server` is a file with the certificate and its key."""

    server: Path
    authority: x509.Certificate

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the authority, as phones show it: "AB:CD:…"."""
        return self.authority.fingerprint(hashes.SHA256()).hex(":").upper()


def ensure(data: Path, names: Names, at: datetime | None = None) -> Kept:
    """The certificate for these names; made, or made anew, where there is none that will do.

    Several processes may ask at once. Raises `Unusable`.
    """
    try:
        return _ensure(data / "lan", names, at or datetime.now(UTC))
    except OSError as error:
        where = error.filename or data / "lan"
        raise Unusable(
            f"{where} cannot be used for HTTPS ({error.strerror}): move it away, and it is made "
            "anew; or make its folder writable for this user."
        ) from error


def _ensure(folder: Path, names: Names, at: datetime) -> Kept:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _alone(folder):
        authority = _ensure_authority(folder / "authority.pem", names, at)
        server = folder / "server.pem"
        if not _will_do(_read(server), authority, names, at):
            _write(server, _make_certificate(authority, names, at))
    return Kept(server, authority.certificate)


def pem(authority: x509.Certificate) -> bytes:
    return authority.public_bytes(serialization.Encoding.PEM)


def der(authority: x509.Certificate) -> bytes:
    return authority.public_bytes(serialization.Encoding.DER)


def _ensure_authority(path: Path, names: Names, at: datetime) -> Pair:
    kept = _read(path)
    if kept and _lasts(kept, at, timedelta(days=CERTIFICATE_DAYS)) and _permits(kept, names):
        return kept
    made = _make_authority(names, at)
    _write(path, made)
    return made


def _lasts(pair: Pair, at: datetime, longer: timedelta) -> bool:
    certificate = pair.certificate
    return certificate.not_valid_before_utc <= at < certificate.not_valid_after_utc - longer


def _permits(authority: Pair, names: Names) -> bool:
    """Whether the authority may give a certificate for these names."""
    constraints = authority.certificate.extensions.get_extension_for_class(x509.NameConstraints)
    permitted = list(constraints.value.permitted_subtrees or ())
    dns = {one.value for one in permitted if isinstance(one, x509.DNSName)}
    networks = [one.value for one in permitted if isinstance(one, x509.IPAddress)]
    addresses = [ipaddress.ip_address(one) for one in names.addresses]
    return dns >= set(names.dns) and all(_is_in(one, networks) for one in addresses)


def _is_in(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address, networks: Sequence[object]
) -> bool:
    return any(
        isinstance(one, (ipaddress.IPv4Network, ipaddress.IPv6Network)) and address in one
        for one in networks
    )


def _will_do(pair: Pair | None, authority: Pair, names: Names, at: datetime) -> bool:
    if pair is None or pair.certificate.issuer != authority.certificate.subject:
        return False
    return _lasts(pair, at, RENEWED_BEFORE) and _names_of(pair.certificate) == names.all


def _names_of(certificate: x509.Certificate) -> frozenset[str]:
    found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return frozenset(str(one.value) for one in found)


def _make_authority(names: Names, at: datetime) -> Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    # The number tells the authorities of several instances, or of one that began anew, apart.
    serial = x509.random_serial_number()
    subject = _name(f"livecommerce on {_shown(names)} ({serial & 0xFFFFFF:06x})")
    constraints = x509.NameConstraints(permitted_subtrees=_subtrees(names), excluded_subtrees=None)
    builder = (
        _builder(subject, subject, key, at, AUTHORITY_DAYS)
        .serial_number(serial)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(constraints, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    return Pair(builder.sign(key, hashes.SHA256()), key)


def _make_certificate(authority: Pair, names: Names, at: datetime) -> Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    general: list[x509.GeneralName] = [x509.DNSName(one) for one in names.dns]
    general += [x509.IPAddress(ipaddress.ip_address(one)) for one in names.addresses]
    issuer = authority.certificate.subject
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key())
    builder = (
        _builder(_name(_shown(names)), issuer, key, at, CERTIFICATE_DAYS)
        .serial_number(x509.random_serial_number())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(general), critical=False)
        .add_extension(identifier, critical=False)
    )
    return Pair(builder.sign(authority.key, hashes.SHA256()), key)


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    at: datetime,
    days: int,
) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder(subject_name=subject, issuer_name=issuer)
    builder = builder.public_key(key.public_key())
    begins = at - BACKDATED
    return builder.not_valid_before(begins).not_valid_after(begins + timedelta(days=days))


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text[:64])])


def _shown(names: Names) -> str:
    """The machine's own name; "localhost" where it has no other."""
    return next((one for one in names.dns if one != "localhost"), "localhost")


def _subtrees(names: Names) -> list[x509.GeneralName]:
    networks = [ipaddress.ip_network(one) for one in PRIVATE]
    addresses = [ipaddress.ip_address(one) for one in names.addresses]
    # A network without private addresses has its own ones only.
    networks += [ipaddress.ip_network(one) for one in addresses if not _is_in(one, networks)]
    return [
        *(x509.DNSName(one) for one in names.dns),
        *(x509.IPAddress(one) for one in networks),
    ]


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _read(path: Path) -> Pair | None:
    """What the file has; nothing where it is missing or was damaged, or its key is another's."""
    try:
        text = path.read_bytes()
        certificate = x509.load_pem_x509_certificate(text)
        key = serialization.load_pem_private_key(text, password=None)
    except (FileNotFoundError, ValueError, TypeError):  # the last: a key behind a password
        return None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        return None
    return Pair(certificate, key) if key.public_key() == certificate.public_key() else None


def _write(path: Path, pair: Pair) -> None:
    """Both in one file, at once: nobody ever reads a certificate with another one's key."""
    key = pair.key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(pem(pair.certificate) + key)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # until the file is closed
        yield
