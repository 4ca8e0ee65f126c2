"""`$filter`: OData's expressions as far as Batch takes them."""
