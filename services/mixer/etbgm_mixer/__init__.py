"""ET-BGM's mixer: media in and out."""
