"""How hands are found and kept: the settings of the pipeline."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PipelineSettings:
    """How hands are found and kept.

    :param max_hands: hands at a time
    :param min_depth_m, max_depth_m: where hands are looked for
    :param min_confidence: a hand is taken up from this probability on, of the model's presence and of what the detector says of
        the place together; of a model without presence, its mean joint confidence
    :param keep_confidence: and kept down to this one
    :param lost_frames: a hand that was not seen for so many frames is dropped; frames in which another hand may hide it count
        a quarter
    :param search_every: frames between searches for a further hand while others are tracked; without any, every frame is
        searched, after a second's worth of frames without a hand every third
    :param max_candidates: most places that a search names; of a detector's boxes so many, the surest
    :param recenter_m: the network looks again where its joints lie farther than this from the crop's centre
    :param cube_m: edge of the cube, or None for the one that the model was trained with
    :param smoothing: strength of the filter over time that the joints go through, 0 (off) to 1; see `smooth.py`
    """

    max_hands: int = 2
    min_depth_m: float = 0.1
    max_depth_m: float = 1.5
    min_confidence: float = 0.5
    keep_confidence: float = 0.2
    lost_frames: int = 15
    search_every: int = 10
    max_candidates: int = 4
    recenter_m: float = 0.03
    cube_m: float | None = None
    smoothing: float = 0.0

    def __post_init__(self) -> None:
        for name in ("max_hands", "lost_frames", "search_every", "max_candidates"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} {getattr(self, name)} must be at least 1")
        if not 0 < self.min_depth_m < self.max_depth_m:
            raise ValueError(f"depths of {self.min_depth_m} to {self.max_depth_m} m are no range in front of a camera")
        if not 0 <= self.keep_confidence <= self.min_confidence <= 1:
            raise ValueError(
                f"keep_confidence {self.keep_confidence} must be at most min_confidence {self.min_confidence}, both within 0 to 1"
            )
        if not 0 <= self.smoothing <= 1:
            raise ValueError(f"smoothing {self.smoothing} must be from 0 (off) to 1")


DEFAULTS = PipelineSettings()
