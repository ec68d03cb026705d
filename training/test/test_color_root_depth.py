"""The root's depth of colour models, read from depth images with a sensor's faults: near enough for metric joints."""

import numpy as np

from hand_pose_ros.perception.color_estimate import joints_inside_m, root_depth, surface_depth
from hand_pose_ros.perception.types import DepthFrame
from hand_pose_ros.skeleton import HAND21
from hand_pose_training.synthetic.dataset import SyntheticCrops, SyntheticSettings
from hand_pose_training.synthetic.renderer import ZBuffer
from hand_pose_training.synthetic.scene import Scene
from hand_pose_training.synthetic.sensor import sample_sensor, sense

HANDS = 120


def frame_of(scene: Scene, buffer: ZBuffer, rng: np.random.Generator) -> DepthFrame:
    """The depth image, of which the crop's surroundings alone are rendered."""
    camera, window = scene.camera, buffer.window
    columns, rows = window.x0 + np.arange(window.width), window.y0 + np.arange(window.height)
    depth = np.zeros((camera.height, camera.width), np.float32)
    seen = sense(buffer.inverse_depth, window, columns, rows, sample_sensor(rng, camera.fx), rng)
    depth[window.y0 : window.y0 + window.height, window.x0 : window.x0 + window.width] = seen
    return DepthFrame(depth, camera, 0, "camera")


def test_root_depths_of_synthetic_hands():
    """With true depths behind the root 95 % come within 8 mm; the wrist's own reading alone is far off where it is hidden."""
    crops, inside = SyntheticCrops(11, HANDS, SyntheticSettings(negatives=0.0)), joints_inside_m("hand21")
    errors, of_wrist = [], []
    for i in range(HANDS):
        crop, scene, buffer, _, rng = crops.scene(i)
        frame, pixels = frame_of(scene, buffer, rng), scene.camera.project(scene.joints)
        wrist = scene.joints[HAND21.index("wrist"), 2]
        found = root_depth(frame, pixels, scene.joints[:, 2] - wrist, inside, float(crop.center[2]), crop.cube_m)
        assert found is not None
        errors.append(abs(found - wrist))
        radius = max(round(0.008 * scene.camera.fx / crop.center[2]), 1)
        alone = surface_depth(frame.depth, pixels[0], radius, float(crop.center[2]), crop.cube_m / 2) + inside[0]
        of_wrist.append(abs(alone - wrist))
    assert np.median(errors) < 0.003
    assert np.quantile(errors, 0.95) < 0.008
    assert np.nanquantile(of_wrist, 0.95) > 2 * np.quantile(errors, 0.95)
