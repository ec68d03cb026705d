"""`hand-pose engine build|list|info|clear`: TensorRT plans made beforehand, and what the cache holds."""

from __future__ import annotations

import argparse
import json
import logging
import sys
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tqdm import tqdm

from hand_pose_ros.inference.cuda_device import find_device
from hand_pose_ros.inference.engine_builder import BuildRequest, BuiltPlan, PlanBuild
from hand_pose_ros.inference.engine_cache import FOLDER_VARIABLE, CacheError, EngineCache, Entry, default_folder
from hand_pose_ros.inference.model_card import ModelError
from hand_pose_ros.inference.model_choice import PRECISION_CHOICES, choose_model, full_file, half_file
from hand_pose_ros.inference.plan_key import MAX_BATCH, PlanKey, file_sha256, key_of
from hand_pose_ros.inference.stale_plans import stale_reason, this_machine
from hand_pose_ros.inference.tensorrt_library import FLAVOURS, find_tensorrt
from hand_pose_ros.share import ShareError, model_file

_SHOWN_DIGITS = 12  # of a key, in a list
_POLL_S = 0.1

BUILD_JSON = """With --json, one object: plan (the file), key (its name), model, built_for (what it depends on), plan_mb,
seconds (0 if it was in the cache), and reused (true: it was there, or another process has built it meanwhile)."""
LIST_JSON = """With --json, a list of objects: key, plan (the file), state ("ready", "stale: WHY", "unusable: WHY"), and unless
unusable: model, built_for (what it depends on), plan_mb, built (UTC), build_s (seconds that it took)."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `hand-pose engine`."""
    verbs = parser.add_subparsers(metavar="COMMAND", required=True)
    build = _verb(verbs, "build", _build, "build the plan of a model into the cache, so that the node starts at once", BUILD_JSON)
    build.add_argument("model", metavar="MODEL", help="model file (.onnx), or the name of one of the package's, as hand21_fast")
    build.add_argument(
        "--precision",
        choices=PRECISION_CHOICES,
        default="auto",
        help="fp16: MODEL_fp16.onnx beside it; auto: that if there is one (%(default)s)",
    )
    build.add_argument(
        "--max-batch",
        type=int,
        default=MAX_BATCH,
        metavar="N",
        help="most crops at once; the node asks for the default, %(default)s",
    )
    build.add_argument("--flavour", choices=FLAVOURS, help="which TensorRT; default: the first of these that is installed")
    place = build.add_mutually_exclusive_group()
    place.add_argument("--device", type=int, default=0, metavar="N", help="GPU to build for (%(default)s)")
    place.add_argument(
        "--for",
        dest="compute_capability",
        default="",
        metavar="X.Y",
        help="build for all GPUs of this compute capability, on a machine that need not have one (TensorRT-RTX only)",
    )
    _verb(verbs, "list", _list, "list the plans of the cache", LIST_JSON)
    info = _verb(verbs, "info", _info, "tell what plans were built from", LIST_JSON)
    info.add_argument("name", metavar="KEY|FILE", help="first digits of a plan's key, a plan file, a model file or its name")
    clear = _verb(verbs, "clear", _clear, "remove plans; one that is needed again is built again", "")
    which = clear.add_mutually_exclusive_group(required=True)
    which.add_argument("--all", action="store_true", help="every plan")
    which.add_argument(
        "--stale", action="store_true", help="those that cannot be loaded here any more, or whose model file changed or is gone"
    )


def run(args: argparse.Namespace) -> int:
    """Do what the verb says.

    :raises ModelError: see each verb
    """
    # A terminal shows a bar, a log file gets a line every few seconds.
    level = logging.WARNING if sys.stderr.isatty() else logging.INFO
    logging.basicConfig(level=level, format="[%(levelname)s] %(message)s")
    return args.do(args, EngineCache(args.cache.expanduser() if args.cache else default_folder()))


def _verb(verbs: Any, name: str, do: Any, what: str, more: str) -> argparse.ArgumentParser:
    parser = verbs.add_parser(name, help=what, description=f"{what[0].upper()}{what[1:]}.", epilog=more)
    parser.add_argument(
        "--cache", type=Path, metavar="FOLDER", help=f"default: {FOLDER_VARIABLE}, else ~/.cache/hand_pose_ros/engines"
    )
    if more:
        parser.add_argument("--json", action="store_true", help="print JSON, see below")
    parser.set_defaults(do=do)
    return parser


def _build(args: argparse.Namespace, cache: EngineCache) -> int:
    """:raises ModelError: no such model, no TensorRT, no GPU, the model cannot be built, the cache cannot be written"""
    key, model = _wanted(args)
    plan = cache.load(key)
    built = (
        BuiltPlan(plan, 0.0, True, "")
        if plan is not None
        else _with_bar(BuildRequest(str(model), key, str(cache.folder), args.device))
    )
    if built.not_kept:
        raise CacheError(built.not_kept)
    if args.json:
        values = {
            "plan": str(cache.path(key)),
            "key": key.digest,
            "model": str(model),
            "built_for": asdict(key),
            "plan_mb": round(len(built.plan) / 1e6, 3),
            "seconds": built.seconds,
            "reused": built.reused,
        }
        print(json.dumps(values, indent=1))
    else:
        how = "was there already" if built.reused else f"built in {built.seconds:.1f} s"
        print(f"{cache.path(key)}: {len(built.plan) / 1e6:.1f} MB, {how}, {key.precision} for {key.place}")
    return 0


def _wanted(args: argparse.Namespace) -> tuple[PlanKey, Path]:
    if args.max_batch < 1:
        raise ModelError(f"--max-batch {args.max_batch} is no number of crops: use 1 or more")
    library = find_tensorrt([args.flavour] if args.flavour else FLAVOURS)
    named = model_file(args.model)
    if not named.is_file():
        raise ModelError(f"model {named} does not exist: name an .onnx file")
    model = choose_model(named, args.precision, prefer_half=True)
    target = args.compute_capability
    if target and library.flavour != "tensorrt_rtx":
        raise ModelError(
            f"--for {target}: {library.flavour} builds on the GPU itself: pip install tensorrt-rtx and say --flavour tensorrt_rtx"
        )
    try:
        device = None if target else find_device(args.device)
    except ModelError as error:
        hint = "; or say for which GPUs, for example --for 8.6" if library.flavour == "tensorrt_rtx" else ""
        raise ModelError(f"{error}{hint}") from error
    return key_of(model, library, device, compute_capability=target, max_batch=args.max_batch), model


def _with_bar(request: BuildRequest) -> BuiltPlan:
    build = PlanBuild(request)
    try:
        with tqdm(
            total=100,
            desc=Path(request.model).name,
            disable=None,
            bar_format="{desc} {percentage:3.0f}% |{bar}| {elapsed} {postfix}",
        ) as bar:
            while not build.wait(_POLL_S):
                bar.n = round(100 * build.progress.share)
                bar.set_postfix_str(build.progress.text)
        return build.result()
    finally:  # Ctrl-C
        build.cancel()


def _list(args: argparse.Namespace, cache: EngineCache) -> int:
    """:raises CacheError: the folder cannot be read"""
    rows = _described(cache)
    if args.json:
        print(json.dumps(rows, indent=1))
        return 0
    for row in rows:
        digits, state = row["key"][:_SHOWN_DIGITS], row["state"]
        if "model" in row:
            key = PlanKey(**row["built_for"])
            print(f"{digits}  {row['plan_mb']:7.1f} MB  {key.precision}  {key.place}  {row['model']}  {state}")
        else:
            print(f"{digits}  {state}")
    total = sum(row.get("plan_mb", 0.0) for row in rows)
    print(f"{len(rows)} plan(s), {total:.1f} MB, in {cache.folder}")
    return 0


def _info(args: argparse.Namespace, cache: EngineCache) -> int:
    """:raises CacheError: the folder cannot be read
    :raises ModelError: nothing has that name"""
    path = Path(args.name)
    with suppress(ShareError):  # digits of a key
        path = model_file(args.name)
    if path.suffix != ".plan" and path.is_file():
        digests = {file_sha256(file) for file in (path, full_file(path), half_file(path)) if file.is_file()}
        rows = [row for row in _described(cache) if row.get("built_for", {}).get("model_sha256") in digests]
    else:
        rows = [row for row in _described(cache) if row["key"].startswith(path.stem)]
    if not rows:
        raise ModelError(
            f"no plan of {cache.folder} has to do with {args.name}: `hand-pose engine list` shows those that are there"
        )
    if args.json:
        print(json.dumps(rows, indent=1))
    else:
        print("\n\n".join("\n".join(_lines(row)) for row in rows))
    return 0


def _lines(row: dict[str, Any]) -> list[str]:
    flat = {**{k: v for k, v in row.items() if k != "built_for"}, **row.get("built_for", {})}
    return [f"{name:<20}{value}" for name, value in flat.items()]


def _clear(args: argparse.Namespace, cache: EngineCache) -> int:
    """:raises CacheError: the folder cannot be read or written"""
    for row in _described(cache):
        if args.stale and row["state"] == "ready":
            continue
        if not cache.sweep(row["key"]):
            print(f"{row['key'][:_SHOWN_DIGITS]} is being built now: left alone", file=sys.stderr)
        else:
            cache.discard(row["key"])
            print(f"removed {row['key'][:_SHOWN_DIGITS]}" + ("" if row["state"] == "ready" else f", {row['state']}"))
    return 0


def _described(cache: EngineCache) -> list[dict[str, Any]]:
    """The cache's plans as `--json` prints them."""
    found, machine = cache.entries(), this_machine()
    rows = []
    for digest, entry in found.items():
        row: dict[str, Any] = {"key": digest, "plan": str(cache.folder / f"{digest}.plan")}
        if isinstance(entry, Entry):
            stale = stale_reason(entry, machine)
            row["state"] = f"stale: {stale}" if stale else "ready"
            row |= {"model": entry.model, "built_for": asdict(entry.key), "plan_mb": round(entry.plan_bytes / 1e6, 3)}
            row |= {"built": entry.built, "build_s": entry.build_s}
        else:
            row["state"] = f"unusable: {entry}"
        rows.append(row)
    return rows
