"""What is kept how long, and its deletion on time."""
