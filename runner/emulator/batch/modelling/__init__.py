"""Tasks without processes: what they would do is a rule, and their time passes as asked for."""
