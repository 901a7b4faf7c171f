"""Sound, speech detection, captions and charts."""
