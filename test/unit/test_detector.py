"""From an image to places of hands: back-projection, limits, spacing; and models that are given in the wrong place."""

from dataclasses import replace

import numpy as np
import pytest
from tiny_detector import BEHIND_M, detector_card, write_tiny_detector
from tiny_model import tiny_card, write_tiny_model

from hand_pose_ros.geometry.camera import Camera
from hand_pose_ros.geometry.letterbox import Letterbox
from hand_pose_ros.geometry.transform import RigidTransform
from hand_pose_ros.inference.engine import load_engine
from hand_pose_ros.inference.model_card import ModelCard, ModelError
from hand_pose_ros.live.finder import load_detector
from hand_pose_ros.live.parameters import Parameters
from hand_pose_ros.perception.detector import BESIDES_PRIOR, SPACING_M, HandDetector, spaced, to_metres
from hand_pose_ros.perception.localize import Candidate
from hand_pose_ros.perception.pipeline import Pipeline
from hand_pose_ros.perception.workspace import Workspace

CAMERA = Camera(640, 480, 500.0, 500.0, 319.5, 239.5)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return write_tiny_detector(tmp_path_factory.mktemp("model") / "tiny_detector.onnx")


@pytest.fixture(scope="module")
def detector(path):
    return HandDetector(load_engine(path), besides=None)


def thing(z: float = 0.6) -> np.ndarray:
    """A square of 40 x 40 pixels whose middle is at (419.5, 139.5), before a wall at 2 m."""
    depth = np.full((480, 640), 2.0, np.float32)
    depth[120:160, 400:440] = z
    return depth


def test_a_place_comes_to_metres(detector):
    found = detector.find(thing(), CAMERA)
    # 100 pixels right of the principal point and 100 above it at 0.6 m: 0.6 * 100 / 500 = 0.12 m each.
    assert np.allclose(found[0].center, [0.12, -0.12, 0.6], atol=0.002)
    assert found[0].score == found[0].prior == pytest.approx(0.9)
    # The second place is 4 cm behind, the third has a score of 0.1.
    assert len(found) == 1 and BEHIND_M < SPACING_M
    assert len(detector.find(thing(), CAMERA, min_score=0.05)) == 2


def test_the_same_place_whatever_the_image_s_size(detector):
    small = Camera(320, 240, 250.0, 250.0, 159.5, 119.5)
    wide = Camera(848, 480, 500.0, 500.0, 423.5, 239.5)
    depth = np.full((480, 848), 2.0, np.float32)
    depth[:, 104:744] = thing()
    for image, camera in ((thing()[::2, ::2], small), (depth, wide)):
        assert np.allclose(detector.find(image, camera)[0].center, [0.12, -0.12, 0.6], atol=0.005)


def test_limits(detector):
    assert detector.find(thing(), CAMERA, max_depth_m=0.5) == []
    # What is nearer than the least depth is not seen.
    assert detector.find(thing(), CAMERA, min_depth_m=0.7) == []
    assert detector.find(np.zeros((480, 640), np.float32), CAMERA) == []
    right = Workspace((0, -np.inf, -np.inf, np.inf, np.inf, np.inf), RigidTransform.identity())
    left = replace(right, box=(-np.inf, -np.inf, -np.inf, 0, np.inf, np.inf))
    assert len(detector.find(thing(), CAMERA, workspace=right)) == 1
    assert detector.find(thing(), CAMERA, workspace=left) == []


def test_another_finder_gives_the_rest(path):
    asked = []

    def ends_of_limbs(depth, camera, **limits) -> list[Candidate]:
        asked.append(limits)
        return [Candidate(np.array(p), 0.01) for p in ([0.12, -0.12, 0.63], [0.0, 0.0, 0.4], [0.5, 0.0, 0.4])]

    detector = HandDetector(load_engine(path), besides=ends_of_limbs)
    # Its first is the hand that the network has found, 3 cm off.
    found = detector.find(thing(), CAMERA, max_candidates=2, max_depth_m=0.9)
    assert [c.score for c in found] == [pytest.approx(0.9), 0.01] and found[1].center.tolist() == [0.0, 0.0, 0.4]
    assert [c.prior for c in found] == [found[0].score, BESIDES_PRIOR]
    assert asked == [{"min_depth_m": 0.1, "max_depth_m": 0.9, "max_candidates": 2, "workspace": None}]
    assert len(detector.find(thing(), CAMERA, max_candidates=1)) == 1 and len(asked) == 1


def test_a_place_that_is_no_number_does_not_hide_the_others(path):
    engine, nowhere = load_engine(path), np.array([np.nan, 0.0, 0.5], np.float32)

    class Astray:
        card = engine.card

        def infer(self, inputs):
            found = engine.infer(inputs)
            return {
                "centers": np.insert(found["centers"], 0, nowhere, axis=1),
                "score": np.insert(found["score"], 0, 1.0, axis=1),
            }

    (place,) = HandDetector(Astray(), besides=None).find(thing(), CAMERA)
    assert place.score == pytest.approx(0.9)


def test_places_are_apart_and_the_surest_first():
    centers = np.array([[0.0, 0, 0.5], [0.05, 0, 0.5], [0.3, 0, 0.5], [0.6, 0, 0.5]])
    found = spaced(centers, np.array([0.5, 0.7, 0.3, 0.9]), most=3)
    assert [c.score for c in found] == [0.9, 0.7, 0.3]
    assert [c.center[0] for c in found] == [0.6, 0.05, 0.3]
    assert len(spaced(centers, np.array([0.5, 0.7, 0.3, 0.9]), most=1)) == 1


def test_back_projection_by_hand():
    box = Letterbox(Camera(640, 480, 500.0, 400.0, 300.0, 200.0))
    # u = 0.25 is 80 image pixels right of the middle, 319.5; v = -0.5 is 128 rows above it, 239.5.
    point = to_metres(box, np.array([[0.25, -0.5, 0.8]]))[0]
    assert np.allclose(point, [0.8 * (399.5 - 300) / 500, 0.8 * (111.5 - 200) / 400, 0.8])


def test_a_lens_s_distortion_is_undone():
    bent = replace(CAMERA, distortion=(0.2, 0.0, 0.0, 0.0))
    box, point = Letterbox(bent), np.array([0.25, -0.1, 0.5])
    uv = box.normalize(bent.project(point))
    assert np.allclose(to_metres(box, np.array([[*uv, 0.5]]))[0], point, atol=1e-6)


def test_a_pose_model_is_no_detector(tmp_path):
    pose = write_tiny_model(tmp_path / "tiny.onnx")
    with pytest.raises(
        ModelError, match=r"detector .*tiny.onnx tells the joints of one hand, .*: give it as model, not as detector"
    ):
        HandDetector(load_engine(pose))
    with pytest.raises(ModelError, match=r"give it as model"):
        load_detector(Parameters(detector=str(pose)))


def test_a_detector_is_no_pose_model(path):
    said = r"model .*tiny_detector.onnx tells where hands are in a whole depth image, .*: give it as detector, not as model"
    with pytest.raises(ModelError, match=said):
        Pipeline(load_engine(path))


def test_which_detector_the_parameters_name(path):
    assert load_detector(Parameters(detector="none")) is None
    assert load_detector(Parameters(detector=str(path))).engine.card.name == "tiny_detector"
    with pytest.raises(ModelError, match="model nowhere.onnx does not exist"):
        load_detector(Parameters(detector="nowhere.onnx"))


def test_its_card_goes_there_and_back():
    card = detector_card()
    assert ModelCard.from_json(card.to_json()) == card


@pytest.mark.parametrize(
    "changes, said",
    [
        ({"input_size": 96}, "input_size 96 is no width of a frame"),
        ({"cube_m": 0.25}, "cube_m 0.25: a detector sees no cube"),
        ({"candidates": 0}, "candidates 0 is no number of places"),
        ({"outputs": ("centers",)}, "outputs lack score"),
        ({"outputs": ("centers", "score", "joints")}, "outputs joints are not known"),
    ],
)
def test_cards_that_cannot_be_used(changes, said):
    with pytest.raises(ModelError, match=said):
        detector_card(**changes)


def test_places_are_for_a_detector_s_card_alone():
    with pytest.raises(ModelError, match="candidates 3 are for a detector alone"):
        tiny_card(candidates=3)


@pytest.mark.parametrize(
    "changes, said",
    [
        ({"candidates": 4}, r"output centers of a batch of 2 is \(2, 3, 3\), its card says \(2, 4, 3\)"),
        ({"input_size": 320}, r"input depth_frame is \(N, 1, 128, 160\), its card says \(N, 1, 256, 320\)"),
    ],
)
def test_graphs_that_disagree_with_their_card(tmp_path, changes, said):
    with pytest.raises(ModelError, match=f"wrong.onnx disagrees with its model card: {said}"):
        load_engine(write_tiny_detector(tmp_path / "wrong.onnx", detector_card(**changes)))
