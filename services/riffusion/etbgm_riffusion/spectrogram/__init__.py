"""Sound as a mel spectrogram image that Riffusion reads and writes, and back."""
