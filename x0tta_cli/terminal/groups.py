"""The one table of groups: a capability becomes part of x0tta by adding itself here.

Everything is looked up by name and imported when a command line needs it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from pydantic import BaseModel

SUMMARY = "The operator's toolkit for self-healing mesh networks."


class OperationKind(NamedTuple):
    """A kind of journal entry, and who ends one that was interrupted.

    `resume` is called with the taken-over `journal.Operation` and does what of it is not done;
    `leftovers` with the `journal.OperationRecord`, and yields a `journal.Leftover` for each thing
    to remove. Each as `package.module:attribute`.
    """

    name: str
    resume: str | None = None
    leftovers: str | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """What the house knows about a group before loading it.

    `module` has an `app`; `settings` names its configuration model, `probe` what the doctor calls
    and `status` what `x0tta status` calls, each as `package.module:attribute`; `operations` are the
    kinds of journal entries that it makes. `example` is a shell line for the root's help. `flag`
    switches all of its commands off.
    """

    name: str
    help: str
    module: str
    example: str
    settings: str | None = None
    probe: str | None = None
    status: str | None = None
    flag: str | None = None
    operations: tuple[OperationKind, ...] = ()


def load(reference: str) -> Any:
    """Import what a `package.module:attribute` of the table names."""
    from importlib import import_module

    module, _, attribute = reference.partition(":")
    return getattr(import_module(module), attribute)


class SettingsModels(Mapping[str, "type[BaseModel]"]):
    """The model of every section of the configuration, by name; imported when it is asked for.

    A section bears its group's name.
    """

    def __init__(self) -> None:
        self._references = {name: group.settings for name, group in GROUPS.items()}

    def __getitem__(self, name: str) -> type[BaseModel]:
        reference = self._references.get(name)
        if reference is None:
            raise KeyError(name)
        model: type[BaseModel] = load(reference)
        return model

    def __iter__(self) -> Iterator[str]:
        return (name for name, reference in self._references.items() if reference)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def settings_models() -> SettingsModels:
    """Give the model of every section; none is imported before it is asked for."""
    return SettingsModels()


def operation_kind(name: str) -> OperationKind | None:
    """Find who made a journal entry of this kind; None where no group of this version did."""
    kinds = (kind for group in GROUPS.values() for kind in group.operations)
    return next((kind for kind in kinds if kind.name == name), None)


GROUPS = {
    group.name: group
    for group in (
        Group(
            "drill",
            "Take a recorded incident from telemetry to a paged explanation, and judge it.",
            "x0tta_cli.drill.cli",
            "x0tta drill  # one incident, end to end",
            settings="x0tta_cli.drill.settings:DrillSettings",
            operations=(
                OperationKind(
                    "drill.tell",
                    resume="x0tta_cli.drill.cli:resume_telling",
                    leftovers="x0tta_cli.drill.cli:leftovers_of_telling",
                ),
            ),
        ),
        Group(
            "ebpf",
            "Attach, watch and remove XDP programs on real interfaces, safely.",
            "x0tta_cli.ebpf.cli",
            "x0tta ebpf probe  # what each interface can do",
            settings="x0tta_cli.ebpf.settings:EbpfSettings",
            probe="x0tta_cli.ebpf.overview:CHECKS",
            status="x0tta_cli.ebpf.overview:status_lines",
            flag="ebpf",
            operations=(
                OperationKind(
                    "ebpf.attach",
                    resume="x0tta_cli.ebpf.interrupted:resume_attach",
                    leftovers="x0tta_cli.ebpf.interrupted:attach_leftovers",
                ),
                OperationKind(
                    "ebpf.detach",
                    resume="x0tta_cli.ebpf.interrupted:resume_detach",
                    leftovers="x0tta_cli.ebpf.interrupted:detach_leftovers",
                ),
                OperationKind("ebpf.rollback"),
                OperationKind("ebpf.block", resume="x0tta_cli.ebpf.blocking:resume"),
            ),
        ),
        Group(
            "alert",
            "Tell the right people, once, and lose nothing.",
            "x0tta_cli.alert.cli",
            "x0tta alert test  # does every channel work?",
            settings="x0tta_cli.alert.settings:AlertSettings",
            probe="x0tta_cli.alert.overview:CHECKS",
            status="x0tta_cli.alert.overview:status_lines",
            flag="alert",
            operations=(
                OperationKind("alert.silence", resume="x0tta_cli.alert.cli.silences:resume"),
            ),
        ),
        Group(
            "pay",
            "Verify and reconcile payments in USDT and TON, to the last unit.",
            "x0tta_cli.pay.cli",
            "x0tta pay reconcile  # what was expected, and what arrived",
            settings="x0tta_cli.pay.settings:PaySettings",
            probe="x0tta_cli.pay.overview:CHECKS",
            status="x0tta_cli.pay.overview:status_lines",
            flag="pay",
        ),
        Group(
            "status",
            "See what is going on, over all groups.",
            "x0tta_cli.terminal.status",
            "x0tta status  # what waits for you",
        ),
        Group(
            "doctor",
            "See whether all that x0tta stands on is well, and how to mend what is not.",
            "x0tta_cli.terminal.doctor",
            "x0tta doctor  # is all well?",
            settings="x0tta_cli.core.doctor.settings:DoctorSettings",
        ),
        Group(
            "bundle",
            "Collect what a maintainer needs into one file, without secrets.",
            "x0tta_cli.terminal.bundle",
            "x0tta bundle --preview  # what would be collected",
        ),
        Group(
            "ops",
            "See what x0tta changed and what was interrupted, and go on with it or clean it up.",
            "x0tta_cli.terminal.ops",
            "x0tta ops list --unfinished  # what was interrupted",
            status="x0tta_cli.core.journal.overview:status_lines",
        ),
        Group(
            "config",
            "Write, show and check the configuration.",
            "x0tta_cli.terminal.config",
            "x0tta config show --origin  # every value, and where it comes from",
            operations=(
                OperationKind(
                    "config.set", leftovers="x0tta_cli.terminal.config_journal:nothing_left"
                ),
                OperationKind(
                    "config.init", leftovers="x0tta_cli.terminal.config_journal:nothing_left"
                ),
            ),
        ),
        Group(
            "flags",
            "See the flags that switch parts of x0tta on and off.",
            "x0tta_cli.flags.cli",
            "x0tta flags list  # each flag, and where its value comes from",
            settings="x0tta_cli.flags.settings:FlagSettings",
            probe="x0tta_cli.flags.overview:CHECKS",
            status="x0tta_cli.flags.overview:status_lines",
        ),
        Group(
            "explain",
            "Say what an error code means and how to mend it.",
            "x0tta_cli.terminal.explain",
            "x0tta explain usage.unknown_option  # what a code means",
        ),
        Group(
            "help",
            "Show the manual of a group, or of x0tta as a whole.",
            "x0tta_cli.terminal.manual",
            "x0tta help drill  # all about a group",
        ),
    )
}
