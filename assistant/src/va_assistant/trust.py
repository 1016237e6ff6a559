"""Whose certificates are believed: those of the system's store, and of a private CA beside them.

A ConfigMap's folder changes under a running pod, by a switch of symbolic links, so each
question looks whether the file is still the one that was read.
"""

import re
import ssl
import threading
from pathlib import Path
from typing import Protocol

from va_assistant.errors import Failure, Reason

_BEGIN = b"-----BEGIN CERTIFICATE-----"
_CERTIFICATE = re.compile(_BEGIN + b".*?-----END CERTIFICATE-----", re.DOTALL)

Version = tuple[int, int, int]
"""By which one state of a file is told from another: no two have the same inode, time and size."""


class Trust(Protocol):
    """How a server proves that it is the one that is meant."""

    def context(self) -> ssl.SSLContext:
        """Return what verifies the connections of this moment; another one after a change."""


class SystemTrust:
    """The system's store as it is at start; `SSL_CERT_FILE` and `SSL_CERT_DIR` name another."""

    def __init__(self) -> None:
        self._context = ssl.create_default_context()

    def context(self) -> ssl.SSLContext:
        """Return always the same."""
        return self._context


class PrivateCA:
    """The system's store and a file in PEM, which may be missing, come later and change.

    Any number of threads may use it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._known: tuple[Version, ssl.SSLContext] | None = None

    def context(self) -> ssl.SSLContext:
        """Return what trusts the file as it is now; raises `CAMissing` or `CAInvalid`."""
        with self._lock:
            try:
                # Looked at before it is read: what is read may be newer than this, never older.
                version = _version(self._path)
                if self._known and self._known[0] == version:
                    return self._known[1]
                pem = self._path.read_bytes()
            except OSError as error:
                raise Failure(
                    Reason.CA_MISSING, f"the CA's file {self._path.name}: {error.strerror}"
                ) from error
            self._known = version, _trusting(pem, self._path.name)
            return self._known[1]


def _version(path: Path) -> Version:
    found = path.stat()
    return found.st_ino, found.st_mtime_ns, found.st_size


def _trusting(pem: bytes, name: str) -> ssl.SSLContext:
    """Return what trusts these certificates beside the system's."""
    if not pem.strip():
        raise Failure(Reason.CA_MISSING, f"the CA's file {name} is empty")
    # Bundles have comments, in any language, between the certificates.
    found = _CERTIFICATE.findall(pem)
    if not found or len(found) != pem.count(_BEGIN):
        fault = "a certificate in it is cut off" if _BEGIN in pem else "no certificate in PEM"
        raise Failure(Reason.CA_INVALID, f"the CA's file {name}: {fault}")
    try:
        # These come first: the system's store takes far longer to load.
        context = ssl.create_default_context(cadata=b"\n".join(found).decode("ascii"))
    except (ssl.SSLError, UnicodeDecodeError) as error:
        raise Failure(
            Reason.CA_INVALID, f"the CA's file {name}: a certificate in it is none"
        ) from error
    context.load_default_certs()
    # The same whichever Python runs it. Since 3.13 an intermediate CA, or a server's own
    # certificate, is trusted by itself, as it is everywhere else; but a CA that lacks what
    # RFC 5280 wants of it, as those do that people make with `openssl`, no longer is.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context
