"""`tensorrt_binding_check.py MODULE < uses.json`, run in a process of its own, says as JSON which uses a real binding has not.

Signatures are those that pybind11 writes into docstrings: `name(self: Builder, flags: int = 0) -> INetworkDefinition`, numbered
where there are several.
"""

from __future__ import annotations

import importlib
import inspect
import json
import re
import sys
from typing import Any


def main() -> None:
    """Answer one list of uses."""
    library = importlib.import_module(sys.argv[1])
    problems = [(use, problem) for use in json.load(sys.stdin) if (problem := problem_of(library, use))]
    print(json.dumps({"version": library.__version__, "problems": problems}))


def problem_of(library: Any, use: dict[str, Any]) -> str:
    """Why a use would fail, "" if it would not."""
    parent, found = None, library
    for part in use["name"].split("."):
        if isinstance(found, property):
            return ""  # of a value whose type is known at run time only
        parent, found = found, inspect.getattr_static(found, part, None) if inspect.isclass(found) else getattr(found, part, None)
        if found is None and part not in dir(parent):
            return f"{use['name']} is missing"
    if use["kind"] == "write" and not (isinstance(found, property) and found.fset is not None):
        return f"{use['name']} cannot be set"
    if use["kind"] not in ("call", "override") or use["positional"] < 0:
        return ""
    function = getattr(found, "__init__") if inspect.isclass(found) else found  # noqa: B009
    signatures = parameters(function.__doc__ or "", function.__name__)
    if not signatures:
        return f"{use['name']} has no signature"
    fits = any(_fits(signature, use) for signature in signatures)
    return "" if fits else f"{use['name']} does not take {use['positional']} arguments and {use['keywords']}: {signatures}"


def parameters(doc: str, name: str) -> list[list[tuple[str, bool]]]:
    """(name, whether it may be left out) of each parameter beside self, for each signature in a docstring."""
    found = re.findall(rf"^(?:\d+\. )?{name}\((.*)\)(?: -> .*)?$", doc, re.MULTILINE)
    listed = [[p.strip() for p in _split(text)] for text in found if text != "*args, **kwargs"]
    return [[(p.split(":")[0].strip(), "=" in p) for p in group if p and not p.startswith("self")] for group in listed]


def _fits(signature: list[tuple[str, bool]], use: dict[str, Any]) -> bool:
    rest = signature[use["positional"] :]
    if use["positional"] > len(signature) or (use["kind"] == "override" and rest):
        return False
    names = {name for name, _ in rest}
    required = {name for name, optional in rest if not optional}
    return set(use["keywords"]) <= names and required <= set(use["keywords"])


def _split(text: str) -> list[str]:
    """Parts at commas that no bracket encloses."""
    parts, depth = [""], 0
    for character in text:
        depth += (character in "[(<") - (character in "])>")
        if character == "," and not depth:
            parts.append("")
        else:
            parts[-1] += character
    return parts


if __name__ == "__main__":
    main()
