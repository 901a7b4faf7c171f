"""Exports sequence classifiers to ONNX; needs the extra `export`. The server does not import this."""
