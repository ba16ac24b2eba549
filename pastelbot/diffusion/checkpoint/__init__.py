"""Checkpoints: one loaded model, from torch weights or ONNX."""
