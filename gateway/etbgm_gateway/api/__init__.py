"""The gateway's API: decode, validate, call, encode."""
