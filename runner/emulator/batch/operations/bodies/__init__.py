"""What clients send: shapes of the request bodies, and what the core needs of them."""
