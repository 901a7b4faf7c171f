"""Emotions of what is said: phrases, their classification, the emotion timeline."""
