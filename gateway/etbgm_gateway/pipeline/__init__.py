"""The six stages of a job as a durable workflow."""
