"""Training on MARS rewards with TRL. `from trainers.grpo import MarsGRPOTrainer` is the way in from Python."""
