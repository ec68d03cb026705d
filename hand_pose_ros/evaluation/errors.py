"""What goes wrong with an evaluation."""


class EvaluationError(ValueError):
    """Recordings and ground truth that cannot be compared; the text names the recording and the topic and what to do."""
