"""What our source uses of TensorRT's Python interface, read off the source itself, so that the list cannot go stale.

Objects are known by the names that the code gives them (OWNERS, RESULTS); what a function whose name ends in `_rtx` uses need not
be in full TensorRT; what is asked for with `getattr(owner, "name", None)` may be missing.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

# Names of variables, and of attributes without their underscore; "" is the library's module.
OWNERS = {
    "trt": "",
    "module": "",
    "severity": "ILogger.Severity",
    "builder": "Builder",
    "network": "INetworkDefinition",
    "config": "IBuilderConfig",
    "parser": "OnnxParser",
    "profile": "IOptimizationProfile",
    "tensor": "ITensor",
    "layer": "ILayer",
    "runtime": "Runtime",
    "engine": "ICudaEngine",
    "runtime_config": "IRuntimeConfig",
    "context": "IExecutionContext",
}
# What these methods return.
RESULTS = {"get_error": "ParserError", "get_input": "ITensor", "get_output": "ITensor", "get_layer": "ILayer"}


@dataclass(frozen=True)
class Use:
    """One use.

    :param name: for example "BuilderFlag.TF32" or "Builder.create_network"
    :param kind: "read", "write", "call", or "override" of a method in a subclass
    :param positional: of a call or override: how many arguments beside self; -1 where a starred one hides it
    :param keywords: names of the others
    :param optional: the code asks first whether it is there
    :param rtx_only: in a function for TensorRT-RTX
    """

    name: str
    kind: str
    positional: int
    keywords: tuple[str, ...]
    optional: bool
    rtx_only: bool
    where: str


def uses_of(file: Path) -> list[Use]:
    """All uses in a file."""
    return list(_walk(ast.parse(file.read_text()), file.name, rtx_only=False))


def _walk(node: ast.AST, file: str, rtx_only: bool) -> Iterator[Use]:
    rtx_only = rtx_only or (isinstance(node, ast.FunctionDef) and node.name.endswith("_rtx"))
    yield from _here(node, file, rtx_only)
    for child in ast.iter_child_nodes(node):
        yield from _walk(child, file, rtx_only)


def _here(node: ast.AST, file: str, rtx_only: bool) -> Iterator[Use]:
    def use(name: str, kind: str, positional: int = 0, keywords: tuple[str, ...] = (), optional: bool = False) -> Use:
        return Use(name, kind, positional, keywords, optional, rtx_only, f"{file}:{getattr(node, 'lineno', 0)}")

    if isinstance(node, ast.Call):
        if isinstance(node.func, ast.Name) and node.func.id == "getattr" and len(node.args) == 3:
            owner, name = path_of(node.args[0]), node.args[1]
            if owner is not None and isinstance(name, ast.Constant):
                yield use(_join(owner, name.value), "read", optional=True)
        path = path_of(node.func)
        if path:
            starred = any(isinstance(a, ast.Starred) for a in node.args)
            positional = len(node.args) - path.endswith("__init__")  # called with self
            yield use(path, "call", -1 if starred else positional, tuple(k.arg for k in node.keywords if k.arg))
    elif isinstance(node, ast.Attribute):
        path = path_of(node)
        if path and path_of(node.value) is not None:  # else it is an attribute of ours that holds one
            yield use(path, "write" if isinstance(node.ctx, ast.Store) else "read")
    elif isinstance(node, ast.ClassDef):
        for base in node.bases:
            path = path_of(base)
            for method in node.body if path else ():
                if isinstance(method, ast.FunctionDef) and not method.name.startswith("_"):
                    yield use(_join(path, method.name), "override", len(method.args.args) - 1)


def path_of(node: ast.AST) -> str | None:
    """The name below the library's module that an expression stands for; "" is the module, None is nothing of TensorRT's."""
    if isinstance(node, ast.Name):
        return OWNERS.get(node.id)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return RESULTS.get(node.func.attr) if path_of(node.func) else None
    if isinstance(node, ast.Attribute):
        owner = path_of(node.value)
        if owner is not None:
            return _join(owner, node.attr)
        return OWNERS.get(node.attr.lstrip("_")) if node.attr.startswith("_") or node.attr == "module" else None
    return None


def _join(owner: str, name: str) -> str:
    return f"{owner}.{name}" if owner else name
