"""Addresses that a builder gives us to call: only public ones, checked where the connection is made.

A name is resolved once, every address it has must be public, and the connection goes to the address that was checked:
a name that answers differently the second time gains nothing. Redirects are not followed.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from sync.errors import InvalidInput

HTTPS_PORT = 443
URL_LENGTH_MAX = 2000
# Ports that only programs inside a network listen on are nobody's webhook.
PORT_MIN = 1024
Resolve = Callable[[str, int], list[str]]
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class UnsafeTarget(InvalidInput):
    """An address that we do not call."""

    code = "webhook.unsafe_target"
    template = "The address {what} cannot be called: {reason}."


@dataclass(frozen=True, slots=True)
class Target:
    """Where to connect to, and under which name."""

    address: str
    host: str
    port: int
    is_https: bool
    path: str

    @property
    def url(self) -> str:
        """The URL by the checked address."""
        host = f"[{self.address}]" if ":" in self.address else self.address
        return f"{'https' if self.is_https else 'http'}://{host}:{self.port}{self.path}"

    @property
    def host_header(self) -> str:
        """The name the receiver knows itself by."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (HTTPS_PORT if self.is_https else 80) else f"{host}:{self.port}"


def resolve(host: str, port: int) -> list[str]:
    """Return every address of a name."""
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def check_url(url: str, *, allow_loopback: bool) -> tuple[str, int, bool, str]:
    """Return host, port, whether it is https, and path of an address that may be called, or raise UnsafeTarget."""
    shown = url[:100]
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").rstrip("."), parts.port
        host = host.encode("idna").decode() if not host.isascii() else host
    except (ValueError, UnicodeError):
        raise UnsafeTarget(what=shown, reason="it is no web address") from None
    is_plain = len(url) <= URL_LENGTH_MAX and url.isprintable() and not set(url) & set(" \\")
    if not is_plain or not host or parts.scheme not in ("https", "http"):
        raise UnsafeTarget(what=shown, reason="it is no web address; write it like https://example.com/hook")
    if parts.username is not None or parts.password is not None:
        raise UnsafeTarget(what=host, reason="it carries a user name; put a secret into the path instead")
    is_https = parts.scheme == "https"
    if not is_https and not allow_loopback:
        raise UnsafeTarget(what=shown, reason="it would send books unencrypted; use https")
    port = port if port is not None else (HTTPS_PORT if is_https else 80)
    if port != HTTPS_PORT and port < PORT_MIN and not allow_loopback:
        raise UnsafeTarget(what=shown, reason=f"port {port} is not for webhooks; use 443 or one above 1023")
    path = parts.path or "/"
    return host, port, is_https, f"{path}?{parts.query}" if parts.query else path


def safe_target(url: str, *, allow_loopback: bool, resolver: Resolve = resolve) -> Target:
    """Resolve an address and return the checked one to connect to, or raise UnsafeTarget."""
    host, port, is_https, path = check_url(url, allow_loopback=allow_loopback)
    try:
        addresses = resolver(host, port)
    except OSError:
        raise UnsafeTarget(what=host, reason="its name cannot be resolved") from None
    for address in addresses:
        if not is_public(address) and not (allow_loopback and _is_loopback(address)):
            raise UnsafeTarget(what=host, reason="it leads into a private network")
    if not addresses:
        raise UnsafeTarget(what=host, reason="its name has no address")
    if not is_https and not _is_loopback(addresses[0]):
        raise UnsafeTarget(what=host, reason="it would send books unencrypted; use https")
    return Target(addresses[0].split("%")[0], host, port, is_https, path)


def is_public(address: str) -> bool:
    """Say whether an address is one of the public internet, also where it hides another inside."""
    if "%" in address:
        return False
    found = ipaddress.ip_address(address)
    if isinstance(found, ipaddress.IPv6Address):
        if found in _NAT64:
            return is_public(str(ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)))
        inner = found.ipv4_mapped or found.sixtofour or (found.teredo[1] if found.teredo else None)
        if inner is not None:
            return is_public(str(inner))
    return found.is_global and not found.is_multicast and not found.is_reserved


def _is_loopback(address: str) -> bool:
    return ipaddress.ip_address(address.split("%", maxsplit=1)[0]).is_loopback
