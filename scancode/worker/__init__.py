"""The process that works off the outbox."""
