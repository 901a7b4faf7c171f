"""Turns music whose rights are known into a data set of captioned spectrograms."""
