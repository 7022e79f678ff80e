"""What a call says and asks: flows as data, and the sans-IO session that walks them. Imports nothing of ours."""
