"""What can keep a model from being installed."""


class WeightsError(Exception):
    """A model could not be fetched or converted; the message says why in one line."""
