"""Who asks, as far as an address tells; pure."""

import ipaddress


def client_of(remote: str, forwarded: str, *, proxies: int) -> str:
    """Return the name under which a client's questions are counted.

    `remote` is the other end of the connection. `forwarded` is the header `X-Forwarded-For`:
    every proxy adds at its end whom it speaks for, and what stands before is whatever the
    client claims. So exactly as many entries are believed, from the end, as there are
    `proxies` that the owner vouches for; with none the header means nothing, and where it has
    fewer entries somebody came around them.
    """
    hops = [hop.strip() for hop in forwarded.split(",") if hop.strip()]
    return _counted(hops[-proxies] if 0 < proxies <= len(hops) else remote)


def _counted(address: str) -> str:
    """Return an IPv4 address, or the network of 64 bits that one IPv6 client can choose from."""
    host = address.removeprefix("[").partition("]")[0] if address.startswith("[") else address
    if host.count(":") == 1:
        host = host.partition(":")[0]  # some proxies write an IPv4 address with its port
    try:
        found = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((found, 64), strict=False).network_address)
