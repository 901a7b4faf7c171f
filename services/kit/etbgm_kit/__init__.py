"""What every ET-BGM service needs, once: values, store, server, errors."""
