"""Synthetic depth hands: a skinned hand, poses, shapes, scenes, a renderer and depth sensors' noise."""
