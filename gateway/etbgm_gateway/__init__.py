"""ET-BGM's gateway: a gRPC API that runs durable jobs on the four services."""
