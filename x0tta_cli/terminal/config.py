"""`x0tta config`: write, show and check the configuration.

`path`, `check`, `schema` and `init` work beside a file that is broken.
"""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from x0tta_cli.terminal.command import App, Listed, Verbatim, configuration, session
from x0tta_cli.terminal.config_journal import journaled_edit, journaled_file
from x0tta_cli.terminal.config_results import (
    Change,
    Checked,
    ConfigFile,
    NewFile,
    Outcome,
    Setting,
    SettingOrigin,
    bare,
    blocks_of_change,
    blocks_of_check,
    blocks_of_files,
    blocks_of_new_file,
    blocks_of_schema,
    blocks_of_settings,
    problem_of,
    state_of,
    when_changed,
)
from x0tta_cli.terminal.groups import settings_models

if TYPE_CHECKING:
    from x0tta_cli.core.config.layers import Place

app = App("Write, show and check the configuration.")

System = Annotated[
    bool, typer.Option("--system", help="The file of all users, /etc/x0tta/config.toml.")
]
KeyName = Annotated[
    str,
    typer.Argument(metavar="KEY", help="Section and key, as drill.seed."),
    Listed("x0tta_cli.terminal.config:key_names"),
]


@app.command(
    view=blocks_of_new_file,
    changes_world=True,
    examples=[
        "x0tta config init  # a file of your own, with every key explained",
        "x0tta config init --system  # as root: /etc/x0tta/config.toml, for cron and services",
        "x0tta config init --config night.toml --dry-run",
    ],
)
def init(
    system: System = False,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that exists.")] = False,
) -> NewFile:
    """Write a first file: every key with its meaning and its default, commented out.

    It is your own file, or the one that --config or X0TTA_CONFIG names. One that exists is not
    touched without --force.
    """
    from x0tta_cli.core.config import editing, template

    place = target(system=system)
    content = template.template(settings_models())
    if session().dry_run:
        editing.refuse_existing(place, force=force)
        return NewFile(place.path, Outcome.PLANNED, content)
    editing.refuse_existing(place, force=force)
    with journaled_file(place.path):
        editing.create(place, content, force=force)
    return NewFile(place.path, Outcome.WRITTEN, content)


@app.command(
    view=lambda setting: [Verbatim(bare(setting.value))],
    examples=[
        "x0tta config get drill.seed",
        "x0tta config get drill.data -o json  # with where it comes from",
    ],
)
def get(key: KeyName) -> Setting:
    """Print the value of a key that is in force.

    Where none is set, the line is empty. Of a secret it says where the secret is, never what it is.
    """
    from x0tta_cli.core.config.keys import find_key

    models = settings_models()
    found = find_key(key, models)
    section = found.path[0]
    origin = configuration().origins(section, models[section]).get(found.name)
    # A key of a free table is known to nobody but the file that has it.
    return Setting(found.name, origin and origin.plain, origin.source if origin else "default")


@app.command(
    "set",
    view=blocks_of_change,
    changes_world=True,
    examples=[
        "x0tta config set drill.seed 7",
        "x0tta config set flags.graphsage off",
        "x0tta config set drill.seed 8 --profile night  # in [profiles.night.drill]",
        "x0tta config set --system drill.data /srv/recordings --dry-run",
    ],
)
def set_(
    key: KeyName,
    value: Annotated[
        str,
        typer.Argument(help="As the key's type: 7, on, 1h30m, a,b; or as in TOML: [1, 2]."),
    ],
    system: System = False,
) -> Change:
    """Set a key in a configuration file; its comments and order stay.

    The file is your own, or the one that --config or X0TTA_CONFIG names. A value that the key
    can't have, and a key that does not exist, are refused before anything is written. With
    --profile, or X0TTA_PROFILE, the profile's own table is changed.
    """
    from x0tta_cli.core.config import editing
    from x0tta_cli.core.config.keys import find_key

    models = settings_models()
    found = find_key(key, models)
    profile, is_plan = configuration().profile, session().dry_run
    set_key = partial(editing.edit, target(system=system), found, value, models, profile=profile)
    edit = set_key(dry_run=True)
    if edit.is_change and not is_plan:
        with journaled_edit(
            found, file=edit.file, profile=profile, before=edit.before, value=edit.value
        ):
            edit = set_key()
    outcome = Outcome.UNCHANGED
    if edit.is_change:
        outcome = Outcome.PLANNED if is_plan else Outcome.WRITTEN
    overridden_by = None if is_plan else editing.stronger_than(edit, found, configuration(), models)
    return Change(found.name, edit.value, edit.before, edit.file, profile, outcome, overridden_by)


@app.command(view=blocks_of_files, examples=["x0tta config path", "x0tta config path -o json"])
def path() -> list[ConfigFile]:
    """List the files that are looked for, the strongest first.

    Options of a command and the environment are stronger than all of them. No file of the current
    folder is among them, unless it is named.
    """
    from x0tta_cli.core.config.checking import problems_of_place

    models = settings_models()
    return [
        ConfigFile(
            place.path,
            place.given_by,
            *state_of(problems_of_place(place, models)),
            when_changed(place.path),
        )
        for place in reversed(configuration().places())
    ]


@app.command(
    view=blocks_of_check,
    examples=[
        "x0tta config check",
        "x0tta config check --config new.toml  # before it is put in place",
        "x0tta config check -o json",
    ],
)
def check() -> Checked:
    """Check all files and profiles, the environment, and the secrets.

    Every problem is listed, not the first alone. Ends with 0 where there is none, else with the
    status of the gravest: 9 for what is invalid, 6 for a secret or file with the wrong rights.
    """
    models, current = settings_models(), configuration()
    # access(2) answers no where a folder above may not even be entered.
    files = tuple(place.path for place in current.places() if os.access(place.path, os.R_OK))
    problems = tuple(map(problem_of, current.check(models)))
    return Checked(files, current.profile, tuple(models), problems)


@app.command(
    view=blocks_of_schema,
    examples=[
        "x0tta config schema > x0tta.schema.json  # for editors that check TOML",
    ],
)
def schema() -> dict[str, Any]:
    """Print the JSON Schema of the configuration file.

    Editors take it: with Taplo or Even Better TOML, write `#:schema ./x0tta.schema.json` into the
    first line of the configuration file.
    """
    from x0tta_cli.core.config.schema import schema as schema_of

    return schema_of(settings_models())


@app.command(
    view=blocks_of_settings,
    examples=[
        "x0tta config show",
        "x0tta config show drill --origin  # with file and line of each value",
        "x0tta config show --profile night -o json",
    ],
)
def show(
    section: Annotated[
        str | None,
        typer.Argument(help="Only this section, as drill."),
        Listed("x0tta_cli.terminal.groups:settings_models"),
    ] = None,
    origin: Annotated[
        bool, typer.Option("--origin", help="Where each value comes from, to the line.")
    ] = False,
) -> list[Setting] | list[SettingOrigin]:
    """Show every value that is in force.

    Of a secret it says where the secret is, never what it is.
    """
    from x0tta_cli.core.config.keys import find_section

    models = settings_models()
    names = [find_section(section, models)] if section else list(models)
    found = [
        (key, value)
        for name in names
        for key, value in configuration().origins(name, models[name]).items()
    ]
    if origin:
        return [SettingOrigin(key, o.plain, o.source, o.line) for key, o in found]
    return [Setting(key, o.plain, o.source) for key, o in found]


def key_names() -> list[str]:
    """List the keys of all sections, for completion."""
    from x0tta_cli.core.config.keys import all_keys

    return all_keys(settings_models())


def target(*, system: bool) -> Place:
    """Choose the file to write; UsageError where two were named."""
    from x0tta_cli.core.config import editing
    from x0tta_cli.core.errors import UsageError

    if system and session().config is not None:
        raise UsageError(
            "usage.exclusive_options",
            "--system and --config each name a file.",
            fix="Leave one of them out.",
        )
    return editing.target(configuration().places(), system=system)
