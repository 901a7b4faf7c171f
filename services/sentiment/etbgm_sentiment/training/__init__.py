"""Fine-tuning and calibration of our own classifier; needs the extra `train` (torch), never at run time."""
