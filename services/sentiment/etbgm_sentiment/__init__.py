"""Finds the emotions of speech: splits it into phrases, classifies them, draws the emotion timeline."""
