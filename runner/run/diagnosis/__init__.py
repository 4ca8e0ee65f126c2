"""What is found wrong, or right, with an account, a machine and specs before money is spent."""
