"""What is seen: the cuts of the picture, and its mood."""
