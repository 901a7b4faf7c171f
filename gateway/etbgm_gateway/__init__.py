"""ET-BGM's gateway: durable jobs over the four services, gRPC API, command line."""
