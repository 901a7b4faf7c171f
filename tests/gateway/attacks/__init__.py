"""Attacks on a gateway, as tables: what is sent, and how it must be refused."""
