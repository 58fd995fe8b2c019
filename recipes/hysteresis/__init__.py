"""A recurrent network learns the stress history of a hysteretic material."""
