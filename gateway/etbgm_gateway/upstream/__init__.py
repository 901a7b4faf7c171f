"""Calls to the four services: discovery, choice of replica, retries."""
