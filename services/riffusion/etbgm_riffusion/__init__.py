"""Music for an emotion timeline."""
