"""The durable queue of jobs, shared by all gateways."""
