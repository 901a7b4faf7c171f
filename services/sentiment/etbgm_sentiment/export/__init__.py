"""Sequence classifiers as ONNX; needs the extra `export`, nothing of the server imports this."""
