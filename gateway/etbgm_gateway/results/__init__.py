"""What a job delivers: result, report, plot."""
