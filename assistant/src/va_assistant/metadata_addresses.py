"""Addresses at which a machine tells about itself, credentials included; pure.

Clouds give the keys of a node to whoever asks it from inside (CWE-918, server-side request
forgery). Whoever writes an assistant chooses its `baseURL`, and no model lives at such an address.
"""

import ipaddress

_METADATA = frozenset(
    map(ipaddress.ip_address, ("fd00:ec2::254", "fd20:ce::254", "100.100.100.200", "168.63.129.16"))
)
"""Of AWS and Google over IPv6, Alibaba Cloud, Azure; all others are link-local."""


def is_metadata(address: str) -> bool:
    """Tell whether an IP address is link-local or a cloud's own; a name of a host is not."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address):
        found = found.ipv4_mapped or found
    return found.is_link_local or found in _METADATA
