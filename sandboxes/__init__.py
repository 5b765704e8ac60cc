"""Running untrusted and runaway work within limits. Knows nothing of rewards."""
