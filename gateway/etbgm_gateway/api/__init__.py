"""The gateway's API: decode, check, call, encode."""
