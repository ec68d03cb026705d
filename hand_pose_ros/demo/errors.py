"""What goes wrong with the demo."""


class DemoError(RuntimeError):
    """The demo cannot be run; the text says why and what to do."""
