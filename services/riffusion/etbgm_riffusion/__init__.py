"""Generates music for an emotion timeline."""
