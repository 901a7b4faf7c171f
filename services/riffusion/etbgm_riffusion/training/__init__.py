"""Trains adapters (LoRA) for Riffusion on data sets of one's own; needs the extra `training`."""
