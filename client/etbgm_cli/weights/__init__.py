"""Weights on this machine: fetched, converted, recorded, checked. Nothing but `etbgm models` uses it."""

import os

# Otherwise huggingface_hub tells the hub about the machine that asks, and asks what to tell.
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
