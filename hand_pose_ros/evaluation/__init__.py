"""`hand-pose evaluate`: the hands of many recordings against ground truth, as figures, tables, plots and pictures."""
