"""The error of a failed model installation."""


class WeightsError(Exception):
    """A model could not be fetched or converted; the message gives the reason in one line."""
