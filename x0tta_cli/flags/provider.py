"""The configuration as a provider of OpenFeature (https://openfeature.dev/specification).

Imported only by who evaluates flags: the SDK takes 40 ms.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from openfeature.evaluation_context import EvaluationContext
from openfeature.exception import FlagNotFoundError, TypeMismatchError
from openfeature.flag_evaluation import FlagResolutionDetails, FlagValueType, Reason
from openfeature.provider import AbstractProvider, Metadata

from x0tta_cli.flags.model import Flag, Kind

Value = TypeVar("Value")


class ConfigurationProvider(AbstractProvider):
    """Resolves flags that were read from the configuration; the same for every context.

    The metadata of an evaluation has the `source` of the value.
    """

    def __init__(self, flags: Mapping[str, Flag]) -> None:
        super().__init__()
        self._flags = flags

    def get_metadata(self) -> Metadata:
        """Name the provider."""
        return Metadata(name="x0tta configuration")

    def resolve_boolean_details(
        self,
        flag_key: str,
        default_value: bool,
        evaluation_context: EvaluationContext | None = None,  # noqa: ARG002
    ) -> FlagResolutionDetails[bool]:
        """Resolve a flag that is on or off."""
        return self._resolve(flag_key, Kind.BOOLEAN, default_value)

    def resolve_string_details(
        self,
        flag_key: str,
        default_value: str,
        evaluation_context: EvaluationContext | None = None,  # noqa: ARG002
    ) -> FlagResolutionDetails[str]:
        """Resolve a flag that is a text."""
        return self._resolve(flag_key, Kind.TEXT, default_value)

    def resolve_integer_details(
        self,
        flag_key: str,
        default_value: int,
        evaluation_context: EvaluationContext | None = None,  # noqa: ARG002
    ) -> FlagResolutionDetails[int]:
        """Resolve a flag that is a whole number."""
        return self._resolve(flag_key, Kind.INTEGER, default_value)

    def resolve_float_details(
        self,
        flag_key: str,
        default_value: float,
        evaluation_context: EvaluationContext | None = None,  # noqa: ARG002
    ) -> FlagResolutionDetails[float]:
        """Resolve a flag that is a number."""
        return self._resolve(flag_key, Kind.NUMBER, default_value)

    def resolve_object_details(
        self,
        flag_key: str,
        default_value: Sequence[FlagValueType] | Mapping[str, FlagValueType],  # noqa: ARG002
        evaluation_context: EvaluationContext | None = None,  # noqa: ARG002
    ) -> FlagResolutionDetails[Sequence[FlagValueType] | Mapping[str, FlagValueType]]:
        """Refuse: no flag of x0tta is a table or a list."""
        raise TypeMismatchError(f"{flag_key} is neither a table nor a list.")

    def _resolve(self, name: str, kind: Kind, _default: Value) -> FlagResolutionDetails[Value]:
        flag = self._flags.get(name)
        if flag is None:
            raise FlagNotFoundError(f"There is no flag {name}.")
        if flag.kind is not kind:
            raise TypeMismatchError(f"{name} is a {flag.kind}, not a {kind}.")
        value: Any = flag.value
        is_default = flag.source == "default"
        return FlagResolutionDetails(
            value=value,
            reason=Reason.DEFAULT if is_default else Reason.STATIC,
            flag_metadata={"source": flag.source},
        )
