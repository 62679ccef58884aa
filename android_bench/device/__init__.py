"""What a phone is and what state it is in, read through any shell."""
