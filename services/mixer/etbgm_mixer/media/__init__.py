"""Reads media files, takes them apart and puts them together again, with ffmpeg."""
