"""The node: what it does with messages (app), its parameters and topics, and two transports that carry it (dds, ros)."""
