"""The hand detector: where hands are in a whole depth image.

`frames` (whole synthetic frames and their truth), `network`, `targets` (maps and losses), `settings` (the recipe), `training`
(`hand-pose-train fit-detector`), `export` (`hand-pose-train export-detector`) with `page`, `figures` (`hand-pose-train
detector-figures`).
"""
