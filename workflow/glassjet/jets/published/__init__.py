"""Published jets, and anybody's: readers of files that others made."""
