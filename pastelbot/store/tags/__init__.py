"""Tags in the database: imported sets, and searching them."""
