"""Model weights: catalogue, licences, folders, devices."""
