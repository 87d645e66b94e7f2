"""An object file as libbpf opens it: programs chosen, constants written, maps sized, loaded."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from x0tta_cli.ebpf import btf, libbpf, loading_errors, syscalls

TYPE_XDP = 6  # BPF_PROG_TYPE_XDP
WITH_FRAGMENTS = "xdp.frags"
PROG_ARRAY = 3  # BPF_MAP_TYPE_PROG_ARRAY


class OpenedObject:
    """An object that libbpf has opened, and later loaded; `constants` are its global ones.

    Each step raises what `loading.load` lists for it.
    """

    def __init__(self, path: Path, name: str, built_by: str, *, is_shipped: bool) -> None:
        self.name, self.built_by, self.is_shipped = name, built_by, is_shipped
        with libbpf.warnings() as said:
            try:
                self.handle = libbpf.pointer("bpf_object__open_file", os.fsencode(path), None)
            except OSError as error:
                raise loading_errors.not_an_object(name, error, said) from None
        self.constants = btf.constants(self.handle)
        self._programs = list(libbpf.each("bpf_object__next_program", self.handle))
        self._chosen: list[int] = []
        self._named: dict[str, int] = {}

    def close(self) -> None:
        """Let go of the object, and of all descriptors that it opened."""
        libbpf.library().bpf_object__close(self.handle)

    def choose_programs(self) -> None:
        """Choose the XDP programs of the object for loading.

        Those marked as optional (`SEC("?xdp")`) are left out, or the first chosen if there are no
        others.
        """
        by_section = {
            item: libbpf.text("bpf_program__section_name", item) for item in self._programs
        }
        xdp = [item for item, section in by_section.items() if _is_xdp(section)]
        if not xdp:
            raise loading_errors.no_xdp_program(self.name, list(by_section.values()))
        self._chosen = [item for item in xdp if libbpf.library().bpf_program__autoload(item)]
        self._chosen = self._chosen or xdp[:1]
        for item in self._programs:
            is_chosen = item in self._chosen
            libbpf.call("bpf_program__set_autoload", item, is_chosen)
            if is_chosen:
                libbpf.call("bpf_program__set_type", item, TYPE_XDP)

    def write_constants(self, values: Mapping[str, int]) -> None:
        """Give global constants their values; what the object does not have is passed over."""
        known = {name: value for name, value in values.items() if name in self.constants}
        section = self._map_by_suffix(btf.SECTION)
        if not known or section is None:
            return
        size = ctypes.c_size_t()
        start = libbpf.pointer("bpf_map__initial_value", section, ctypes.byref(size))
        for name, value in known.items():
            constant = self.constants[name]
            written = value.to_bytes(constant.size, "little", signed=value < 0)
            ctypes.memmove(start + constant.offset, written, constant.size)

    def resize(self, entries: Mapping[str, int]) -> None:
        """Give maps their sizes."""
        for item in libbpf.each("bpf_object__next_map", self.handle):
            name = libbpf.text("bpf_map__name", item)
            if name in entries:
                libbpf.call("bpf_map__set_max_entries", item, entries[name])

    def use_pinned(self, filesystem: Path | None) -> None:
        """Use the maps that the object pins by name where they are pinned already, and pin none.

        Left to itself, libbpf would pin the others now, while nothing is attached, and elsewhere
        than in the file system that was set. Without one none is used: a trial changes no counters.
        """
        for item in libbpf.each("bpf_object__next_map", self.handle):
            if wanted := libbpf.text("bpf_map__pin_path", item):
                name = Path(wanted).name
                self._named[name] = item
                path = None if filesystem is None else os.fsencode(filesystem / name)
                is_there = path is not None and os.access(path, os.F_OK)
                libbpf.call("bpf_map__set_pin_path", item, path if is_there else None)

    def load(self) -> None:
        """Have the kernel verify the chosen programs, and create the maps."""
        with libbpf.warnings() as said:
            try:
                libbpf.call("bpf_object__load", self.handle)
            except OSError as error:
                raise loading_errors.refused(
                    self.name, error, said, is_shipped=self.is_shipped
                ) from None

    def entry(self) -> int:
        """Give the program to attach: the first that is not called out of a prog array."""
        called = {identifier for name in self.prog_arrays() for identifier in self._called(name)}
        entries = [
            item
            for item in self._chosen
            if not called or syscalls.program_info(self.descriptor(item)).id not in called
        ]
        return (entries or self._chosen)[0]

    def descriptor(self, program: int) -> int:
        """Give the descriptor of a loaded program."""
        return libbpf.call("bpf_program__fd", program)

    def takes_fragments(self, program: int) -> bool:
        """Whether a program takes packets in fragments."""
        return libbpf.text("bpf_program__section_name", program) == WITH_FRAGMENTS

    def maps(self) -> dict[str, int]:
        """Give the descriptors of the maps by name."""
        return {
            libbpf.text("bpf_map__name", item): libbpf.call("bpf_map__fd", item)
            for item in libbpf.each("bpf_object__next_map", self.handle)
        }

    def named_maps(self) -> dict[str, int]:
        """Give the descriptors of the maps that the object pins by name, by that name."""
        return {name: libbpf.call("bpf_map__fd", item) for name, item in self._named.items()}

    def prog_arrays(self) -> tuple[str, ...]:
        """Name the maps of programs, for tail calls."""
        return tuple(
            libbpf.text("bpf_map__name", item)
            for item in libbpf.each("bpf_object__next_map", self.handle)
            if libbpf.call("bpf_map__type", item) == PROG_ARRAY
        )

    def other_programs(self, main: int) -> dict[str, int]:
        """Give the descriptors of the loaded programs beside the first by name."""
        return {
            libbpf.text("bpf_program__name", item): self.descriptor(item)
            for item in self._chosen
            if item != main
        }

    def _called(self, prog_array: str) -> Iterator[int]:
        """Read the ids of the programs in a loaded prog array."""
        descriptor = self.maps()[prog_array]
        identifier = ctypes.c_uint32()
        for index in range(syscalls.map_info(descriptor).max_entries):
            key = ctypes.c_uint32(index)
            with suppress(FileNotFoundError):
                libbpf.call(
                    "bpf_map_lookup_elem", descriptor, ctypes.byref(key), ctypes.byref(identifier)
                )
                yield identifier.value

    def _map_by_suffix(self, suffix: str) -> int | None:
        maps = libbpf.each("bpf_object__next_map", self.handle)
        return next(
            (item for item in maps if libbpf.text("bpf_map__name", item).endswith(suffix)), None
        )


def _is_xdp(section: str) -> bool:
    # Older sources number or name theirs: xdp_pass. "xdp/devmap" and "xdp/cpumap" run elsewhere.
    return section in {"xdp", "xdp.frags"} or section.startswith("xdp_")
