"""Certificates for the servers of a test, from a CA that is made anew."""

import ssl
from dataclasses import dataclass
from pathlib import Path

import trustme


@dataclass(frozen=True, kw_only=True)
class Authority:
    """A CA; whoever trusts the file trusts its servers."""

    ca: trustme.CA
    file: Path

    @property
    def pem(self) -> str:
        return self.file.read_text()

    def server_side(self, host: str) -> ssl.SSLContext:
        """Return what a server speaks TLS with that has this name or address."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.certify(context, host)
        return context

    def server_pem(self, host: str) -> str:
        """Return the key and the certificates of such a server, for one file."""
        return self.ca.issue_cert(host).private_key_and_cert_chain_pem.bytes().decode()

    def certify(self, context: ssl.SSLContext, host: str) -> None:
        """Give a server a new certificate, for its connections from now on."""
        self.ca.issue_cert(host).configure_cert(context)


def make_authority(folder: Path, name: str = "ca", *, parent: Authority | None = None) -> Authority:
    """Make a CA, below another if one is given, with its certificate in a file of the folder."""
    ca = parent.ca.create_child_ca() if parent else trustme.CA(organization_name=name)
    file = folder / f"{name}.pem"
    ca.cert_pem.write_to_path(str(file))
    return Authority(ca=ca, file=file)
