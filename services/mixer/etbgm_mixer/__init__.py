"""ET-BGM's mixer: probes, extracts, separates and mixes media."""
