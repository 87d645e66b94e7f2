"""What the flags say: read from the configuration, and asked through OpenFeature."""

from __future__ import annotations

from dataclasses import replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from x0tta_cli.core.errors import NotFoundError, UnsupportedError
from x0tta_cli.flags.model import Flag, Kind

if TYPE_CHECKING:
    from openfeature.client import OpenFeatureClient

    from x0tta_cli.core.config import Configuration

SECTION = "flags"
# OpenFeature's name of our flags among those of a program that uses x0tta as a library.
DOMAIN = "x0tta"
KIND_OF = {bool: Kind.BOOLEAN, int: Kind.INTEGER, float: Kind.NUMBER, str: Kind.TEXT}


def flags(configuration: Configuration) -> dict[str, Flag]:
    """Read all flags, by name.

    An unreadable value is an error and never means off: ConfigurationError `config.bad_value`,
    and `config.unknown_key` for a flag in the configuration that does not exist.
    """
    from x0tta_cli.flags.settings import FlagSettings

    settings = configuration.section(SECTION, FlagSettings)
    origins = configuration.origins(SECTION, FlagSettings)
    return {
        name: Flag(
            name,
            KIND_OF[type(field.default)],
            getattr(settings, name),
            field.default,
            origins[f"{SECTION}.{name}"].source,
            field.description or "",
        )
        for name, field in FlagSettings.model_fields.items()
    }


def names() -> list[str]:
    """Name all flags."""
    from x0tta_cli.flags.settings import FlagSettings

    return list(FlagSettings.model_fields)


def client(configuration: Configuration) -> OpenFeatureClient:
    """Give an OpenFeature client to which the configuration provides; raises as `flags`."""
    from openfeature.api import get_client, set_provider_and_wait

    from x0tta_cli.flags.provider import ConfigurationProvider

    set_provider_and_wait(ConfigurationProvider(flags(configuration)), DOMAIN)
    return get_client(DOMAIN)


def evaluate_all(configuration: Configuration) -> list[Flag]:
    """Ask OpenFeature for every flag; raises as `flags`."""
    asked = client(configuration)
    return [_evaluated(flag, asked) for flag in flags(configuration).values()]


def evaluate(name: str, configuration: Configuration) -> Flag:
    """Ask OpenFeature for one flag; NotFoundError `flags.unknown`, and raises as `flags`."""
    known = flags(configuration)
    if name not in known:
        raise _unknown(name, list(known))
    return _evaluated(known[name], client(configuration))


def switched_off(configuration: Configuration) -> list[Flag]:
    """List the flags that switch a part of x0tta off; raises as `flags`.

    None is off by default, so that where nobody says anything pydantic stays out.
    """
    if not configuration.is_given(SECTION):
        return []
    return [flag for flag in flags(configuration).values() if flag.is_off]


def require_on(name: str, configuration: Configuration) -> None:
    """Make sure that no flag has switched a capability off, before it is used.

    Does without OpenFeature, so that it costs no more than reading the section. Raises
    UnsupportedError `flags.switched_off`, and as `flags`.
    """
    flag = flags(configuration)[name]
    if flag.is_off:
        raise UnsupportedError(
            "flags.switched_off",
            f"This needs {name}, which is switched off.",
            reason=f"The flag is off: {flag.source}.",
            fix=way_on(flag, configuration),
            context={"flag": name, "source": flag.source},
        )


def _evaluated(flag: Flag, asked: OpenFeatureClient) -> Flag:
    ask: dict[Kind, Any] = {
        Kind.BOOLEAN: asked.get_boolean_details,
        Kind.INTEGER: asked.get_integer_details,
        Kind.NUMBER: asked.get_float_details,
        Kind.TEXT: asked.get_string_details,
    }
    details = ask[flag.kind](flag.name, flag.default)
    return replace(flag, value=details.value, source=details.flag_metadata["source"])


def way_on(flag: Flag, configuration: Configuration) -> str:
    """Say what to type to switch a flag on that is off."""
    if flag.source.startswith("environment "):
        return f"unset {flag.source.removeprefix('environment ')}"
    strongest = configuration.places()[-1]
    words = ["x0tta config set", f"{SECTION}.{flag.name} on"]
    words += [f"--config {strongest.path}"] if strongest.given_by == "--config" else []
    words += [f"--profile {configuration.profile}"] if configuration.profile else []
    return " ".join(words)


def _unknown(name: str, known: list[str]) -> NotFoundError:
    meant = get_close_matches(name, known, n=1)
    return NotFoundError(
        "flags.unknown",
        f"There is no flag '{name}'.",
        reason=f"The flags are {', '.join(known)}.",
        fix=f"Did you mean {meant[0]}?" if meant else "See x0tta flags list.",
        context={"flag": name},
    )
