"""The outbox steps of the work loop."""
