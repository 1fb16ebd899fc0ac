"""What is exported: datasets, their columns and filters."""
