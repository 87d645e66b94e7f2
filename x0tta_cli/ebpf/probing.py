"""What can be attached here, found out without attaching anything."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from x0tta_cli.core.errors import UnsupportedError
from x0tta_cli.ebpf import capabilities, ethtool, features, libbpf, namespaces, pins, syscalls
from x0tta_cli.ebpf.interfaces import find_interface, list_interfaces
from x0tta_cli.ebpf.model import Interface, LinkType, Mode
from x0tta_cli.ebpf.probed import Probe, ProbedHost, ProbedInterface, Trial
from x0tta_cli.ebpf.refusals import VETH_MTU_BYTES

# include/uapi/linux/bpf.h, enum bpf_map_type: number, key, value, entries, flags.
MAP_TYPES = {
    "hash": (1, 4, 8, 8, 0),
    "prog array": (3, 4, 4, 8, 0),
    "per-CPU hash": (5, 4, 8, 8, 0),
    "per-CPU array": (6, 4, 8, 8, 0),
    "LRU hash": (9, 4, 8, 8, 0),
    "LRU per-CPU hash": (10, 4, 8, 8, 0),
    # A trie has to be created with BPF_F_NO_PREALLOC.
    "longest-prefix trie": (11, 8, 8, 8, 1),
    "ring buffer": (27, 0, 0, 4096, 0),
}
# Modes in which native XDP works on a bond, as measured on Linux 6.1.
BOND_MODES_WITH_XDP = frozenset({"balance-rr", "active-backup", "balance-xor", "802.3ad"})


def probe(names: Sequence[str], netns: str | None, filesystem: Path) -> Probe:
    """Look at the host, and at the interfaces that are named, or at all of them.

    Raises NotFoundError `ebpf.no_such_interface` and `ebpf.no_such_netns`, NotPermittedError
    `ebpf.not_permitted`.
    """
    with namespaces.entered(netns):
        chosen = [find_interface(name) for name in names] or list_interfaces()
        interfaces = tuple(_interface(one) for one in chosen)
    return Probe(_host(filesystem), interfaces)


def _host(filesystem: Path) -> ProbedHost:
    mounted = str(filesystem) if pins.is_mounted(filesystem) else None
    notes = []
    if mounted is None:
        notes.append(f"no BPF file system: sudo mount -t bpf bpf {filesystem}")
    missing = capabilities.missing()
    if missing:
        notes.append(f"{', '.join(missing)}: {capabilities.lacking(missing).fix}")
    return ProbedHost(
        kernel=os.uname().release,
        libbpf=_libbpf(),
        bpf_filesystem=mounted,
        btf=Path("/sys/kernel/btf/vmlinux").exists(),
        jit=_is_on("/proc/sys/net/core/bpf_jit_enable"),
        missing_capabilities=missing,
        trials=(_try_program(), *(_try_map(name) for name in MAP_TYPES)),
        notes=tuple(notes),
    )


def _libbpf() -> str | None:
    """Name libbpf where it can be opened, as loading would."""
    try:
        libbpf.library()
    except UnsupportedError:
        return None
    return libbpf.SONAME


def _interface(interface: Interface) -> ProbedInterface:
    found = features.read_features(interface.index)
    driver = ethtool.read_driver(interface.name)
    mode = _likely_mode(interface, found)
    return ProbedInterface(
        interface=interface.name,
        index=interface.index,
        driver=driver.name or interface.kind,
        link_type=interface.link_type,
        features=found,
        likely_mode=mode,
        mtu_bytes=interface.mtu_bytes,
        native_mtu_bytes=VETH_MTU_BYTES if interface.kind == "veth" else None,
        lro=driver.lro,
        rx_queues=driver.rx_queues,
        tx_queues=driver.tx_queues,
        bond_mode=interface.bond_mode,
        vlan_stripping=driver.vlan_stripping,
        programs=tuple(identifier for _, identifier in interface.programs),
        notes=tuple(_notes(interface, driver, mode, found)),
    )


def _likely_mode(interface: Interface, found: tuple[str, ...] | None) -> Mode | None:
    if interface.link_type is None:
        return None
    if interface.link_type is LinkType.IP:
        return Mode.GENERIC
    if found is None:
        # Older kernels tell nothing: only an attempt would.
        return None
    if features.HARDWARE in found:
        return Mode.HARDWARE
    if interface.bond_mode and interface.bond_mode not in BOND_MODES_WITH_XDP:
        return Mode.GENERIC
    return Mode.NATIVE if features.BASIC in found else Mode.GENERIC


def _notes(
    interface: Interface,
    driver: ethtool.Driver,
    mode: Mode | None,
    found: tuple[str, ...] | None,
) -> list[str]:
    name, notes = interface.name, []
    if driver.lro and mode is not Mode.GENERIC:
        notes.append(f"native mode needs: ethtool -K {name} lro off")
    if driver.rx_queues and driver.most_queues and driver.rx_queues * 2 > driver.most_queues:
        notes.append("few queues are free for XDP; a driver may refuse or use a slower path")
    if driver.vlan_stripping and interface.kind != "veth":
        notes.append(
            f"VLAN tags are stripped before a program sees them: ethtool -K {name} rxvlan off"
        )
    if interface.kind == "vlan":
        notes.append("a VLAN has no native mode: attach to the interface below it")
    if interface.bond_mode and interface.bond_mode not in BOND_MODES_WITH_XDP:
        notes.append(f"bond mode {interface.bond_mode} has no native XDP")
    if interface.kind == "veth":
        notes.append(
            "native mode turns the other end's segmentation offload off; programs without "
            f"fragments need an MTU of {VETH_MTU_BYTES} there"
        )
    if (
        found is not None
        and features.BASIC in found
        and features.FRAGMENTS not in found
        and interface.mtu_bytes > VETH_MTU_BYTES
    ):
        notes.append("the driver takes no fragments: native mode needs a smaller MTU")
    if interface.link_type is None:
        notes.append("neither Ethernet nor IP: programs are not attached here")
    return notes


def _try_program() -> Trial:
    try:
        os.close(syscalls.load_bare_program())
    except OSError as error:
        return Trial("XDP program", works=False, reason=_reason(error))
    return Trial("XDP program", works=True)


def _try_map(name: str) -> Trial:
    kind, key, value, entries, flags = MAP_TYPES[name]
    try:
        os.close(syscalls.create_map(kind, key, value, entries, flags))
    except OSError as error:
        return Trial(f"map: {name}", works=False, reason=_reason(error))
    return Trial(f"map: {name}", works=True)


def _reason(error: OSError) -> str:
    if error.errno == errno.EPERM:
        return "not permitted: CAP_BPF, and CAP_NET_ADMIN for XDP"
    return os.strerror(error.errno or errno.EIO)


def _is_on(path: str) -> bool | None:
    with suppress(OSError):
        return Path(path).read_text(encoding="ascii").strip() not in {"", "0"}
    return None
