"""Accuracy of sound classifiers over folds and seeds."""
