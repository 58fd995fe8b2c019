"""Detection of wheeze in breath sounds by a small network. No medical device."""
