"""Classification of acoustic scenes and environmental sounds by a small convolutional network."""
