"""Fine-tuning and export of the classifier; needs the extra `train` (torch), never at run time."""
