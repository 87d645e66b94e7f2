"""Compiles a `.c` file when it is to be loaded: by clang, or by BCC if it is in BCC's dialect.

A source that names its sections (`SEC("xdp")`) is for clang. One that does not is for BCC, whose
rewriter turns map macros (`BPF_HASH`) into what clang understands, and which needs the kernel's
headers. The distribution's package is used, found by its path: nothing else of the system's
packages comes along.
"""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from x0tta_cli.core import files
from x0tta_cli.core.doctor.building import find_clang, install_line
from x0tta_cli.core.errors import UnsupportedError, UsageError
from x0tta_cli.ebpf.loading_errors import no_xdp_program

COMPILE_S = 60
LINES_SHOWN = 12
HEADERS = Path(__file__).with_name("objects")
BCC = Path("/usr/lib/python3/dist-packages/bcc")


@dataclass(frozen=True, slots=True)
class Compiled:
    """An object file, and what compiled it where that happened just now."""

    path: Path
    built_by: str = ""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What BCC compiled and loaded by itself; open until `close` is called."""

    fd: int
    name: str
    built_by: str
    close: Callable[[], None]


def is_for_bcc(source: Path) -> bool:
    """Whether a source is in BCC's dialect; raises what `files.reading_errors` raises."""
    with files.reading_errors(source):
        text = source.read_text(encoding="utf-8", errors="replace")
    return not re.search(r"\bSEC\s*\(|\bsection\s*\(", text)


@contextmanager
def compiled(source: Path) -> Iterator[Compiled]:
    """Compile a source by clang for the block; the object goes with it.

    Raises UnsupportedError `ebpf.no_compiler` and UsageError `ebpf.compile_failed`.
    """
    with tempfile.TemporaryDirectory(prefix="x0tta-bpf-") as folder:
        target = Path(folder) / f"{source.stem}.bpf.o"
        yield Compiled(target, _by_clang(source, target))


def load_by_bcc(source: Path, parameters: Mapping[str, str]) -> Loaded:
    """Compile and load a source by BCC; parameters become macros.

    Raises UnsupportedError `ebpf.no_compiler`, UsageError `ebpf.compile_failed` and
    `ebpf.no_xdp_program`.
    """
    bcc = _import_bcc(source)
    flags = [f"-D{name}={value}" for name, value in parameters.items()]
    flags.append(f"-I{source.parent.resolve()}")
    with _caught_stderr() as said:
        try:
            holder = bcc.BPF(src_file=os.fsencode(source), cflags=flags, debug=0)
        except Exception as error:
            raise _failed(source, "BCC", said() or str(error)) from error
    library, module = bcc.lib, holder.module
    names = [library.bpf_function_name(module, i) for i in range(library.bpf_num_functions(module))]
    if not names:
        raise no_xdp_program(str(source), [])
    with _caught_stderr() as said:
        try:
            function = holder.load_func(names[0], bcc.BPF.XDP)
        except Exception as error:
            raise _failed(source, "the kernel's verifier", said() or str(error)) from error
    built_by = f"BCC {bcc.__version__}: the source names no sections"
    return Loaded(function.fd, names[0].decode(), built_by, holder.cleanup)


def _by_clang(source: Path, target: Path) -> str:
    clang = find_clang()
    if clang is None:
        raise UnsupportedError(
            "ebpf.no_compiler",
            f"{source} can't be compiled: there is no clang.",
            reason="It names its sections, as sources for clang do.",
            fix=install_line("clang"),
            context={"file": str(source)},
        )
    line = [clang, "-target", "bpf", "-O2", "-g", "-Wall", f"-I{HEADERS}", f"-I{source.parent}"]
    # Where Debian keeps asm/types.h, which linux/types.h includes.
    line += [f"-I{folder}" for folder in Path("/usr/include").glob("*-linux-gnu")]
    try:
        ended = subprocess.run(
            [*line, "-c", str(source), "-o", str(target)],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=COMPILE_S,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired:
        raise _failed(source, "clang", f"It took longer than {COMPILE_S} s.") from None
    if ended.returncode != 0:
        raise _failed(source, "clang", ended.stderr)
    return f"clang ({Path(clang).name}): the source names its sections"


def _import_bcc(source: Path) -> ModuleType:
    release = Path("/lib/modules") / os.uname().release
    missing = None
    if not BCC.is_dir():
        missing = install_line("python3-bpfcc")
    elif not any(place.exists() for place in _places_of_headers(release)):
        missing = f"{install_line(f'linux-headers-{os.uname().release}')}, so that {release}/build "
        missing += 'exists; or write SEC("xdp") before the program, and clang compiles it.'
    if missing:
        raise UnsupportedError(
            "ebpf.no_compiler",
            f"{source} can't be compiled: BCC or the kernel's headers are missing.",
            reason="It names no sections, as sources for BCC do, which needs the kernel's headers.",
            fix=missing,
            context={"file": str(source)},
        )
    spec = importlib.util.spec_from_file_location(
        "bcc", BCC / "__init__.py", submodule_search_locations=[str(BCC)]
    )
    if spec is None or spec.loader is None:
        raise ImportError(str(BCC))
    module = importlib.util.module_from_spec(spec)
    sys.modules["bcc"] = module
    spec.loader.exec_module(module)
    return module


def _places_of_headers(release: Path) -> list[Path]:
    """Tell where BCC looks for the kernel's headers; the variable is BCC's own."""
    named = os.environ.get("BCC_KERNEL_SOURCE")
    found = [release / "build", Path("/sys/kernel/kheaders.tar.xz")]
    return [Path(named), *found] if named else found


@contextmanager
def _caught_stderr() -> Iterator[Callable[[], str]]:
    """Keep what a C library writes to the descriptor of standard error; the call reads it."""
    kept = os.dup(2)
    with tempfile.TemporaryFile() as file:

        def said() -> str:
            file.seek(0)
            return file.read().decode(errors="replace")

        os.dup2(file.fileno(), 2)
        try:
            yield said
        finally:
            os.dup2(kept, 2)
            os.close(kept)


def _failed(source: Path, compiler: str, said: str) -> UsageError:
    lines = [line for line in said.splitlines() if line.strip()]
    return UsageError(
        "ebpf.compile_failed",
        f"{source} is refused by {compiler}.",
        reason="\n".join(lines[:LINES_SHOWN]),
        fix=_mend(said),
        context={"file": str(source)},
    )


def _mend(said: str) -> str:
    """Tell what mends a source that is refused, by the header that it lacks if it lacks one."""
    if "gnu/stubs-32.h" in said:
        # BPF is a machine of 32 bits as far as the C library's headers ask.
        return (
            "Include linux/types.h in the place of the C library's headers, or install those for "
            "32 bits: libc6-dev-i386 (Debian, Ubuntu), glibc-devel.i686 (Fedora)."
        )
    if "'bpf/" in said and "file not found" in said:
        return f"{install_line('libbpf')}, which has bpf_helpers.h."
    if "file not found" in said:
        return "Install the package that has the header, or put it beside the source."
    return "Correct the source."
