"""Metrics as pure NumPy functions of labels, predictions and groups.

`regression`: nRMSE, self-consistency. `multiclass`: accuracy, confusion matrix, F1, log loss.
`binary`: AUC, ROC curve, sensitivity, specificity. `calibration`: reliability, expected
calibration error (ECE), temperature scaling, risk-coverage curve. `bootstrap`: confidence intervals
over groups. `switching`: stability and delay of program decisions over time.
"""
