"""`hand-pose urdf`: the hand as a URDF, sized as a hand that was measured."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from hand_pose_ros.bags.reader import is_bag
from hand_pose_ros.bags.recorded_bones import recorded_bones
from hand_pose_ros.hand.bone_file import bones_to_json, read_bones
from hand_pose_ros.hand.bones import ADULT
from hand_pose_ros.hand.urdf import SIDES, hand_urdf


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("--side", choices=SIDES, default="right", help="which hand (%(default)s)")
    parser.add_argument(
        "--bones",
        type=Path,
        metavar="FILE|BAG",
        help="the hand's sizes: JSON as on the topic hand_bones, or a recording with hands; default: an adult's",
    )
    parser.add_argument("--topic", default="", help="HandPoseArray of the recording; default: the only one, or hands")
    parser.add_argument("--out", type=Path, help="file for the URDF; default: the terminal")
    parser.add_argument("--save-bones", type=Path, metavar="FILE", help="write the sizes as JSON, for the xacro and for later")


def run(arguments: argparse.Namespace) -> int:
    """Write the URDF.

    :raises BagError, HandGeometryError, OSError: the sizes cannot be read, or nothing be written
    """
    if arguments.bones is None:
        bones = ADULT
    elif is_bag(arguments.bones):
        bones = recorded_bones(arguments.bones, arguments.side, arguments.topic)
    else:
        bones = read_bones(arguments.bones, arguments.side)
    if arguments.save_bones:
        text = json.dumps({"side": arguments.side, **bones_to_json(bones)}, indent=1)
        arguments.save_bones.write_text(f"{text}\n", encoding="utf-8")
    xml = hand_urdf(bones, arguments.side)
    if arguments.out is None:
        sys.stdout.write(xml)
    else:
        arguments.out.write_text(xml, encoding="utf-8")
        print(f"{arguments.side} hand: {arguments.out}")
    return 0
