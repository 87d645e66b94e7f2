"""Names of what is counted: protocols, verdicts, and reasons of drops, by the programs' numbers."""

from __future__ import annotations

PASSED, DROPPED = "pass", "drop"
ARP, OTHER, MALFORMED = 256, 257, 258
PROTOCOLS = 259
# Assigned Internet Protocol Numbers, IANA; those that meshes carry.
_NAMES = {
    0: "hopopt",
    1: "icmp",
    2: "igmp",
    4: "ipip",
    6: "tcp",
    17: "udp",
    33: "dccp",
    41: "ipv6-in-ip",
    43: "ipv6-route",
    44: "ipv6-fragment",
    47: "gre",
    50: "esp",
    51: "ah",
    58: "icmpv6",
    59: "ipv6-none",
    60: "ipv6-options",
    88: "eigrp",
    89: "ospf",
    103: "pim",
    112: "vrrp",
    115: "l2tp",
    132: "sctp",
    135: "mobility",
    136: "udplite",
    137: "mpls-in-ip",
    138: "manet",
    ARP: "arp",
    OTHER: "other",
    MALFORMED: "malformed",
}
REASONS = {1: "denied", 2: "over rate", 3: "over rate, table full", 4: "injected"}


def protocol_name(number: int) -> str:
    """Name a protocol as it is counted; one without a name here by its number."""
    return _NAMES.get(number, f"ip-{number}")


def reason_name(number: int) -> str:
    """Say why a packet was dropped."""
    return REASONS.get(number, f"reason {number}")
