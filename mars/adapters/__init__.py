"""One small file a trainer: the same rewards, in the form that each of them calls."""
