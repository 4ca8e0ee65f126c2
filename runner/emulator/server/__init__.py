"""What both services share: HTTP, accounts, signatures."""
