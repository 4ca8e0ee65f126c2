"""Records, transitions and the scheduler; free of HTTP and of processes."""
