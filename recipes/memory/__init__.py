"""Recipe: vanishing gradients on the adding problem, and the memory of a trained network."""
