"""Our outbox."""
