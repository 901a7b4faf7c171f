"""Speech to text: creates transcripts with word times from sound or captions."""
