"""Models of depth sensors: what each makes of a perfect depth image."""
