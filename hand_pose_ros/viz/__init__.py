"""Pictures and video of what was found; never needed to run."""
