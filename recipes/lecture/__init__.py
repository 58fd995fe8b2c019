"""Recipe: formulas and worked examples of a lecture on RNN, LSTM, CNN and spectrograms."""
