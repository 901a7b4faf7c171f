"""Calls to the four services: discovery, replica choice, retries."""
