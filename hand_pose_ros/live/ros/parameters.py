"""The fields of `Parameters` as the parameters of an rclpy node."""

from __future__ import annotations

import array
import dataclasses
from collections.abc import Callable
from typing import Any

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor, SetParametersResult
from rclpy.node import Node
from rclpy.parameter import Parameter

from hand_pose_ros.live.parameters import ParameterError, Parameters, checked_value

_FIELDS = {field.name: field for field in dataclasses.fields(Parameters)}
READ_AT_CONFIGURE = "Read when the node is configured; cannot be changed while it is."


class NodeParameters:
    """Declares the parameters and decides what may be set when.

    A value that was given at the start and cannot be used does not end the process: it is named when the node is configured,
    and until then another can be set.

    :param changed: called with the new values when some were set while `configured`
    """

    def __init__(self, node: Node, changed: Callable[[Parameters], None]) -> None:
        self.configured = False
        self._node, self._changed = node, changed
        self._values: dict[str, Any] = {}
        self._errors: dict[str, str] = {}
        # What was given by files and command line; rclpy has no public way to it before a parameter is declared.
        given = {name: parameter.value for name, parameter in node._parameter_overrides.items()}
        for name, field in _FIELDS.items():
            try:
                self._values[name] = checked_value(field, given.get(name, field.default))
            except ParameterError as error:
                self._values[name], self._errors[name] = field.default, str(error)
            value = self._values[name]
            value = list(value) if isinstance(value, tuple) else value
            node.declare_parameter(name, value, descriptor(field), ignore_override=True)
        self._qos_overrides = [name for name in given if name.startswith("qos_overrides.")]
        for name in given:
            if not node.has_parameter(name) and name not in self._qos_overrides:
                self._warn_unknown(name)
        if hasattr(node, "add_pre_set_parameters_callback"):  # from Iron on; before, "2" is refused where 2.0 is meant
            node.add_pre_set_parameters_callback(_as_declared)
        node.add_on_set_parameters_callback(self._set)

    def current(self) -> Parameters:
        """The values.

        :raises ParameterError: some that were given cannot be used
        """
        if self._errors:
            raise ParameterError("; ".join(self._errors.values()))
        return Parameters(**self._values)

    def unused_overrides(self) -> list[str]:
        """Those of quality of service that no subscription declared, once all are made: mistyped, or of another topic."""
        return [name for name in self._qos_overrides if not self._node.has_parameter(name)]

    def _set(self, parameters: list[Parameter]) -> SetParametersResult:
        new = {parameter.name: parameter.value for parameter in parameters if parameter.name in _FIELDS}
        if not new:
            return SetParametersResult(successful=True)
        try:
            new = {name: checked_value(_FIELDS[name], value) for name, value in new.items()}
            if self.configured:
                self._refuse_read_only(new)
            values = {**self._values, **new}
            errors = {name: text for name, text in self._errors.items() if name not in new}
            candidate = Parameters(**values) if not errors else None
        except ParameterError as error:
            return SetParametersResult(successful=False, reason=str(error))
        self._values, self._errors = values, errors
        if self.configured and candidate:
            self._changed(candidate)
        return SetParametersResult(successful=True)

    def _refuse_read_only(self, new: dict[str, Any]) -> None:
        for name, value in new.items():
            if _FIELDS[name].metadata["read_only"] and value != self._values[name]:
                node = self._node.get_fully_qualified_name()
                raise ParameterError(
                    f"{name} is read when the node is configured: `ros2 lifecycle set {node} cleanup` first "
                    "(deactivate before that), then set it and configure again"
                )

    def _warn_unknown(self, name: str) -> None:
        try:
            Parameters().with_values({name: None})
        except ParameterError as error:
            self._node.get_logger().warning(f"{error} It is left out.")


def descriptor(field: dataclasses.Field) -> ParameterDescriptor:
    """What `ros2 param describe` shows of a field."""
    limits, constraints = field.metadata, []
    message = ParameterDescriptor(description=limits["description"])
    if limits["choices"]:
        constraints.append(f"One of: {', '.join(limits['choices'])}.")
    if limits["read_only"]:
        constraints.append(READ_AT_CONFIGURE)
    message.additional_constraints = " ".join(constraints)
    if limits["minimum"] is not None:
        low, high = limits["minimum"], limits["maximum"]
        if field.type == "int":
            message.integer_range = [IntegerRange(from_value=low, to_value=high)]
        else:
            message.floating_point_range = [FloatingPointRange(from_value=low, to_value=high)]
    return message


def _as_declared(parameters: list[Parameter]) -> list[Parameter]:
    """Whole numbers are as good where floats are meant; a list without any has no type of its own, it stands for the default."""
    return [_converted(p, _FIELDS[p.name]) if p.name in _FIELDS else p for p in parameters]


def _converted(parameter: Parameter, field: dataclasses.Field) -> Parameter:
    if field.type == "float" and parameter.type_ == Parameter.Type.INTEGER:
        return Parameter(field.name, Parameter.Type.DOUBLE, float(parameter.value))
    if field.type.startswith("tuple") and isinstance(parameter.value, (list, tuple, array.array)):
        numbers = list(parameter.value) or list(field.default)
        if all(type(number) in (int, float) for number in numbers):
            return Parameter(field.name, Parameter.Type.DOUBLE_ARRAY, [float(number) for number in numbers])
    return parameter
