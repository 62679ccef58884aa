"""One process's use of one phone, from the lock to the launches and what is put back."""
