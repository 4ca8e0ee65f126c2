"""What nodes cost: their prices, where these come from, and what a plan would cost by them."""
