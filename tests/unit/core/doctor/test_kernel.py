from __future__ import annotations

import pytest

from x0tta_cli.core.doctor import kernel


def test_a_machine_that_has_it_all(surroundings):
    assert kernel.look_at_bpf(surroundings).findings == ()
    assert kernel.look_at_bpf(surroundings).summary == "Linux 6.1.0-18-amd64"
    assert kernel.look_at_xdp(surroundings).findings == ()


def test_everything_that_is_missing_is_named(surroundings, codes):
    root = surroundings.root
    (root / "proc/self/status").write_text("CapEff:\t0000000000000000\n")
    (root / "proc/mounts").write_text("tmpfs /sys/fs/bpf tmpfs rw 0 0\n")
    (root / "sys/kernel/btf/vmlinux").unlink()
    (root / "proc/sys/kernel/osrelease").write_text("5.4.0-150-generic\n")
    assert codes(kernel.look_at_bpf(surroundings)) == [
        ("doctor.kernel_too_old", "5.4.0-150-generic"),
        ("doctor.no_btf", "/sys/kernel/btf/vmlinux"),
        ("doctor.no_bpf_filesystem", "/sys/fs/bpf"),
        ("doctor.no_capability", "CAP_BPF"),
        ("doctor.no_capability", "CAP_PERFMON"),
    ]
    assert codes(kernel.look_at_xdp(surroundings)) == [("doctor.no_capability", "CAP_NET_ADMIN")]


@pytest.mark.parametrize(
    ("mask", "held"),
    [
        ("0000000000000000", set()),
        ("0000000000001000", {"CAP_NET_ADMIN"}),
        ("000000c000000000", {"CAP_PERFMON", "CAP_BPF"}),
        ("0000000000200000", {"CAP_SYS_ADMIN"}),
        ("000001ffffffffff", set(kernel.CAPABILITIES)),
    ],
)
def test_capabilities_are_read_from_the_mask(mask, held):
    assert kernel.effective_capabilities(f"Name:\tx\nCapEff:\t{mask}\nCapBnd:\tffff\n") == held


def test_admin_of_the_system_stands_in_for_bpf_but_not_for_the_network(surroundings, codes):
    (surroundings.root / "proc/self/status").write_text("CapEff:\t0000000000200000\n")
    assert codes(kernel.look_at_bpf(surroundings)) == []
    assert codes(kernel.look_at_xdp(surroundings)) == [("doctor.no_capability", "CAP_NET_ADMIN")]
