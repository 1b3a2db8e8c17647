"""At which address of this machine the dashboard is served, and what may then be typed to reach it.

A page elsewhere could have its own name lead to this machine and so pass for the dashboard's (DNS rebinding). Hence only such names are
answered as nobody else can own: numbers, and this machine's names for itself.
"""

import ipaddress
import socket
from contextlib import suppress

from gradviz.errors import GradvizError

LOOPBACK = "127.0.0.1"
NAMES = ("localhost", LOOPBACK, "::1")
NUMBERS = tuple(f"*.{last}" for last in range(256))  # every IPv4 address, and no name: a browser takes what ends in a number for one
FAR = {socket.AF_INET: "192.0.2.1", socket.AF_INET6: "2001:db8::1"}  # of documentation; nothing is ever sent there


def checked(host: str) -> str:
    """`host` as an address in numbers that belongs to this machine. No name server is asked."""
    try:
        address = str(ipaddress.ip_address(LOOPBACK if host.lower() == "localhost" else host.strip("[]")))
    except ValueError:
        raise GradvizError(
            f"the host is {host!r}; it must be an address in numbers: {LOOPBACK} for this machine only, 0.0.0.0 for all networks it is in, "
            "or one of its own addresses."
        ) from None
    try:
        bind(address, 0)
    except OSError as error:
        raise GradvizError(f"{host} is not an address of this machine ({error.strerror}); 0.0.0.0 stands for all it has.") from None
    return address


def bind(address: str, port: int) -> int:
    """Tries whether a port can be had, 0 for any, and says which. OSError if it cannot."""
    with socket.socket(_family(address)) as probe:
        if port:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((address, port))
        return int(probe.getsockname()[1])


def is_open(address: str) -> bool:
    """Whether other machines can reach it."""
    return not ipaddress.ip_address(address).is_loopback


def url(address: str, port: int) -> str:
    """What to type on this machine."""
    if ipaddress.ip_address(address).is_unspecified:
        address = "::1" if ":" in address else LOOPBACK
    return _url(address, port)


def urls_from_elsewhere(address: str, port: int) -> list[str]:
    """What to type on another machine, as far as this one can know."""
    return [_url(own, port) for own in (_outward(address) if ipaddress.ip_address(address).is_unspecified else [address])]


def answered(address: str) -> list[str]:
    """The names in an address bar to which the server answers."""
    if not is_open(address):
        return [*NAMES, address]
    own = socket.gethostname().lower()
    return [*NAMES, *NUMBERS, own, f"{own}.local", address, *_outward(address)]


def _outward(address: str) -> list[str]:
    """The address of this machine that a packet to the world would carry. Connecting a datagram socket sends none."""
    with suppress(OSError), socket.socket(_family(address), socket.SOCK_DGRAM) as probe:
        probe.connect((FAR[_family(address)], 9))
        return [str(probe.getsockname()[0])]
    return []


def _family(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def _url(address: str, port: int) -> str:
    return f"http://[{address}]:{port}" if ":" in address else f"http://{address}:{port}"
