"""Findings of the doctor, and its errors, sorted by code.

A finding is no error: its status, 3, is the doctor's where the finding counts (--fail-on).
"""

from __future__ import annotations

from x0tta_cli.core.catalogue.entry import Entry
from x0tta_cli.core.errors import ExitStatus

ENTRIES: tuple[Entry, ...] = (
    Entry(
        "doctor.check_failed",
        ExitStatus.NO,
        "A check of the doctor failed itself",
        "The check met something that it did not foresee; the others were made all the same.",
        "See with --debug what it met, and pass that on to the maintainers.",
        "x0tta doctor kernel --debug",
    ),
    Entry(
        "doctor.check_hung",
        ExitStatus.NO,
        "A check of the doctor had no answer in time",
        "What it looks at does not answer: a disk behind a broken network, a socket, a name "
        "server. The others were made all the same.",
        "See what the check is about, and whether that answers.",
        "x0tta doctor state --debug",
    ),
    Entry(
        "doctor.clock_off",
        ExitStatus.NO,
        "The clock is wrong",
        "The clock differs from the Date that a server sent by more than five seconds. Alerts "
        "begin in the future or are over when they arrive, and tokens are refused.",
        "Let the clock be set over the network.",
        "sudo timedatectl set-ntp true",
    ),
    Entry(
        "doctor.container_engine_silent",
        ExitStatus.NO,
        "A container engine does not answer",
        "The socket of docker or podman is there, but this user may not use it, or nobody answers "
        "on it.",
        "Let the user use it, or start the engine.",
        "sudo usermod -aG docker $USER",
    ),
    Entry(
        "doctor.extra_incomplete",
        ExitStatus.NO,
        "An extra is installed in part",
        "Some packages of the extra are there and others are not.",
        "Install the extra as a whole.",
        "pip install 'x0tta[ml]'",
    ),
    Entry(
        "doctor.extra_missing",
        ExitStatus.NO,
        "An extra is not installed",
        "Some commands need packages that come with an extra, to keep the base small.",
        "Install it, if you want those commands.",
        "pip install 'x0tta[ml]'",
    ),
    Entry(
        "doctor.interrupted_operation",
        ExitStatus.NO,
        "An operation was interrupted",
        "Its process was killed, or the machine went down, before it had come to its end.",
        "Go on with it, or give it up.",
        "x0tta ops list --unfinished",
    ),
    Entry(
        "doctor.kernel_too_old",
        ExitStatus.NO,
        "The kernel is too old for BPF programs",
        "XDP programs that end with their owner came with Linux 5.9.",
        "Boot a newer kernel.",
        "uname -r",
    ),
    Entry(
        "doctor.little_space",
        ExitStatus.NO,
        "There is little room for the state",
        "The disk of the state folder has less than 256 MiB or 100 inodes left. What changes the "
        "world is written down there first, and refused where there is no room.",
        "Make room, or move the state to another disk with X0TTA_STATE_DIR.",
        "df -h /var/lib",
    ),
    Entry(
        "doctor.no_bpf_filesystem",
        ExitStatus.NO,
        "The BPF file system is not mounted",
        "BPF programs and maps that outlive a command are pinned in /sys/fs/bpf.",
        "Mount it; systemd does so by itself.",
        "sudo mount -t bpf bpf /sys/fs/bpf",
    ),
    Entry(
        "doctor.no_btf",
        ExitStatus.NO,
        "The kernel does not describe its own types",
        "/sys/kernel/btf/vmlinux is not there; programs compiled once for all kernels need it.",
        "Boot a kernel built with CONFIG_DEBUG_INFO_BTF=y.",
        "grep CONFIG_DEBUG_INFO_BTF /boot/config-$(uname -r)",
    ),
    Entry(
        "doctor.no_capability",
        ExitStatus.NO,
        "A capability for BPF is missing",
        "BPF programs are loaded with CAP_BPF and CAP_PERFMON and attached to an interface with "
        "CAP_NET_ADMIN; this process has not got them all.",
        "Run as root, or start the container with them.",
        "docker run --cap-add=BPF --cap-add=PERFMON --cap-add=NET_ADMIN …",
    ),
    Entry(
        "doctor.no_compiler",
        ExitStatus.NO,
        "There is no compiler for BPF",
        "No clang that makes BPF code is in PATH. It is needed to build BPF programs, not to run "
        "those that come with x0tta.",
        "Install clang.",
        "sudo apt-get install clang",
    ),
    Entry(
        "doctor.no_container_engine",
        ExitStatus.NO,
        "No container engine runs",
        "Nothing listens on the sockets of docker and podman.",
        "Start one, or install one.",
        "sudo systemctl start docker",
    ),
    Entry(
        "doctor.no_headers",
        ExitStatus.NO,
        "A header for BPF programs is missing",
        "It is needed to build BPF programs, not to run those that come with x0tta.",
        "Install the package that has it.",
        "sudo apt-get install libbpf-dev linux-libc-dev",
    ),
    Entry(
        "doctor.no_internet",
        ExitStatus.NO,
        "The internet can't be reached",
        "A well-known server does not answer. What x0tta does on this machine and in its network "
        "works all the same. Another server to ask is named by doctor.internet_url.",
        "Connect the machine, name its proxy, or suppress the finding where there is no internet.",
        "x0tta doctor --suppress doctor.no_internet",
    ),
    Entry(
        "doctor.no_zone_data",
        ExitStatus.NO,
        "There is no time zone data",
        "Neither the system nor the Python package tzdata has any, so that local times are those "
        "of UTC.",
        "Install tzdata.",
        "sudo apt-get install tzdata",
    ),
    Entry(
        "doctor.server_not_configured",
        ExitStatus.NO,
        "The configuration names no such server",
        "No key of the configuration has the address of such a server.",
        "Name it, if x0tta is to use it.",
        "x0tta config schema",
    ),
    Entry(
        "doctor.server_unreachable",
        ExitStatus.NO,
        "A configured server is not ready",
        "The configuration names it, and it can't be reached, or does not answer as such a server "
        "does when it is ready.",
        "Start it, correct its address, or wait for it.",
        "x0tta doctor servers --wait 60s",
    ),
    Entry(
        "doctor.state_open",
        ExitStatus.NO,
        "Others may look into the state folder",
        "The folder lets its group or everybody in. x0tta makes it for its owner alone.",
        "Close it.",
        "chmod 700 /var/lib/x0tta",
    ),
    Entry(
        "doctor.switched_off",
        ExitStatus.NO,
        "A part of x0tta is switched off",
        "A flag of the configuration or the environment says so; the part's commands end with 8.",
        "Switch it on, if you want those commands.",
        "x0tta config set flags.ebpf on",
    ),
    Entry(
        "doctor.unknown_check",
        ExitStatus.USAGE,
        "The doctor has no such check",
        "Neither a group of checks nor a check has this name.",
        "Choose one of those that the error lists.",
        "x0tta doctor kernel",
    ),
    Entry(
        "doctor.unknown_finding",
        ExitStatus.USAGE,
        "There is no such finding",
        "--suppress was given a code that no finding has, so that it would never suppress "
        "anything.",
        "Copy the code from the output of the doctor.",
        "x0tta doctor --suppress doctor.no_capability=CAP_BPF",
    ),
    Entry(
        "doctor.unknown_zone",
        ExitStatus.NO,
        "TZ names a time zone that does not exist",
        "The C library takes such a name for UTC under another name, so that local times are "
        "wrong without a word.",
        "Correct the name.",
        "timedatectl list-timezones",
    ),
    Entry(
        "doctor.wrong_version",
        ExitStatus.NO,
        "A package has another version than x0tta is made for",
        "Something else has installed it since, or it was held back.",
        "Install the version that x0tta names.",
        "pip install 'x0tta[ml]'",
    ),
)
