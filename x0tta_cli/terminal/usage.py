"""What Typer says about a wrong command line, as errors with a code and a mend."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from typer import BadParameter
from typer._click import exceptions as typer_errors

from x0tta_cli.core.errors import UsageError
from x0tta_cli.terminal.help import display_name
from x0tta_cli.terminal.options import did_you_mean

NEARLY = 0.7


def translated(error: typer_errors.UsageError, context: Any) -> UsageError:
    """Turn a parser's complaint about the command of `context` into a `usage.*` error."""
    path = context.command_path
    see_help = f"See {path} --help."
    if isinstance(error, typer_errors.NoSuchOption):
        return _unknown_option(error.option_name, context)
    if isinstance(error, typer_errors.MissingParameter):
        return _missing(error, path)
    if isinstance(error, typer_errors.BadOptionUsage):
        return _wrong_number_of_values(error, path)
    if isinstance(error, BadParameter):
        name = display_name(error.param) if error.param else "a value"
        return UsageError(
            "usage.bad_value",
            f"{name} can't be {_value(error)}.",
            reason=_sentence(error.message),
            fix=see_help,
            context={"command": path, "parameter": name},
        )
    return UsageError(
        "usage.bad_value",
        _sentence(error.format_message()),
        fix=see_help,
        context={"command": path},
    )


def refuse_bytes(value: Any, parameter: Any, path: str) -> None:
    """Refuse bytes that are no UTF-8 where a text is needed; UsageError `usage.bad_value`.

    Python hands them on as lone surrogates.
    """
    from x0tta_cli.core.text import is_unicode

    given = value if isinstance(value, list | tuple) else [value]
    texts = [one for one in given if isinstance(one, str) and not one.isascii()]
    if all(map(is_unicode, texts)):
        return
    name = display_name(parameter)
    raise UsageError(
        "usage.bad_value",
        f"{name} is no text.",
        reason="It has bytes that are not UTF-8.",
        fix="Write it in UTF-8; locale shows what this terminal writes.",
        context={"command": path, "parameter": name},
    )


def unknown_command(name: str, possibilities: Sequence[str], path: str) -> UsageError:
    """Say that a group has no such command."""
    return UsageError(
        "usage.unknown_command",
        f"{path} has no command '{name}'.",
        reason=f"It has {_listed(possibilities)}." if possibilities else "",
        fix=did_you_mean(name, possibilities) or f"See {path} --help.",
        context={"command": path, "argument": name},
    )


def refuse_typing_error(word: str | None, commands: Sequence[str], path: str) -> None:
    """Refuse what is nearly a command, where it would become the default command's argument.

    Raises UsageError `usage.unknown_command`.
    """
    from difflib import get_close_matches

    meant = get_close_matches(word or "", commands, n=1, cutoff=NEARLY)
    if meant:
        raise UsageError(
            "usage.unknown_command",
            f"{path} has no command '{word}'.",
            fix=f"Did you mean {meant[0]}? As an argument, write it after the command's name.",
            context={"command": path, "argument": word},
        )


def missing_command(possibilities: Sequence[str], path: str) -> UsageError:
    """Say that a group alone does nothing."""
    return UsageError(
        "usage.missing_command",
        f"{path} needs a command.",
        reason=f"It has {_listed(possibilities)}.",
        fix=f"See {path} --help.",
        context={"command": path},
    )


def unexpected_argument(arguments: Sequence[str], path: str) -> UsageError:
    """Say that a command takes fewer arguments."""
    return UsageError(
        "usage.unexpected_argument",
        f"{path} has no use for '{' '.join(arguments)}'.",
        fix=f"See {path} --help; put a value that has spaces into quotes.",
        context={"command": path, "arguments": list(arguments)},
    )


def _unknown_option(name: str, context: Any) -> UsageError:
    possibilities = [
        flag
        for parameter in context.command.get_params(context)
        if parameter.param_type_name == "option" and not parameter.hidden
        for flag in (*parameter.opts, *parameter.secondary_opts)
    ]
    path = context.command_path
    see_help = f"See {path} --help."
    if name[1:2].isdigit():
        see_help = "A value that begins with '-' comes after '--', behind all options."
    return UsageError(
        "usage.unknown_option",
        f"{path} has no option {name}.",
        fix=did_you_mean(name, possibilities) or see_help,
        context={"command": path, "option": name},
    )


def _wrong_number_of_values(error: typer_errors.BadOptionUsage, path: str) -> UsageError:
    name = error.option_name
    if "does not take" in error.message:
        return UsageError(
            "usage.bad_value",
            f"{name} takes no value.",
            fix=f"See {path} --help.",
            context={"command": path, "parameter": name},
        )
    return UsageError(
        "usage.missing_argument",
        f"{name} needs a value.",
        fix=f"See {path} --help.",
        context={"command": path, "parameter": name},
    )


def _missing(error: typer_errors.MissingParameter, path: str) -> UsageError:
    name = display_name(error.param) if error.param else "an argument"
    return UsageError(
        "usage.missing_argument",
        f"{path} needs {name}.",
        reason=getattr(error.param, "help", None) or "",
        fix=f"See {path} --help.",
        context={"command": path, "parameter": name},
    )


def _value(error: BadParameter) -> str:
    """Name the value that was refused, where pydantic tells it."""
    errors = getattr(error.__cause__, "errors", None)
    return f"'{errors()[0]['input']}'" if errors else "this"


def _listed(names: Sequence[str]) -> str:
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"


def _sentence(text: str) -> str:
    text = text.strip().removeprefix("Value error, ")
    return text if text.endswith((".", "?", "!")) else f"{text}."
