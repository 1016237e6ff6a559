"""Asks a cluster's DNS from inside a pod's network, and speaks to the API server from there.

A pod of CoreDNS lends its network, so that no image is needed for it.
"""

import base64
import binascii
import struct
from ipaddress import IPv4Address

API_NAME = "kubernetes.default.svc.cluster.local"
QUERY_ID = 0x7661
TYPE_A, CLASS_IN = 1, 1
NO_POD = 3
# DNS over TCP with bash alone: a length of two bytes stands before each message.
SCRIPT = r"""
pid=$(pgrep -xo coredns) || exit 3
exec nsenter --target "$pid" --net timeout 5 bash -c '
exec 3<>"/dev/tcp/$1/53" || exit 4
printf "%b" "$2" >&3
length=$((16#$(head -c 2 <&3 | od -An -tx1 | tr -d " \n")))
head -c "$length" <&3 | base64 -w 0
exec 4<>"/dev/tcp/$3/443" || exit 5
' probe "$@"
"""


def query(name: str) -> bytes:
    """A DNS question for the name's IPv4 addresses, as it goes over TCP."""
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    header = struct.pack(">6H", QUERY_ID, 0x0100, 1, 0, 0, 0)
    message = header + labels + b"\0" + struct.pack(">2H", TYPE_A, CLASS_IN)
    return struct.pack(">H", len(message)) + message


def escaped(data: bytes) -> str:
    """Bytes as bash's `printf %b` reads them."""
    return "".join(f"\\x{byte:02x}" for byte in data)


def addresses(message: bytes) -> tuple[str, ...]:
    """The IPv4 addresses in a DNS answer; none where it is an error or no answer at all."""
    try:
        identity, flags, questions, answers, _, _ = struct.unpack_from(">6H", message)
        if identity != QUERY_ID or flags & 0x000F:
            return ()
        place = 12
        for _ in range(questions):
            place = _after_name(message, place) + 4
        found = []
        for _ in range(answers):
            place = _after_name(message, place)
            kind, _, _, length = struct.unpack_from(">2HIH", message, place)
            place += 10
            if kind == TYPE_A:
                found.append(str(IPv4Address(message[place : place + 4])))
            place += length
    except (struct.error, IndexError, ValueError):
        return ()
    return tuple(found)


def _after_name(message: bytes, place: int) -> int:
    while length := message[place]:
        if length >= 0xC0:
            return place + 2
        place += length + 1
    return place + 1


def command(node: str, dns: str, api: str) -> tuple[str, ...]:
    """The command that asks from a pod on `node`."""
    return (
        "docker",
        "exec",
        node,
        "bash",
        "-c",
        SCRIPT,
        "probe",
        dns,
        escaped(query(API_NAME)),
        api,
    )


def answered(output: str, api: str) -> bool:
    """Whether the DNS knew where the API server is."""
    try:
        return api in addresses(base64.b64decode(output.strip(), validate=True))
    except binascii.Error:
        return False
