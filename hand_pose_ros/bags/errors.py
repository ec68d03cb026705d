"""What goes wrong with recordings."""


class BagError(ValueError):
    """A recording that cannot be read or written; the text names the file or topic and what to do."""
