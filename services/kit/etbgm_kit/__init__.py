"""What two or more ET-BGM units need, once: values, artifact store, server, errors."""
