"""A shared library that exports functions which do nothing: enough for a Python binding to be imported without the real one.

It is written here byte by byte (ELF, 64 bit, little endian; System V ABI), so that a test needs no compiler.
"""

from __future__ import annotations

import platform
import struct
from collections.abc import Sequence
from pathlib import Path

# e_machine, and "return 0"
MACHINES = {"x86_64": (62, bytes.fromhex("31c0c3")), "aarch64": (183, bytes.fromhex("000080d2c0035fd6"))}

_PAGE = 0x10000  # the largest page of these machines
_HEADER, _SEGMENT, _SYMBOL = 64, 56, 24
_LOAD, _DYNAMIC, _STACK = 1, 2, 0x6474E551
_READ, _WRITE, _RUN = 4, 2, 1
_HASH_TAG, _STRINGS_TAG, _SYMBOLS_TAG, _STRINGS_SIZE_TAG, _SYMBOL_SIZE_TAG, _NAME_TAG = 4, 5, 6, 10, 11, 14
_GLOBAL_FUNCTION = 1 << 4 | 2
_SEGMENTS = 4


def write_stub_library(path: Path, functions: Sequence[str]) -> None:
    """Write the library; its soname is the file's name.

    :raises KeyError: on a machine that is not in MACHINES
    """
    machine, code = MACHINES[platform.machine()]
    strings, at = b"\0", {}
    for name in (path.name, *functions):
        at[name] = len(strings)
        strings += name.encode() + b"\0"
    count = len(functions) + 1
    # One bucket, whose chain runs through all symbols; symbol 0 is none.
    hashes = struct.pack(f"<{3 + count}I", 1, count, 1 if functions else 0, 0, *range(2, count), *([0] if functions else []))

    hash_at = _align(_HEADER + _SEGMENTS * _SEGMENT)
    symbols_at = _align(hash_at + len(hashes))
    strings_at = symbols_at + count * _SYMBOL
    code_at = _align(strings_at + len(strings))
    end = code_at + len(code)
    symbols = bytes(_SYMBOL) + b"".join(
        struct.pack("<IBBHQQ", at[name], _GLOBAL_FUNCTION, 0, 1, code_at, len(code)) for name in functions
    )
    dynamic = b"".join(
        struct.pack("<qQ", tag, value)
        for tag, value in (
            (_NAME_TAG, at[path.name]),
            (_HASH_TAG, hash_at),
            (_STRINGS_TAG, strings_at),
            (_SYMBOLS_TAG, symbols_at),
            (_STRINGS_SIZE_TAG, len(strings)),
            (_SYMBOL_SIZE_TAG, _SYMBOL),
            (0, 0),
        )
    )
    identity = b"\x7fELF" + bytes([2, 1, 1]) + bytes(9)
    header = identity + struct.pack("<HHIQQQIHHHHHH", 3, machine, 1, 0, _HEADER, 0, 0, _HEADER, _SEGMENT, _SEGMENTS, 64, 0, 0)
    segments = (
        _segment(_LOAD, _READ | _RUN, 0, end, _PAGE)
        + _segment(_LOAD, _READ | _WRITE, _PAGE, len(dynamic), _PAGE)
        + _segment(_DYNAMIC, _READ | _WRITE, _PAGE, len(dynamic), 8)
        + _segment(_STACK, _READ | _WRITE, 0, 0, 16)
    )
    content = bytearray(_PAGE)
    for start, part in ((0, header + segments), (hash_at, hashes), (symbols_at, symbols), (strings_at, strings), (code_at, code)):
        content[start : start + len(part)] = part
    path.write_bytes(bytes(content) + dynamic)


def _segment(kind: int, flags: int, at: int, size: int, align: int) -> bytes:
    return struct.pack("<IIQQQQQQ", kind, flags, at, at, at, size, size, align)


def _align(offset: int) -> int:
    return -(-offset // 16) * 16
