"""The API over HTTP: JSON, events, uploads and downloads, translated to calls of the gRPC API."""
