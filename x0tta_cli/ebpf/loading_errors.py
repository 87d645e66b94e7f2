"""What can be wrong with a program that is to be loaded, in an operator's words."""

from __future__ import annotations

import errno
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from x0tta_cli.core import files
from x0tta_cli.core.errors import OperatorError, UnsupportedError, UsageError
from x0tta_cli.ebpf import capabilities
from x0tta_cli.ebpf.arguments import bad_parameter

MOST_KEPT = 256
INSTRUCTIONS_SHOWN = 8
ELF_MAGIC = b"\x7fELF"
_BEGIN, _END = "-- BEGIN PROG LOAD LOG --", "-- END PROG LOAD LOG --"
_INSTRUCTION = re.compile(r"\d+: \([0-9a-f]{2}\) ")
# What mends it, by a part of libbpf's or the verifier's words; what has no part of its own is last.
_UNOPENED = {
    "legacy map definitions": 'Define its maps in SEC(".maps"), as libbpf 1.0 and later want them.',
    "BTF is required": "Build it with clang -g: its maps are described by its BTF.",
    "": "Build it with clang -target bpf -g -O2 -c; it may have been cut off while copied.",
}
_UNABLE = {
    "couldn't reuse pinned map": "Another has pinned a map of that name, with other sizes: rename "
    "one of them, or remove that pin where nobody needs it.",
    "": "x0tta ebpf probe shows what this kernel can do; programs that come with x0tta need Linux "
    "5.8.",
}
_LESS = (
    "Give the verifier less to follow: loops with fewer rounds or branches, or a "
    "part of the program behind a tail call."
)
_REJECTIONS = {
    "CO-RE": "This kernel has no such type or member: ask bpf_core_type_exists or "
    "bpf_core_field_exists before using it, or build the program for this kernel.",
    "too complex": _LESS,
    "too large": _LESS,
    "packet": "Check a pointer against data_end before reading from it.",
    "": "Change the program there; the rules: https://docs.kernel.org/bpf/verifier.html.",
}


class Rejection(NamedTuple):
    """What a verifier's log ends with: its verdict, and how the program came there."""

    verdict: str
    source_line: str
    instructions: tuple[str, ...]


def read_log(said: Sequence[str]) -> Rejection | None:
    """Find the verifier's log in what libbpf said; None where the verifier said nothing."""
    whole = "".join(said)
    if _BEGIN not in whole:
        return None
    log = whole.rpartition(_BEGIN)[2].partition(_END)[0]
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    instructions = [line for line in lines if _INSTRUCTION.match(line)]
    sources = [line[1:].strip() for line in lines if line.startswith(";")]
    verdicts = [
        line
        for line in lines
        if not (_INSTRUCTION.match(line) or line.startswith((";", "processed ", "from ")))
    ]
    return Rejection(
        verdicts[-1] if verdicts else "",
        sources[-1] if sources else "",
        tuple(instructions[-INSTRUCTIONS_SHOWN:]),
    )


def refused(name: str, error: OSError, said: Sequence[str], *, is_shipped: bool) -> OperatorError:
    """Say why the kernel did not load a program."""
    absent = capabilities.missing(("CAP_BPF", "CAP_NET_ADMIN", "CAP_PERFMON"))
    if absent and error.errno in {errno.EPERM, errno.EACCES}:
        return capabilities.lacking(absent)
    rejection = read_log(said)
    if rejection is None or is_shipped:
        words = rejection.verdict if rejection else _last_words(said, error)
        return UnsupportedError(
            "ebpf.kernel_refuses",
            f"The kernel refuses to load {name}.",
            reason=words,
            fix=_first_that_fits(_UNABLE, words),
            context={"program": name, "errno": error.errno, "libbpf": list(said)[-3:]},
        )
    return UsageError(
        "ebpf.verifier_rejected",
        f"The kernel's verifier rejects {name}: {rejection.verdict or error.strerror}",
        reason="\n".join(
            [
                f"At the source line: {rejection.source_line or 'not known (build with -g)'}",
                "The last instructions that it looked at:",
                *(rejection.instructions or ["none: it did not come so far"]),
            ]
        ),
        fix=_first_that_fits(_REJECTIONS, rejection.verdict),
        context={
            "program": name,
            "verdict": rejection.verdict,
            "source_line": rejection.source_line,
            "instructions": list(rejection.instructions),
        },
    )


def check_elf(path: Path) -> None:
    """Make sure that a file begins as an object does.

    Raises UsageError `ebpf.not_an_object` and what `files.reading_errors` raises.
    """
    with files.reading_errors(path), path.open("rb") as file:
        magic = file.read(len(ELF_MAGIC))
    if magic != ELF_MAGIC:
        raise _no_object(str(path), "It does not begin as an ELF file does.")


def not_an_object(name: str, error: OSError, said: Sequence[str]) -> UsageError:
    """Say that libbpf can't open a file as an object."""
    words = _last_words(said, error)
    return _no_object(name, words, _first_that_fits(_UNOPENED, words))


def no_xdp_program(name: str, sections: Sequence[str]) -> UsageError:
    """Say that an object has no program for XDP."""
    return UsageError(
        "ebpf.no_xdp_program",
        f"{name} has no XDP program.",
        reason=f"Its programs are in the sections {', '.join(sections)}."
        if sections
        else "It has no program at all.",
        fix='Put the program into the section "xdp", or "xdp.frags" if it takes fragments.',
        context={"program": name, "sections": list(sections)},
    )


def check_kept(keep: Sequence[object]) -> None:
    """Make sure that the kept hosts have room; UsageError `ebpf.too_many_kept`."""
    if len(keep) > MOST_KEPT:
        raise UsageError(
            "ebpf.too_many_kept",
            f"{len(keep)} hosts can't be kept: a program has room for {MOST_KEPT}.",
            fix="Name those that must stay reachable; for more, allow their network in a filter.",
        )


def whole_number(name: str, text: str, size: int) -> int:
    """Read a constant of another's program; UsageError `ebpf.bad_parameter`."""
    try:
        value = int(text, 0)
        value.to_bytes(size, "little", signed=value < 0)
    except (ValueError, OverflowError):
        raise bad_parameter(name, text, f"It is a whole number of {size} bytes.") from None
    return value


def _no_object(name: str, reason: str, fix: str = _UNOPENED[""]) -> UsageError:
    return UsageError(
        "ebpf.not_an_object",
        f"{name} is no BPF object that libbpf can open.",
        reason=reason,
        fix=fix,
        context={"file": name},
    )


def _first_that_fits(mends: Mapping[str, str], words: str) -> str:
    return next(mend for part, mend in mends.items() if part in words)


def _last_words(said: Sequence[str], error: OSError) -> str:
    lines = [line.removeprefix("libbpf: ").strip() for text in said for line in text.splitlines()]
    words = next((line for line in lines if line), "")
    return words or f"{error.strerror}."
