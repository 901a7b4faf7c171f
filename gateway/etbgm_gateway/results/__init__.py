"""What a job hands over: result, report, plot."""
