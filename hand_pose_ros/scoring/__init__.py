"""Hands that were found against hands that are known, over time: pairing, errors, identities, jitter, lag.

What is kept does not grow with the number of frames, and what two processes kept can be put together.
"""
