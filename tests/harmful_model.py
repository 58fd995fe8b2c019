"""A SavedModel that does harm, for tests of what opens it."""

import tensorflow as tf


class Harmful(tf.Module):
    """A SavedModel that writes a file when it is called."""

    def __init__(self, path):
        super().__init__()
        self.path = path

    @tf.function(input_signature=[tf.TensorSpec((None, None, 3), tf.float32)])
    def serve(self, x):
        with tf.control_dependencies([tf.io.write_file(self.path, "it ran")]):
            return {"prediction": x[..., :1]}

    def save(self, folder):
        """Write it as the SavedModel of a stress model."""
        tf.saved_model.save(self, folder, {"serving_default": self.serve, "step": self.serve})
