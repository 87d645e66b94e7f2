"""Errors of `x0tta ebpf`, sorted by code."""

from __future__ import annotations

from x0tta_cli.core.catalogue.entry import Entry
from x0tta_cli.core.errors import ExitStatus

ENTRIES: tuple[Entry, ...] = (
    Entry(
        "ebpf.bad_network",
        ExitStatus.USAGE,
        "What was given is no network",
        "A network is an address and the number of its bits that count; bits of the address "
        "beyond them have to be zero. A single address stands for itself.",
        "Write it as an address, or as an address, a slash and a number.",
        "x0tta ebpf block add 198.51.100.0/24",
    ),
    Entry(
        "ebpf.bad_parameter",
        ExitStatus.USAGE,
        "A parameter of a program has a value that can't be",
        "The program has this parameter, but not for this value; the error says what it may be.",
        "Compare with the description of the program.",
        "x0tta ebpf programs",
    ),
    Entry(
        "ebpf.compile_failed",
        ExitStatus.USAGE,
        "A source can't be compiled",
        "clang or BCC refuses the source; the error shows its first lines, with file and line.",
        "Correct the source there. A source that names its sections is for clang, another for BCC.",
        'SEC("xdp") int pass(struct xdp_md *context) { return 2; }',
    ),
    Entry(
        "ebpf.contradicting_modes",
        ExitStatus.USAGE,
        "Two options ask for different modes",
        "A mode that was asked for is weaker than --at-least allows, or differs from the mode "
        "in which the program that is to be replaced runs.",
        "Leave one of the two out.",
        "x0tta ebpf attach eth0 --program count --at-least native",
    ),
    Entry(
        "ebpf.dead_pin",
        ExitStatus.NO,
        "A pin holds a link that is attached no more",
        "The interface of a lasting attachment is gone, or another tool has detached it. The pin "
        "keeps the program and its maps loaded for nothing.",
        "Remove such pins.",
        "x0tta ebpf clean",
    ),
    Entry(
        "ebpf.detached_meanwhile",
        ExitStatus.NOT_FOUND,
        "A program was detached while it was being read",
        "Somebody took it off, its time was over, or its interface went away.",
        "See what is attached now.",
        "x0tta ebpf list",
    ),
    Entry(
        "ebpf.dispatcher",
        ExitStatus.CONFLICT,
        "A dispatcher is on the interface",
        "libxdp and bpfman attach one program, the dispatcher, which calls several others. To "
        "replace or remove it would drop the whole chain, and no tool would say so.",
        "Add the program to the dispatcher, or take its parts off, with the tool whose it is.",
        "xdp-loader load eth0 my.bpf.o",
    ),
    Entry(
        "ebpf.empty_capture",
        ExitStatus.NOT_YET_KNOWN,
        "A capture holds no packets",
        "The file is whole, but nothing was captured into it.",
        "Capture for a while, or without a filter.",
        "tcpdump -i eth0 -w capture.pcap -c 1000",
    ),
    Entry(
        "ebpf.interface_changed",
        ExitStatus.CONFLICT,
        "An interface vanished meanwhile",
        "Between reading and attaching, the interface was deleted, renamed, or moved to "
        "another namespace. Nothing is attached.",
        "Run the command again, or let it follow the interface.",
        "x0tta ebpf attach ppp0 --program count --follow",
    ),
    Entry(
        "ebpf.keeper_failed",
        ExitStatus.UNAVAILABLE,
        "The keeper process did not start",
        "With --for, and for every program that can drop, a small process holds the link. It "
        "did not start, so nothing is attached.",
        "Start it by hand to see what it says.",
        "python3 -m x0tta_cli.ebpf.keeper",
    ),
    Entry(
        "ebpf.kernel_refuses",
        ExitStatus.UNSUPPORTED,
        "The kernel refuses to load a program",
        "Not for what the program does, but because it lacks a map type, a helper or memory. "
        "Programs that come with x0tta need Linux 5.8, those with fragments 5.18.",
        "See what this kernel can do.",
        "x0tta ebpf probe",
    ),
    Entry(
        "ebpf.link_type",
        ExitStatus.UNSUPPORTED,
        "The interface carries neither Ethernet nor IP",
        "Its packets begin with a header that no XDP program of x0tta reads; every one would "
        "be misread.",
        "Attach to an Ethernet or IP interface.",
        "ip -details link show",
    ),
    Entry(
        "ebpf.map_full",
        ExitStatus.UNAVAILABLE,
        "A filter has no room for another network",
        "A filter holds 65,536 networks in each of its lists.",
        "Sum up networks, or remove those that matched nothing.",
        "x0tta ebpf block list",
    ),
    Entry(
        "ebpf.mixed_link_types",
        ExitStatus.USAGE,
        "Ethernet and IP interfaces were named together",
        "Packets of tunnels, WireGuard and PPP begin with the IP header, others with an "
        "Ethernet header; a program is loaded for one of them.",
        "Attach to them one kind after the other.",
        "x0tta ebpf attach wg0 --program count",
    ),
    Entry(
        "ebpf.mode_refused",
        ExitStatus.UNSUPPORTED,
        "The driver takes the program in no mode that was asked for",
        "The kernel refused: the MTU, large receive offload, too few queues, the mode of a "
        "bond, or a driver without XDP. The error names the cause as far as the kernel tells "
        "it. Nothing is attached.",
        "Do what the error says, or take a weaker mode.",
        "x0tta ebpf attach eth0 --program count --mode generic",
    ),
    Entry(
        "ebpf.no_bpf_filesystem",
        ExitStatus.UNSUPPORTED,
        "There is no BPF file system to pin in",
        "A program that outlives its command is pinned in the BPF file system, which is not "
        "mounted here. Inside `ip netns exec` the mounted one is hidden.",
        "Mount it, or use --netns instead of ip netns exec.",
        "sudo mount -t bpf bpf /sys/fs/bpf",
    ),
    Entry(
        "ebpf.no_compiler",
        ExitStatus.UNSUPPORTED,
        "There is nothing to compile a source with",
        "A source that names its sections is compiled by clang. Any other is taken for BCC's "
        "dialect, which needs the package python3-bpfcc and the headers of the running "
        "kernel.",
        "Install what the error names, or give an object that is compiled already.",
        "sudo apt-get install clang",
    ),
    Entry(
        "ebpf.no_libbpf",
        ExitStatus.UNSUPPORTED,
        "libbpf is not installed",
        "Programs are loaded by the C library libbpf, version 1.0 or newer, which "
        "distributions ship in a package of its own.",
        "Install the package; nothing has to be compiled.",
        "sudo apt-get install libbpf1",
    ),
    Entry(
        "ebpf.no_link",
        ExitStatus.UNSUPPORTED,
        "A program that can drop would be held by nobody",
        "Where the kernel has no links for XDP (before 5.9), or the configuration chooses "
        "netlink, the program outlives a keeper that is killed.",
        "Give it an end, which the program keeps by itself.",
        "x0tta ebpf attach eth0 --program filter --param deny=192.0.2.0/24 --for 10m",
    ),
    Entry(
        "ebpf.no_packet_taken",
        ExitStatus.NOT_YET_KNOWN,
        "No packet of a capture can be tested",
        "The kernel tests programs with packets of 14 bytes at least, and of 3520 bytes at "
        "most unless the program takes fragments.",
        "Capture other packets, or put the program into the section xdp.frags.",
        "x0tta ebpf test count --packets capture.pcap",
    ),
    Entry(
        "ebpf.no_such_host",
        ExitStatus.NOT_FOUND,
        "A host of --keep is not known",
        "Its name could not be resolved. Names are resolved before anything is attached.",
        "Give its address.",
        "x0tta ebpf attach eth0 --program filter --keep 192.0.2.1 --for 10m",
    ),
    Entry(
        "ebpf.no_such_interface",
        ExitStatus.NOT_FOUND,
        "There is no such interface",
        "The network namespace has no interface of that name.",
        "See which there are, or name the namespace with --netns.",
        "ip link",
    ),
    Entry(
        "ebpf.no_such_netns",
        ExitStatus.NOT_FOUND,
        "There is no such network namespace",
        "Nothing stands under that name in /run/netns, and the path leads to no namespace.",
        "See which there are.",
        "ip netns list",
    ),
    Entry(
        "ebpf.no_such_program",
        ExitStatus.NOT_FOUND,
        "No program of this name comes along",
        "A word without a slash and without the ending .o or .c names a program that comes "
        "with x0tta.",
        "Choose one of those, or name a file by its path.",
        "x0tta ebpf programs",
    ),
    Entry(
        "ebpf.no_xdp_program",
        ExitStatus.USAGE,
        "An object has no program for XDP",
        "Programs of other kinds, such as tc or kprobe, stand in sections of other names.",
        "Put the program into the section xdp, or xdp.frags where it takes fragments.",
        'SEC("xdp")',
    ),
    Entry(
        "ebpf.not_a_capture",
        ExitStatus.USAGE,
        "A file is no capture that can be read",
        "Captures are read as pcap or pcapng, with packets that begin with an Ethernet or an "
        "IP header. The file may be cut off, or captured on an interface of another kind.",
        "Capture anew into a file of that form.",
        "tcpdump -i eth0 -w capture.pcap",
    ),
    Entry(
        "ebpf.not_an_object",
        ExitStatus.USAGE,
        "A file is no BPF object that libbpf can open",
        "It is no ELF file for the BPF machine, it was cut off or damaged, or its maps are defined "
        "in a way that libbpf 1.0 no longer takes.",
        "Compile it anew.",
        "clang -target bpf -g -O2 -c my.bpf.c -o my.bpf.o",
    ),
    Entry(
        "ebpf.not_attached",
        ExitStatus.NOT_FOUND,
        "The program that was named is not there",
        "No interface that was named has a program of that id; ids change with every load.",
        "See what is attached.",
        "x0tta ebpf list --all-netns",
    ),
    Entry(
        "ebpf.not_ours",
        ExitStatus.CONFLICT,
        "The program is another owner's",
        "x0tta takes off what it attached. This program was attached by somebody else, who "
        "may need it.",
        "Ask whose it is; then name it by its id.",
        "x0tta ebpf detach eth0 --id 42",
    ),
    Entry(
        "ebpf.not_permitted",
        ExitStatus.NOT_PERMITTED,
        "A capability is missing",
        "Loading needs CAP_BPF and CAP_PERFMON, attaching CAP_NET_ADMIN, and seeing programs "
        "and links by their ids CAP_SYS_ADMIN. The error names those that are missing. What root "
        "of a user namespace (a rootless container) has there does not count.",
        "Run as root, or give a service the capabilities.",
        "AmbientCapabilities=CAP_BPF CAP_NET_ADMIN CAP_PERFMON CAP_SYS_ADMIN",
    ),
    Entry(
        "ebpf.nothing_to_read",
        ExitStatus.NOT_FOUND,
        "No attached program keeps what was asked for",
        "Counters, flows, neighbours, samples and rules are each kept by some programs that "
        "come with x0tta; none of those is attached there.",
        "Attach one that keeps it.",
        "x0tta ebpf attach eth0 --program flows",
    ),
    Entry(
        "ebpf.parameter_missing",
        ExitStatus.USAGE,
        "A program needs a parameter that was not given",
        "Some programs can't guess what is meant: a rate limiter needs its rate, a drop "
        "injector its probability.",
        "Give it.",
        "x0tta ebpf attach eth0 --program ratelimit --param rate=500/s --for 10m",
    ),
    Entry(
        "ebpf.pin_refused",
        ExitStatus.NOT_PERMITTED,
        "The BPF file system may not be written or read",
        "Pins stand in a folder that belongs to root.",
        "Run as root, or see the folder's rights.",
        "ls -ld /sys/fs/bpf /sys/fs/bpf/x0tta",
    ),
    Entry(
        "ebpf.program_in_use",
        ExitStatus.CONFLICT,
        "Another program is on the interface",
        "An interface has one XDP program in each mode, and two modes can't be active "
        "together. x0tta replaces nothing that was not named.",
        "Take it off, or swap it in place by its id.",
        "x0tta ebpf attach eth0 --program count --replace 42",
    ),
    Entry(
        "ebpf.recording_too_long",
        ExitStatus.USAGE,
        "A recording has too many samples",
        "It is kept in memory until it is written whole, so it may have 86,400 samples: a "
        "day at one a second.",
        "Record for a shorter time, or in longer steps.",
        "x0tta ebpf record metrics.csv.xz --for 7d --step 10s",
    ),
    Entry(
        "ebpf.replaced_meanwhile",
        ExitStatus.CONFLICT,
        "The program that was to be replaced is not there",
        "Somebody else has replaced or removed it, or the id was mistyped. What is there was "
        "left alone.",
        "See what is attached now.",
        "x0tta ebpf list",
    ),
    Entry(
        "ebpf.self_check_failed",
        ExitStatus.UNAVAILABLE,
        "Somebody was cut off, so the program was taken off",
        "Gateway, SSH peer and --keep hosts answered before and no longer did with the "
        "program attached. Their neighbour entries are forgotten first, as a warm table hides "
        "for minutes that ARP or NDP is dropped.",
        "Let them pass with --keep, or change the program's parameters.",
        "x0tta ebpf attach eth0 --program filter --param deny=0.0.0.0/0 --keep 192.0.2.1 --for 10m",
    ),
    Entry(
        "ebpf.something_in_the_way",
        ExitStatus.CONFLICT,
        "The kernel takes no program on the interface now",
        "No program is on the interface itself; the bond that it is a part of has one, or another "
        "tool came and went meanwhile. The error has the kernel's words.",
        "Attach to the bond, or take its program off first.",
        "x0tta ebpf list",
    ),
    Entry(
        "ebpf.still_attached",
        ExitStatus.UNAVAILABLE,
        "The kernel still shows the program",
        "It was told to take the program off and still lists it. A driver may be resetting.",
        "Look again; the manual way out is bpftool.",
        "sudo bpftool link detach id 7",
    ),
    Entry(
        "ebpf.too_many_kept",
        ExitStatus.USAGE,
        "More hosts are to be kept than a program has room for",
        "A program that can drop keeps 256 hosts at most, whatever its other rules say.",
        "Keep those that must stay reachable; allow the networks of the others.",
        "x0tta ebpf attach eth0 --program filter --param allow=198.51.100.0/24 --for 10m",
    ),
    Entry(
        "ebpf.unknown_parameter",
        ExitStatus.USAGE,
        "A program has no such parameter",
        "The parameter may be misspelt, or belong to another program. Those of an object are "
        "its global constants.",
        "Compare with the description of the program.",
        "x0tta ebpf programs",
    ),
    Entry(
        "ebpf.verifier_rejected",
        ExitStatus.USAGE,
        "The kernel's verifier rejects a program",
        "It found a way through the program on which something forbidden happens, mostly "
        "reading from a packet beyond its end. The error shows the line of the source and "
        "the last instructions.",
        "Change the program there, and compile it with -g so that lines are known.",
        "if (data + 14 > data_end) return 2;",
    ),
)
