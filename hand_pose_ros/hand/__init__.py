"""What joints say about the hand: frames of palm and bones."""
