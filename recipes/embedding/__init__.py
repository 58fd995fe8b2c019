"""An embedding of sound, distilled from a teacher, and scene classifiers that start from it."""
