"""What every report is made of: clean text, numbers, small tables, and the files around them."""
