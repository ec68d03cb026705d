"""Pickled annotation files, read without running anything in them: numbers, text, lists, dicts and plain numeric arrays.

A pickle is a program. This reader knows the few calls that NumPy arrays need and answers them with stand-ins of its own, which
become arrays once the file is read; NumPy's own reconstruction, which trusts what it is told about memory, is never called.
Everything else that a file asks for is refused before it is looked up.
"""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np

from hand_pose_training.datasets.files import need
from hand_pose_training.datasets.sample import DatasetError

_NUMERIC = "biufcSU"  # kinds of dtype that hold no Python objects


def load_pickle(path: Path, where: str) -> Any:
    """The content of a pickle of Python 2 or 3.

    :param where: which dataset it belongs to and where that is found
    :raises DatasetError: missing or corrupt file, or one that asks for anything but numeric arrays
    """
    try:
        with open(need(path, where), "rb") as file:
            return _plain(_Restricted(file, encoding="latin1").load())
    except DatasetError:
        raise
    except _Refused as error:
        raise DatasetError(
            f"{path} asks for {error}, which no annotation needs; nothing in it was run; it should be as in the {where}"
        ) from None
    except Exception as error:  # a corrupt pickle raises nearly any exception
        raise DatasetError(
            f"{path} is no readable annotation file ({type(error).__name__}: {error}); it should be as in the {where}"
        ) from error


class _Refused(Exception):
    """A call that annotation files do not need."""


class _Dtype:
    """Stand-in for numpy.dtype(text, align, copy) and its state."""

    def __init__(self, text: str, *_: object) -> None:
        self.dtype = np.dtype(_text(text))
        if self.dtype.kind not in _NUMERIC:
            raise _Refused(f"an array of {self.dtype}")

    def __setstate__(self, state: tuple) -> None:
        if any(part is not None for part in state[2:5]):  # sub-arrays, field names, fields
            raise _Refused("an array with fields")
        if state[1] in ("<", ">"):
            self.dtype = self.dtype.newbyteorder(state[1])


class _Array:
    """Stand-in for an array that its state fills."""

    def __init__(self, *_: object) -> None:
        self.array: np.ndarray | None = None

    def __setstate__(self, state: tuple) -> None:
        _, shape, dtype, fortran, data = state
        self.array = _from_bytes(data, dtype, shape, "F" if fortran else "C")


class _Call:
    """What a file gets when it names one of the calls below: an object of this one load, with nothing to reach through it."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, *args: object) -> object:
        return _CALLS[self.name](*args)


def _from_bytes(data: object, dtype: _Dtype, shape: tuple, order: str) -> np.ndarray:
    raw = data.encode("latin1") if isinstance(data, str) else data
    if not isinstance(raw, (bytes, bytearray)):
        raise ValueError("an array's numbers are no bytes")
    return np.frombuffer(raw, dtype.dtype).reshape(shape, order=order).copy()


def _text(value: object) -> str:
    return value.decode("latin1") if isinstance(value, bytes) else str(value)


def _encode(text: str, encoding: str) -> bytes:
    """Python 3 writes bytes for old protocols as encoded text."""
    if encoding != "latin1":
        raise _Refused(f"_codecs.encode to {encoding}")
    return text.encode("latin1")


def _no_class() -> None:
    """numpy.ndarray is only ever named as an argument."""
    raise _Refused("a call of numpy.ndarray")


_CALLS = {
    "numpy.ndarray": _no_class,
    "numpy.dtype": _Dtype,
    "numpy.core.multiarray._reconstruct": _Array,
    "numpy.core.multiarray.scalar": lambda dtype, data: _from_bytes(data, dtype, (), "C")[()],
    "numpy.core.numeric._frombuffer": _from_bytes,
    "collections.OrderedDict": lambda pairs=(): dict(pairs),
    "_codecs.encode": _encode,
    "__builtin__.bytes": lambda: b"",  # an empty array, by Python 3 in an old protocol
}


class _Restricted(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> _Call:
        # NumPy 2 calls numpy.core numpy._core.
        key = f"{module.replace('numpy._core', 'numpy.core')}.{name}"
        if key not in _CALLS:
            raise _Refused(f"{module}.{name}")
        return _Call(key)


def _plain(value: Any) -> Any:
    """Stand-ins -> arrays, in containers too."""
    if isinstance(value, _Array):
        if value.array is None:
            raise ValueError("an array without content")
        return value.array
    if isinstance(value, dict):
        return {_plain(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_plain(item) for item in value)
    if isinstance(value, (_Call, _Dtype)):
        raise _Refused("a bare type")
    return value
