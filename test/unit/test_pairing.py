"""Which camera info belongs to an image, and the report when none does."""

from types import SimpleNamespace as Message

from hand_pose_ros.live.pairing import Pairing


def image(width: int = 640, frame: str = "depth"):
    return Message(header=Message(frame_id=frame), width=width, height=480)


def info(width: int = 640, frame: str = "depth", binning: int = 0, roi_width: int = 0):
    roi = Message(width=roi_width, height=480 if roi_width else 0, x_offset=0, y_offset=0)
    height = 480 * max(binning, 1)
    return Message(header=Message(frame_id=frame), width=width, height=height, binning_x=binning, binning_y=binning, roi=roi)


def pairing() -> Pairing:
    pairs = Pairing("/depth/image_rect", "/depth/camera_info", "domain 0")
    assert pairs.report(0.0) is None
    return pairs


def test_newest_info_of_same_frame_and_size():
    pairs = pairing()
    first, second, other = info(), info(), info(frame="colour")
    for message in (first, second, other):
        assert pairs.add_info(message) is None
    picture = image()
    pair = pairs.add_image(picture, 7)
    assert pair.image is picture and pair.info is second and pair.received_ns == 7
    assert pairs.add_image(image(320), 8) is None
    assert pairs.report(6.0) is None


def test_binned_and_cut_infos_fit_the_image():
    pairs = pairing()
    binned, cut = info(1280, binning=2), info(1280, roi_width=320)
    pairs.add_info(binned)
    pairs.add_info(cut)
    assert pairs.add_image(image(640), 0).info is binned
    assert pairs.add_image(image(320), 0).info is cut


def test_first_image_waits_for_its_info():
    pairs = pairing()
    assert pairs.add_image(image(), 1) is None
    newest = image()
    assert pairs.add_image(newest, 2) is None
    assert pairs.add_info(info(frame="colour")) is None
    pair = pairs.add_info(info())
    assert pair.image is newest and pair.received_ns == 2
    assert pairs.add_info(info()) is None  # only once


def test_an_image_waits_for_its_own_camera():
    pairs = pairing()
    pairs.add_info(info(frame="b"))
    waiting = image(frame="a")
    assert pairs.add_image(waiting, 1) is None
    assert pairs.add_image(image(frame="b"), 2) is not None  # newer than the one that waits, which is given up
    assert pairs.add_info(info(frame="b")) is None
    assert pairs.add_info(info(frame="a")) is None
    assert pairs.add_image(image(320, "c"), 3) is None
    assert pairs.add_info(info(frame="b")) is None
    assert pairs.add_info(info(320, "c")).received_ns == 3


def test_report_without_infos():
    pairs = pairing()
    for _ in range(148):
        pairs.add_image(image(), 0)
    assert pairs.report(4.9) is None
    assert pairs.report(5.0) == "5 s: images 148, camera infos 0, pairs 0: is /depth/camera_info published (domain 0)?"
    assert pairs.report(9.9) is None  # once every five seconds


def test_report_without_images_or_anything():
    pairs = pairing()
    assert pairs.report(5.0).endswith("pairs 0: are /depth/image_rect and /depth/camera_info published (domain 0)?")
    pairs.add_info(info())
    assert pairs.report(10.0) == "5 s: images 0, camera infos 1, pairs 0: is /depth/image_rect published (domain 0)?"


def test_report_of_infos_of_another_camera():
    pairs = pairing()
    pairs.add_info(info(320, "colour"))
    pairs.add_image(image(), 0)
    line = pairs.report(5.0)
    assert (
        "images 1, camera infos 1, pairs 0: the image is 640x480 in frame 'depth', the camera info 320x480 in frame 'colour'"
        in line
    )
    assert "remap /depth/camera_info" in line


def test_report_of_a_stale_info():
    pairs = pairing()
    pairs.add_info(info())
    pairs.add_image(image(), 0)
    assert pairs.report(5.0) is None
    pairs.add_image(image(), 0)
    assert "images 1, camera infos 0, pairs 1: /depth/camera_info has stopped, its last message is used" in pairs.report(10.0)
