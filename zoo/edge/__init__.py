"""On the device: numpy and ai-edge-litert only, never TensorFlow."""
