"""`hand-pose demo`: plays a recording to a live node over the wire and measures what comes back against the known joints."""
