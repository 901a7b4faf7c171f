"""Code that two or more ET-BGM packages share: values, artifact store, server, errors."""
