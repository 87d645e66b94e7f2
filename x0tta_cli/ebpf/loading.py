"""Loads XDP programs into the kernel: those that come with x0tta, objects, and sources.

One way for all: a source is compiled first, an object is opened by libbpf, its constants are
written, the kernel verifies it, its maps are filled. Nothing is attached here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from x0tta_cli.ebpf import libbpf, loading_errors, pins, syscalls
from x0tta_cli.ebpf.addresses import Address, packed
from x0tta_cli.ebpf.arguments import Settings
from x0tta_cli.ebpf.identifiers import opened
from x0tta_cli.ebpf.opening import OpenedObject
from x0tta_cli.ebpf.programs import describe, settings_of, unknown_parameter
from x0tta_cli.ebpf.shipped import Shipped

OBJECTS = Path(__file__).with_name("objects")
ETHERNET, IP = "ethernet", "ip"
LINK_TYPES = {ETHERNET: 0, IP: 1}


@dataclass(slots=True)
class LoadedProgram:
    """A program in the kernel, as long as this is open; `fd` and the values of `maps` are open.

    `frags` is whether it takes packets in fragments, `deadline_ns` None also where the object
    knows no deadline, and `can_drop` true for every program that did not come with x0tta.
    `built_by` says what compiled a source. `tail_calls` are the prog arrays by name, with the
    programs in them: a prog array is emptied when nobody holds it, so `pin_parts` before the
    process ends. `named_maps` are those that the object wants to be pinned by name.
    """

    fd: int
    id: int
    name: str
    tag: str
    maps: Mapping[str, int]
    can_drop: bool
    parameters_digest: str
    is_shipped: bool = False
    frags: bool = False
    deadline_ns: int | None = None
    built_by: str = ""
    tail_calls: tuple[str, ...] = ()
    parts: Mapping[str, int] = field(default_factory=dict)
    named_maps: Mapping[str, int] = field(default_factory=dict)
    _closing: ExitStack = field(default_factory=ExitStack, repr=False)

    @property
    def has_pins(self) -> bool:
        """Whether anything of it is pinned beside its link: what it calls, or maps by name."""
        return bool(self.tail_calls or self.named_maps)

    def pin_parts(self, filesystem: Path, operation: str) -> None:
        """Pin the prog arrays with the programs that they call, and the maps that have a name.

        So that they outlive the process. NotPermittedError `ebpf.pin_refused`.
        """
        parts: dict[str, int] = {}
        if self.tail_calls:
            parts |= {f"map_{name}": self.maps[name] for name in self.tail_calls}
            parts |= {f"program_{name}": descriptor for name, descriptor in self.parts.items()}
        pins.pin_parts(filesystem, operation, parts, self.named_maps)

    def close(self) -> None:
        """Let go; the kernel unloads what is neither attached nor pinned."""
        self._closing.close()


def load(
    program: str | Path,
    *,
    parameters: Mapping[str, str],
    link_type: str,
    frags: bool,
    deadline_ns: int | None = None,
    keep: Sequence[Address] = (),
    strict: bool = False,
    filesystem: Path | None = None,
) -> LoadedProgram:
    """Load a shipped program by name, or an object (`.o`) or source (`.c`) by path.

    `deadline_ns` is an instant of CLOCK_BOOTTIME past which the program passes everything. `keep`
    are hosts that a shipped program never drops. Of another's program `parameters` are its global
    constants by name, and its section alone says whether it takes fragments, whatever `frags` asks.
    `filesystem` is where maps are looked for that an object pins by name; without it the program
    has new ones.

    Raises UnsupportedError `ebpf.no_libbpf`, `ebpf.kernel_refuses`, `ebpf.no_compiler`,
    NotFoundError `ebpf.no_such_program`, `files.not_found`, UsageError `ebpf.not_an_object`,
    `ebpf.no_xdp_program`, `ebpf.verifier_rejected`, `ebpf.compile_failed`, `ebpf.bad_network`,
    `ebpf.bad_parameter`, `ebpf.parameter_missing`, `ebpf.unknown_parameter`, `ebpf.too_many_kept`
    and NotPermittedError `ebpf.not_permitted`.
    """
    shipped = describe(program) if isinstance(program, str) else None
    settings = settings_of(shipped.name, parameters) if shipped else None
    loading_errors.check_kept(keep)
    if isinstance(program, Path) and program.suffix == ".c" and _is_for_bcc(program):
        return _load_by_bcc(program, parameters, link_type)
    with ExitStack() as stack:
        loading = stack.enter_context(_opened(program, frags=frags))
        settings = settings or _as_constants(loading, str(program), parameters)
        loading.use_pinned(filesystem)
        _verify(loading, settings, _common(link_type, deadline_ns, strict=strict))
        _fill(loading.maps(), settings, keep)
        digest = _digest(program, [parameters, link_type, sorted(map(str, keep)), strict], settings)
        loaded = _loaded(loading, shipped, digest, deadline_ns)
        loaded._closing = stack.pop_all()
    return loaded


def _verify(loading: OpenedObject, settings: Settings, common: Mapping[str, int]) -> None:
    """Have the kernel verify the XDP programs of an object, with all that is constant in them."""
    loading.choose_programs()
    loading.write_constants({**settings.variables, **common})
    loading.resize(settings.map_entries)
    loading.load()


def _common(link_type: str, deadline_ns: int | None, *, strict: bool) -> dict[str, int]:
    """Give the variables that every shipped program has."""
    return {
        "link_type": LINK_TYPES[link_type],
        "strict": int(strict),
        "deadline_ns": deadline_ns or 0,
        "is_plain": int(link_type == ETHERNET and not deadline_ns),
    }


def _loaded(
    loading: OpenedObject, shipped: Shipped | None, digest: str, deadline_ns: int | None
) -> LoadedProgram:
    main = loading.entry()
    descriptor = loading.descriptor(main)
    told = syscalls.program_info(descriptor)
    return LoadedProgram(
        fd=descriptor,
        id=told.id,
        name=shipped.name if shipped else told.name,
        tag=told.tag,
        maps=MappingProxyType(loading.maps()),
        can_drop=shipped.can_drop if shipped else True,
        parameters_digest=digest,
        is_shipped=shipped is not None,
        frags=loading.takes_fragments(main),
        deadline_ns=deadline_ns if "deadline_ns" in loading.constants else None,
        built_by=loading.built_by,
        tail_calls=loading.prog_arrays(),
        parts=loading.other_programs(main),
        named_maps=MappingProxyType(loading.named_maps()),
    )


@contextmanager
def _opened(program: str | Path, *, frags: bool) -> Iterator[OpenedObject]:
    """Open the object of a program for the block, and close what was loaded out of it."""
    is_shipped = isinstance(program, str)
    with _object_file(program, frags=frags) as (path, built_by):
        loading = OpenedObject(path, str(program), built_by, is_shipped=is_shipped)
        try:
            yield loading
        finally:
            loading.close()


@contextmanager
def _object_file(program: str | Path, *, frags: bool) -> Iterator[tuple[Path, str]]:
    """Give the object to load, and what compiled it where that happened just now."""
    if isinstance(program, str):
        suffix = ".frags.bpf.o" if frags else ".bpf.o"
        yield OBJECTS / f"{program}{suffix}", ""
    elif program.suffix == ".c":
        from x0tta_cli.ebpf import compiling

        with compiling.compiled(program) as built:
            yield built.path, built.built_by
    else:
        loading_errors.check_elf(program)
        yield program, ""


def _as_constants(loading: OpenedObject, program: str, parameters: Mapping[str, str]) -> Settings:
    values = {}
    for name, text in parameters.items():
        constant = loading.constants.get(name)
        if constant is None:
            raise unknown_parameter(program, name, sorted(loading.constants))
        values[name] = loading_errors.whole_number(name, text, constant.size)
    return Settings(values)


def _fill(maps: Mapping[str, int], settings: Settings, keep: Sequence[Address]) -> None:
    rows = dict(settings.rows)
    if keep and "keep" in maps:
        rows["keep"] = tuple((packed(address), b"\1") for address in keep)
    for name, pairs in rows.items():
        for key, value in pairs:
            libbpf.call("bpf_map_update_elem", maps[name], key, value, 0)


def _is_for_bcc(source: Path) -> bool:
    from x0tta_cli.ebpf import compiling

    return compiling.is_for_bcc(source)


def _load_by_bcc(source: Path, parameters: Mapping[str, str], link_type: str) -> LoadedProgram:
    from x0tta_cli.ebpf import compiling

    with ExitStack() as closing:
        built = compiling.load_by_bcc(source, parameters)
        # BCC closes its descriptors when its object goes.
        closing.callback(built.close)
        told = syscalls.program_info(built.fd)
        maps = {}
        for identifier in told.map_ids:
            # By id, and not from BCC's library: not all of its calls say what they take.
            descriptor = closing.enter_context(opened(syscalls.open_map, identifier))
            maps[syscalls.map_info(descriptor).name] = descriptor
        return LoadedProgram(
            fd=built.fd,
            id=told.id,
            name=told.name or built.name,
            tag=told.tag,
            maps=MappingProxyType(maps),
            can_drop=True,
            parameters_digest=_digest(source, [parameters, link_type], Settings()),
            built_by=built.built_by,
            _closing=closing.pop_all(),
        )


def _digest(program: str | Path, given: Sequence[object], settings: Settings) -> str:
    """Sum up what was loaded, but for its deadline: the same again gives the same digest."""
    path = OBJECTS / f"{program}.bpf.o" if isinstance(program, str) else program
    rows = {
        name: [(key.hex(), value.hex()) for key, value in pairs]
        for name, pairs in settings.rows.items()
    }
    code = hashlib.sha256(path.read_bytes()).hexdigest()
    described = json.dumps([code, given, rows], sort_keys=True, default=dict)
    return hashlib.sha256(described.encode()).hexdigest()[:16]
