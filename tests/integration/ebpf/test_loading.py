"""Loading programs: what the kernel takes, and what is said where it does not."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import time
from ipaddress import ip_address
from pathlib import Path

import pytest
from fakes import frames
from fakes.bpf_sources import TAIL_CALL

from x0tta_cli.core.errors import NotFoundError, UnsupportedError, UsageError
from x0tta_cli.ebpf import compiling, libbpf, maps, pins, syscalls
from x0tta_cli.ebpf.loading import OBJECTS, load
from x0tta_cli.ebpf.trying import run

FRAME = frames.ethernet(frames.ip4(bytes(40), proto=17))
PASS = 'SEC("xdp") int passing(struct xdp_md *context) { return 2; }'
REJECTED = """
SEC("xdp") int reading(struct xdp_md *context) {
	unsigned char *data = (void *)(long)context->data;
	return data[20]; /* without asking where the packet ends */
}
"""
DIALECT = """
BPF_ARRAY(seen, u64, 1);
int counting(struct xdp_md *ctx) {
	int slot = 0;
	u64 *count = seen.lookup(&slot);
	if (count) *count += STEP;
	return XDP_PASS;
}
"""


def loading(program, **given):
    options = {"parameters": {}, "link_type": "ethernet", "frags": False} | given
    return load(program, **options)


def test_an_object_of_ones_own_is_loaded_and_told_apart(build):
    program = loading(build(PASS))
    try:
        assert run(program.fd, FRAME).verdict == "pass"
        assert (program.name, program.can_drop, program.is_shipped) == ("passing", True, False)
        assert program.tag == syscalls.program_info(program.fd).tag
    finally:
        program.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(program.fd)


def test_global_constants_of_an_object_are_its_parameters(build):
    path = build(
        "const volatile int verdict = 2;\n"
        'SEC("xdp") int answering(struct xdp_md *context) { return verdict; }'
    )
    for value, verdict in (("1", "drop"), ("0x2", "pass")):
        program = loading(path, parameters={"verdict": value})
        assert run(program.fd, FRAME).verdict == verdict
        program.close()
    with pytest.raises(UsageError, match="no parameter 'verdikt'") as caught:
        loading(path, parameters={"verdikt": "1"})
    assert caught.value.code == "ebpf.unknown_parameter"
    with pytest.raises(UsageError, match="can't be '5000000000'"):
        loading(path, parameters={"verdict": "5000000000"})


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"junk, no object at all", "ebpf.not_an_object"), (b"", "ebpf.not_an_object")],
)
def test_junk_is_refused_before_the_kernel_sees_it(tmp_path, content, code):
    path = tmp_path / "junk.o"
    path.write_bytes(content)
    with pytest.raises(UsageError) as caught:
        loading(path)
    assert caught.value.code == code


@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.9])
def test_a_truncated_object_is_refused_with_what_libbpf_says(tmp_path, share):
    whole = (OBJECTS / "count.bpf.o").read_bytes()
    path = tmp_path / "cut.o"
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(UsageError) as caught:
        loading(path)
    assert caught.value.code == "ebpf.not_an_object"
    assert caught.value.reason


def test_an_object_for_this_machine_is_no_bpf_object(tmp_path):
    path = tmp_path / "native.o"
    path.write_bytes(Path("/bin/true").read_bytes())
    with pytest.raises(UsageError) as caught:
        loading(path)
    assert caught.value.code == "ebpf.not_an_object"


def test_an_object_without_an_xdp_section_names_those_it_has(build):
    path = build('SEC("tc") int classify(void *context) { return 0; }')
    with pytest.raises(UsageError, match="no XDP program") as caught:
        loading(path)
    assert caught.value.code == "ebpf.no_xdp_program"
    assert "tc" in caught.value.reason


def test_a_missing_file_is_not_found(tmp_path):
    with pytest.raises(NotFoundError) as caught:
        loading(tmp_path / "absent.o")
    assert caught.value.code == "files.not_found"


def test_a_verifier_rejection_shows_the_last_instructions_and_the_source_line(build):
    with pytest.raises(UsageError, match="outside of the packet") as caught:
        loading(build(REJECTED))
    error = caught.value
    assert error.code == "ebpf.verifier_rejected"
    assert "return data[20];" in error.reason
    assert "return data[20];" in str(error.context["source_line"])
    [*instructions] = error.context["instructions"]
    assert instructions
    assert all(line in error.reason for line in instructions)
    assert "r0 = *(u8 *)(r1 +20)" in instructions[-1]


@pytest.mark.parametrize(
    ("text", "verdict", "mend"),
    [
        (REJECTED, "outside of the packet", "against data_end"),
        (
            "struct unheard_of { int here; } __attribute__((preserve_access_index));\n"
            'SEC("xdp") int asking(struct xdp_md *context) {\n'
            "	return __builtin_preserve_field_info(((struct unheard_of *)0)->here, 0);\n}",
            "struct unheard_of.here",
            "bpf_core_field_exists",
        ),
        (
            "static unsigned long long (*now)(void) = (void *)5;\n"
            'SEC("xdp") int turning(struct xdp_md *context) {\n'
            "	unsigned sum = 0;\n"
            "	for (int i = 0; i < 100000; i++) if (now() & 1) sum += i * 7; else sum ^= i;\n"
            "	return sum;\n}",
            "too ",
            "less to follow",
        ),
        (
            'SEC("xdp") int guessing(struct xdp_md *context) { return *(int *)1234; }',
            "invalid mem access",
            "docs.kernel.org",
        ),
    ],
)
def test_what_mends_a_rejection_follows_from_the_verifiers_words(build, text, verdict, mend):
    with pytest.raises(UsageError, match=verdict) as caught:
        loading(build(text))
    assert caught.value.code == "ebpf.verifier_rejected"
    assert mend in caught.value.fix


MAP_OF_OLD = """
struct bpf_map_def { unsigned type, key_size, value_size, max_entries, map_flags; };
struct bpf_map_def hits SEC("maps") = { 2, 4, 8, 1, 0 };
"""
MAP = """
struct { int (*type)[2]; unsigned *key; unsigned long long *value; int (*max_entries)[1]; }
hits SEC(".maps");
"""
COUNTING = """
static void *(*look_up)(void *map, const void *key) = (void *)1;
SEC("xdp") int hitting(struct xdp_md *context) {
	unsigned key = 0;
	unsigned long long *count = look_up(&hits, &key);
	if (count) ++*count;
	return 2;
}
"""


def test_an_object_with_maps_of_the_old_kind_is_told_of_the_new(build):
    with pytest.raises(UsageError) as caught:
        loading(build(MAP_OF_OLD + COUNTING))
    assert caught.value.code == "ebpf.not_an_object"
    assert "legacy map definitions" in caught.value.reason
    assert ".maps" in caught.value.fix


def test_an_optional_program_is_taken_where_there_is_no_other(build):
    optional = 'SEC("?xdp") int optional(struct xdp_md *context) { return 1; }\n'
    for text, name in ((optional + PASS, "passing"), (optional, "optional")):
        program = loading(build(text))
        assert (program.name, dict(program.parts)) == (name, {})
        program.close()


def test_an_object_without_types_is_loaded_unless_its_maps_need_them(build):
    program = loading(build(PASS, debug=False))
    assert run(program.fd, FRAME).verdict == "pass"
    program.close()
    with pytest.raises(UsageError, match="libbpf can open") as caught:
        loading(build(MAP + COUNTING, debug=False))
    assert "clang -g" in caught.value.fix


def test_what_the_kernel_has_no_room_for_is_its_refusal_and_not_the_programs_fault(build):
    table = """
struct { int (*type)[2]; int (*key_size)[4]; int (*value_size)[1 << 20];
         int (*max_entries)[1 << 30]; } huge SEC(".maps");
"""
    with pytest.raises(UnsupportedError) as caught:
        loading(build(table + PASS))
    assert caught.value.code == "ebpf.kernel_refuses"


def test_a_source_is_compiled_by_clang_and_says_so(source):
    program = loading(source(PASS))
    try:
        assert run(program.fd, FRAME).verdict == "pass"
        assert program.built_by.startswith("clang")
    finally:
        program.close()


def test_a_source_may_use_the_headers_of_the_shipped_programs(tmp_path):
    path = tmp_path / "own.c"
    path.write_text((OBJECTS / "count.bpf.c").read_text())
    program = loading(path)
    try:
        run(program.fd, FRAME)
        assert len(maps.read(program.maps["counters"])) == 2 * 259
    finally:
        program.close()


def test_a_source_that_does_not_compile_shows_the_compilers_words(source):
    with pytest.raises(UsageError) as caught:
        loading(source('SEC("xdp") int broken(struct xdp_md *context) { return nothing; }'))
    assert caught.value.code == "ebpf.compile_failed"
    assert "nothing" in caught.value.reason
    assert "own.bpf.c" in caught.value.reason


@pytest.mark.parametrize(
    ("header", "mend"),
    [("bpf/bpf_unheard_of.h", "libbpf"), ("unheard_of.h", "beside the source")],
)
def test_a_header_that_is_missing_is_told_with_what_has_it(source, header, mend):
    with pytest.raises(UsageError) as caught:
        loading(source(f'#include <{header}>\nSEC("xdp") int any(void *context) {{ return 2; }}'))
    assert caught.value.code == "ebpf.compile_failed"
    assert header in caught.value.reason
    assert mend in caught.value.fix


@pytest.fixture
def kernel_headers(monkeypatch):
    """What BCC needs: its package and the headers of a stock kernel."""
    script = Path(__file__).parents[3] / "scripts" / "testbed" / "bcc"
    ended = subprocess.run([script], stdout=subprocess.PIPE, text=True, check=True)
    monkeypatch.setenv("BCC_KERNEL_SOURCE", ended.stdout.strip())


@pytest.mark.usefixtures("kernel_headers")
def test_a_source_in_bccs_dialect_is_compiled_by_bcc_with_parameters_as_macros(tmp_path):
    path = tmp_path / "dialect.c"
    path.write_text(DIALECT)
    program = loading(path, parameters={"STEP": "3"})
    try:
        assert program.built_by.startswith("BCC")
        assert program.name == "counting"
        assert [run(program.fd, FRAME).verdict for _ in range(2)] == ["pass"] * 2
        assert maps.lookup(program.maps["seen"], bytes(4), 8) == (6).to_bytes(8, "little")
    finally:
        program.close()


@pytest.mark.usefixtures("kernel_headers")
def test_what_bcc_refuses_is_shown_in_its_words(tmp_path):
    path = tmp_path / "dialect.c"
    path.write_text("int counting(struct xdp_md *ctx) { return nothing_of_the_kind; }\n")
    with pytest.raises(UsageError) as caught:
        loading(path)
    assert caught.value.code == "ebpf.compile_failed"
    assert "nothing_of_the_kind" in caught.value.reason


def test_a_source_for_bcc_without_kernel_headers_says_what_is_missing(tmp_path, monkeypatch):
    path = tmp_path / "dialect.c"
    path.write_text("int counting(struct xdp_md *ctx) { return XDP_PASS; }\n")
    monkeypatch.setattr(compiling, "BCC", tmp_path / "nowhere")
    with pytest.raises(UnsupportedError) as caught:
        loading(path)
    assert caught.value.code == "ebpf.no_compiler"
    assert "python3-bpfcc" in caught.value.fix


def test_without_libbpf_the_package_is_named(tmp_path):
    script = (
        "from x0tta_cli.ebpf import libbpf\n"
        "libbpf.SONAME = 'libbpf.so.0.never'\n"
        "from x0tta_cli.core.errors import OperatorError\n"
        "from x0tta_cli.ebpf.loading import load\n"
        "try:\n"
        "    load('count', parameters={}, link_type='ethernet', frags=False)\n"
        "except OperatorError as error:\n"
        "    print(error.code, int(error.exit_status), error.fix)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert ended.stdout.startswith("ebpf.no_libbpf 8 ")
    assert "libbpf1" in ended.stdout


def test_the_same_again_has_the_same_digest_and_other_parameters_another():
    def digest(name="filter", **given):
        program = loading(name, **given)
        program.close()
        return program.parameters_digest

    deny = {"deny": "198.18.0.0/24"}
    same = digest(parameters=deny)
    assert digest(parameters=deny, deadline_ns=10**18, frags=True) == same
    different = {
        digest(parameters={"deny": "198.18.0.0/25"}),
        digest(parameters=deny, strict=True),
        digest(parameters=deny, keep=[ip_address("198.18.0.9")]),
        digest(parameters=deny, link_type="ip"),
        digest("count"),
    }
    assert len(different | {same}) == 6


def test_a_list_of_networks_is_read_from_a_file(tmp_path):
    path = tmp_path / "denied.txt"
    path.write_text("# noisy\n198.18.0.0/24\n\n2001:2::/48  # test range\n")
    before = loading("filter", parameters={"deny": f"@{path}"})
    assert len(maps.read(before.maps["deny"])) == 2
    before.close()
    path.write_text("198.18.0.0/24\n")
    after = loading("filter", parameters={"deny": f"@{path}"})
    after.close()
    assert before.parameters_digest != after.parameters_digest


def test_more_kept_hosts_than_there_is_room_for_are_refused():
    many = [ip_address(f"198.18.1.{number}") for number in range(256)]
    loading("drop", parameters={"probability": "1"}, keep=many).close()
    with pytest.raises(UsageError) as caught:
        loading("drop", parameters={"probability": "1"}, keep=[*many, ip_address("198.18.2.1")])
    assert caught.value.code == "ebpf.too_many_kept"


def test_tail_calls_work_while_the_loader_lives_and_outlive_it_when_pinned(build, bpffs):
    program = loading(build(TAIL_CALL))
    main = program.fd
    assert (program.name, list(program.parts)) == ("entering", ["dropping"])
    kept = os.dup(main)
    try:
        assert run(main, FRAME).verdict == "drop"
        program.pin_parts(bpffs, "abc")
        program.close()
        assert run(kept, FRAME).verdict == "drop"
        assert pins.remove_parts(bpffs, "abc")
        # Nobody holds the array any more: the kernel empties it, and the call falls through.
        until_answer(kept, "pass")
    finally:
        os.close(kept)


def test_unpinned_tail_calls_vanish_with_the_loader(build):
    program = loading(build(TAIL_CALL))
    main = program.fd
    assert (program.name, list(program.parts)) == ("entering", ["dropping"])
    kept = os.dup(main)
    try:
        program.close()
        until_answer(kept, "pass")
    finally:
        os.close(kept)


def until_answer(descriptor, verdict):
    end = time.monotonic() + 10
    while run(descriptor, FRAME).verdict != verdict:
        assert time.monotonic() < end
        time.sleep(0.01)


def test_libbpf_errors_bear_the_systems_words():
    with pytest.raises(OSError, match="Bad file descriptor"):
        libbpf.call("bpf_map_delete_elem", -1, b"key")


def test_the_shipped_objects_need_no_relocation_against_a_kernel():
    for path in OBJECTS.glob("*.bpf.o"):
        data = path.read_bytes()
        # ELF64, little-endian, machine 247 (BPF).
        assert data[:6] == b"\x7fELF\x02\x01"
        assert struct.unpack_from("<H", data, 18) == (247,)
        assert b"vmlinux" not in data
        assert str(Path.home()).encode() not in data
