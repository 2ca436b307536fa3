"""Stream logs that come in the box."""
