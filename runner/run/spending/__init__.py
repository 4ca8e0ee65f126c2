"""What a run spends: the time of its nodes, and the end of the run where that costs too much."""
