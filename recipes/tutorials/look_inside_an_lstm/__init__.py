"""Tutorial: look inside an LSTM that predicts the stress of a material with memory."""
