"""Cameras, depth images and the cube crop: arrays in, arrays out, no I/O."""
