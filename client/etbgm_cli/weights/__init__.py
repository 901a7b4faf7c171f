"""Fetches, converts, records and checks weights on this machine. Only `etbgm models` uses it."""

import os

# Otherwise huggingface_hub sends the hub data about this machine, and asks it which data to send.
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
