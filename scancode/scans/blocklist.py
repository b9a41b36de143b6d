"""Who is held off by staff: addresses, whole networks, browsers; each with an end. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from uuid import UUID

from scancode.errors import Refusal
from scancode.i18n import N_

REASON_LENGTH_MAX = 300
DAYS_MAX = 365
WIDEST = {4: 16, 6: 32}
"""No network is wider than this: a slip of the finger shall not lock out a province."""

STREET = {4: 24, 6: 48}
"""Networks as wide as this belong to one customer or one machine hall."""


class BlockKind(StrEnum):
    ADDRESS = "address"
    VISITOR = "visitor"


class BadBlock(Refusal):
    code = "block_value"
    text = N_(
        "Write an address such as 203.0.113.7, a network such as 203.0.113.0/24 (at most a /16, or a /32 of IPv6), "
        "or a browser's id."
    )
    status = 422


class BlockReasonNeeded(Refusal):
    code = "block_reason"
    text = N_("Write why, and for 1 to {limit} days.")
    status = 422


class Blocked(Refusal):
    code = "blocked"
    text = N_(
        "This network or browser is held off for a while because of misuse. "
        "If that is a mistake, please call customer service."
    )
    status = 403


@dataclass(frozen=True)
class Block:
    """Whom it holds off, and until when."""

    kind: BlockKind
    value: str
    expires_at: datetime


def read_value(text: str) -> tuple[BlockKind, str]:
    """What somebody typed: a network in its plain form, or a browser's id. Raises BadBlock."""
    text = text.strip()
    try:
        return BlockKind.VISITOR, str(UUID(text))
    except ValueError:
        pass
    try:
        network = ip_network(text, strict=False)
    except ValueError as error:
        raise BadBlock from error
    if network.prefixlen < WIDEST[network.version]:
        raise BadBlock
    return BlockKind.ADDRESS, str(network)


def read_terms(reason: str, days: int, now: datetime) -> tuple[str, datetime]:
    """The reason and the end. Raises BlockReasonNeeded."""
    clean = " ".join(reason.split())[:REASON_LENGTH_MAX]
    if not clean or not 1 <= days <= DAYS_MAX:
        raise BlockReasonNeeded(limit=DAYS_MAX)
    return clean, now + timedelta(days=days)


class Blocklist:
    """All blocks of a moment, ready to be asked at every scan."""

    def __init__(self, blocks: Iterable[Block] = ()) -> None:
        self._visitors: dict[UUID, datetime] = {}
        self._networks: list[tuple[IPv4Network | IPv6Network, datetime]] = []
        for block in blocks:
            if block.kind is BlockKind.VISITOR:
                self._visitors[UUID(block.value)] = block.expires_at
            else:
                self._networks.append((ip_network(block.value), block.expires_at))
        self._streets = [(_street(network), until) for network, until in self._networks]

    def holds(self, address: str, visitor_id: UUID, now: datetime) -> bool:
        """Whether this address or browser is held off now."""
        until = self._visitors.get(visitor_id)
        if until is not None and until > now:
            return True
        return self._is_in(self._networks, address, now)

    def is_near(self, address: str, now: datetime) -> bool:
        """Whether somebody of the same street is: the /24 around a blocked address, or the /48 of IPv6."""
        return self._is_in(self._streets, address, now)

    @staticmethod
    def _is_in(networks: list[tuple[IPv4Network | IPv6Network, datetime]], address: str, now: datetime) -> bool:
        if not networks:
            return False
        try:
            asked = ip_address(address)
        except ValueError:
            return False
        plain = getattr(asked, "ipv4_mapped", None) or asked
        return any(until > now and plain in network for network, until in networks)


def _street(network: IPv4Network | IPv6Network) -> IPv4Network | IPv6Network:
    width = STREET[network.version]
    return network.supernet(new_prefix=width) if network.prefixlen > width else network
