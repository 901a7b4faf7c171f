"""Speech to text: a transcript with word times from sound or from captions."""
